"""Token introspection: whoever may know learns what a token is good for.

https://hl7.org/fhir/smart-app-launch/STU2.2/token-introspection.html
"""

from __future__ import annotations

from typing import Any

import httpx

from conformance.check import Checks, expect
from conformance.smart.clauses import INTROSPECTION
from conformance.smart.client_credentials import credentials
from conformance.smart.context import SmartContext
from conformance.smart.flows import EHR, FLOWS, STANDALONE
from conformance.smart.launch import Wanted, json_of
from conformance.smart.openid import id_claims

checks = Checks("Token introspection")

INVALID = "invalid_token_value"


def introspect(context: SmartContext, token: str, **headers: str) -> httpx.Response:
    """Ask about a token; as the symmetric app, unless headers say who asks."""
    endpoint = context.endpoint("introspection_endpoint")
    if not headers:
        headers = credentials(context.configuration.symmetric, endpoint)[1]
    return context.http.post(endpoint, data={"token": token}, headers=headers)


def _expect_like_token(context: SmartContext, wanted: Wanted, told: dict[str, Any]) -> None:
    launched = context.launched(wanted)
    expect(told.get("active") is True, f"active is {told.get('active')!r}.")
    client_id = context.configuration.app(wanted.app).client_id
    expect(told.get("client_id") == client_id, f"The client_id is {told.get('client_id')!r}.")
    scope = str(told.get("scope")).split()
    expect(set(scope) == set(launched.scopes), f"The scope is {told.get('scope')!r}.")
    expect(len(scope) == len(launched.scopes), "A scope stands twice.")
    expect(isinstance(told.get("exp"), int | float), f"exp is {told.get('exp')!r} and not a number.")
    for name in ("patient", "encounter", "intent", "tenant", "need_patient_banner", "smart_style_url"):
        had = launched.token.get(name)
        expect(had is None or told.get(name) == had, f"The {name} is {told.get(name)!r} and not {had!r}.")
    claims = id_claims(context, wanted)
    for name in ("iss", "sub", "fhirUser"):
        expect(told.get(name) == claims.get(name), f"The {name} is {told.get(name)!r} and not {claims.get(name)!r}.")


@checks(
    "smart_token_introspection_active_standalone",
    "A token of a standalone launch is active, with its context.",
    INTROSPECTION,
)
def _(context: SmartContext) -> None:
    token = context.launched(STANDALONE).access_token
    _expect_like_token(context, STANDALONE, json_of(introspect(context, token)))


@checks("smart_token_introspection_active_ehr", "So is one of an EHR launch.", INTROSPECTION)
def _(context: SmartContext) -> None:
    token = context.launched(EHR).access_token
    _expect_like_token(context, EHR, json_of(introspect(context, token)))


@checks(
    "introspection_by_bearer_token",
    "An access token is a way to ask, for what it may know.",
    f"{INTROSPECTION}#authorization",
)
def _(context: SmartContext) -> None:
    token = context.launched(STANDALONE).access_token
    told = json_of(introspect(context, token, Authorization=f"Bearer {token}"))
    _expect_like_token(context, STANDALONE, told)


@checks(
    "smart_token_introspection_inactive",
    "An unknown token is answered 200, not active, and nothing more.",
    INTROSPECTION,
)
def _(context: SmartContext) -> None:
    told = json_of(introspect(context, INVALID))
    expect(told.get("active") is False, f"active is {told.get('active')!r}.")
    if len(told) > 1:
        context.notes.append(f"The answer has more members: {', '.join(sorted(set(told) - {'active'}))}.")


@checks(
    "introspection_needs_authorization", "Nobody unknown, and no public app, may ask.", f"{INTROSPECTION}#authorization"
)
def _(context: SmartContext) -> None:
    endpoint, token = context.endpoint("introspection_endpoint"), context.launched(STANDALONE).access_token
    public = {"token": token, "client_id": context.configuration.public.client_id}
    for form, headers in (
        ({"token": token}, {}),
        (public, {}),
        ({"token": token}, {"Authorization": f"Bearer {INVALID}"}),
    ):
        answer = context.http.post(endpoint, data=form, headers=headers)
        expect(answer.status_code == 401, f"It was answered {answer.status_code}.")
        expect("active" not in answer.text, "The answer tells about the token all the same.")


@checks("introspection_of_another_apps_token", "An app learns nothing of another app's token.", INTROSPECTION)
def _(context: SmartContext) -> None:
    foreign = context.launched(FLOWS["standalone_public"]).access_token
    told = json_of(introspect(context, foreign))
    expect(told == {"active": False}, "It was told about another app's token.")
