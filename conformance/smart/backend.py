"""Backend services: an app without a user gets a token by a signed assertion.

https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html
"""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from conformance.check import Checks, Skip, expect
from conformance.smart.clauses import ASYMMETRIC, BACKEND
from conformance.smart.client_credentials import algorithm_of, assertion, assertion_form
from conformance.smart.context import BACKEND_SCOPE, SmartContext
from conformance.smart.flows import check_not_kept, check_token_body
from conformance.smart.launch import json_of

checks = Checks("Backend services")

TOKEN_REQUEST = f"{BACKEND}#obtain-access-token"


def backend_request(
    context: SmartContext, text: str, changed: Mapping[str, str | None] | None = None
) -> httpx.Response:
    """Ask for a token by an assertion. changed: members of the form; None leaves one out."""
    form = {
        "grant_type": "client_credentials",
        "scope": BACKEND_SCOPE,
        **assertion_form(text),
        **(changed or {}),
    }
    data = {name: value for name, value in form.items() if value is not None}
    return context.http.post(context.endpoint("token_endpoint"), data=data)


def right_assertion(context: SmartContext) -> str:
    """An assertion of the backend app that must be accepted."""
    return assertion(context.configuration.backend, context.endpoint("token_endpoint"))


@checks("smart_backend_services_invalid_grant_type", "Another grant type is answered 400.", TOKEN_REQUEST)
def _(context: SmartContext) -> None:
    answer = backend_request(context, right_assertion(context), {"grant_type": "not_a_grant_type"})
    expect(answer.status_code == 400, f"It was answered {answer.status_code}.")


@checks("smart_backend_services_invalid_client_assertion", "Another kind of assertion is refused.", TOKEN_REQUEST)
def _(context: SmartContext) -> None:
    wrong = {"client_assertion_type": "not_an_assertion_type"}
    answer = backend_request(context, right_assertion(context), wrong)
    expect(answer.status_code in (400, 401), f"It was answered {answer.status_code}.")


@checks("smart_backend_services_invalid_jwt", "An assertion that is no JWT of the app is refused.", TOKEN_REQUEST)
def _(context: SmartContext) -> None:
    for wrong in ("no.jwt.at-all", right_assertion(context)[:-8] + "AAAAAAAA"):
        answer = backend_request(context, wrong)
        expect(answer.status_code in (400, 401), f"It was answered {answer.status_code}.")


@checks("smart_backend_services_auth_request_success", "A right request brings a token.", TOKEN_REQUEST)
def _(context: SmartContext) -> None:
    answer = backend_request(context, right_assertion(context))
    expect(answer.status_code in (200, 201), f"It was answered {answer.status_code}: {answer.text[:300]}")
    check_not_kept(answer)


@checks("smart_backend_services_auth_response_body", "The answer has all members, and the token works.", TOKEN_REQUEST)
def _(context: SmartContext) -> None:
    token = json_of(backend_request(context, right_assertion(context)))
    check_token_body(context, token, BACKEND_SCOPE)
    expect("refresh_token" not in token, "There is a refresh token.")
    expect(token["expires_in"] <= 300, f"The token lives {token['expires_in']} seconds, and 300 are advised.")
    answer = context.api(token["access_token"]).get(f"Patient/{context.configuration.other_patient}")
    expect(answer.status_code == 200, f"Reading a Patient with the token was answered {answer.status_code}.")


@checks("backend_every_algorithm", "Both RS384 and ES384 are accepted.", f"{ASYMMETRIC}#request")
def _(context: SmartContext) -> None:
    app, endpoint = context.configuration.backend, context.endpoint("token_endpoint")
    algorithms = {algorithm_of(key) for key in app.private_keys}
    for key in app.private_keys:
        json_of(backend_request(context, assertion(app, endpoint, key)))
    if algorithms != {"RS384", "ES384"}:
        raise Skip(f"The backend app has no keys but for {', '.join(sorted(algorithms))}, which work.")


@checks("backend_scope_required", "Without a scope there is no token.", f"{BACKEND}#scopes")
def _(context: SmartContext) -> None:
    answer = backend_request(context, right_assertion(context), {"scope": None})
    expect(answer.status_code == 400, f"It was answered {answer.status_code}.")
    expect(json_of(answer, 400).get("error") == "invalid_scope", f"The error is {answer.text[:200]}.")


@checks("backend_only_system_scopes", "Scopes of users and patients are not granted.", f"{BACKEND}#scopes")
def _(context: SmartContext) -> None:
    for scope in ("user/*.rs", "patient/*.rs", "openid"):
        answer = backend_request(context, right_assertion(context), {"scope": scope})
        expect(answer.status_code == 400, f"{scope!r} was answered {answer.status_code}.")
    mixed = json_of(backend_request(context, right_assertion(context), {"scope": f"{BACKEND_SCOPE} user/*.rs"}))
    expect(mixed["scope"] == BACKEND_SCOPE, f"The scope is {mixed['scope']!r}.")
