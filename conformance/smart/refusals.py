"""Requests that must be refused, as the certification kit makes them: wrong audience, code, app, refresh token, verifier."""

from __future__ import annotations

import secrets

from conformance.check import Checks, expect
from conformance.smart.clauses import AUTHORIZE, OAUTH, PKCE
from conformance.smart.context import SmartContext
from conformance.smart.flows import FLOWS, STANDALONE
from conformance.smart.launch import json_of

checks = Checks("Refusals")

ERRORS = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
    }
)


@checks("g10_invalid_aud", "For another FHIR server no code is given.", AUTHORIZE)
def _(context: SmartContext) -> None:
    for audience in ("https://example.org/invalid_aud", f"{context.configuration.base_url}/other", None):
        authorization = context.authorize(STANDALONE, aud=audience)
        expect("code" not in authorization.answer, f"For the aud {audience!r} a code was given.")


@checks("aud_with_a_slash", "A slash at the end of the aud makes no difference.", AUTHORIZE)
def _(context: SmartContext) -> None:
    expect(context.authorize(STANDALONE, aud=f"{context.configuration.base_url}/").code, "The code is empty.")


@checks("g10_invalid_code", "A code that was never given is answered 400 invalid_grant.", f"{OAUTH}#section-5.2")
def _(context: SmartContext) -> None:
    form = {
        "grant_type": "authorization_code",
        "code": "BAD_CODE",
        "redirect_uri": context.configuration.symmetric.redirect_uri,
        "code_verifier": secrets.token_urlsafe(48),
    }
    answer = context.token_request(context.configuration.symmetric, form)
    expect(json_of(answer, 400).get("error") == "invalid_grant", f"The error is {answer.text[:200]}.")


@checks("g10_invalid_client_id", "An unknown app gets no token for a good code.", f"{OAUTH}#section-5.2")
def _(context: SmartContext) -> None:
    authorization = context.authorize(FLOWS["standalone_public"])
    answer = context.exchange(authorization, client_id="BAD_CLIENT_ID")
    expect(answer.status_code in (400, 401), f"It was answered {answer.status_code}.")


@checks("g10_invalid_refresh_token", "A refresh token that was never given is refused.", f"{OAUTH}#section-5.2")
def _(context: SmartContext) -> None:
    answer = context.refresh(STANDALONE, secrets.token_urlsafe(32))
    expect(answer.status_code in (400, 401), f"It was answered {answer.status_code}.")


VERIFIERS = {
    "absent": "Without a code_verifier there is no token.",
    "blank": "With a blank code_verifier there is no token.",
    "wrong": "With another code_verifier there is no token.",
    "plain": "With the code_challenge as the code_verifier there is no token.",
}
for _name, _sentence in VERIFIERS.items():

    @checks(f"g10_pkce_{_name}_verifier", _sentence, f"{PKCE}#section-4.6")
    def _(context: SmartContext, name: str = _name) -> None:
        authorization = context.authorize(STANDALONE)
        verifier = {
            "absent": None,
            "blank": "",
            "wrong": secrets.token_urlsafe(48),
            "plain": authorization.sent["code_challenge"],
        }[name]
        answer = context.exchange(authorization, code_verifier=verifier)
        expect(answer.status_code in (400, 401), f"It was answered {answer.status_code}.")
        error = json_of(answer, answer.status_code).get("error")
        expect(error in ERRORS, f"The error is {error!r}.")


@checks("secret_app_without_its_secret", "An app with a secret gets no token without it.", f"{OAUTH}#section-3.2.1")
def _(context: SmartContext) -> None:
    app = context.configuration.symmetric
    for headers in ({}, {"Authorization": "Basic !!!"}, {"Authorization": "Basic /////w=="}):
        authorization = context.authorize(STANDALONE)
        form = {
            "grant_type": "authorization_code",
            "code": authorization.code,
            "redirect_uri": app.redirect_uri,
            "code_verifier": authorization.verifier,
            "client_id": app.client_id,
        }
        answer = context.http.post(context.endpoint("token_endpoint"), data=form, headers=headers)
        expect(answer.status_code == 401, f"It was answered {answer.status_code}.")


@checks(
    "token_request_must_be_a_form", "Parameters in the address, and JSON, are no token request.", f"{OAUTH}#section-3.2"
)
def _(context: SmartContext) -> None:
    endpoint = context.endpoint("token_endpoint")
    form = {"grant_type": "authorization_code", "client_id": context.configuration.public.client_id, "code": "x"}
    expect(context.http.get(endpoint, params=form).status_code in (400, 405), "GET is answered otherwise.")
    expect(context.http.post(endpoint, params=form).status_code == 400, "Parameters in the address are taken.")
    expect(context.http.post(endpoint, json=form).status_code in (400, 415), "JSON is taken.")
    twice = context.http.post(
        endpoint,
        content="grant_type=authorization_code&grant_type=authorization_code",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    expect(twice.status_code == 400, "A parameter that stands twice is taken.")
