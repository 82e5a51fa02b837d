"""Refreshing: a new access token, with the same context and no more scopes than before.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#refresh-access-token
"""

from __future__ import annotations

from typing import Any

from conformance.check import Checks, expect
from conformance.smart.clauses import CORS, OAUTH, REFRESH
from conformance.smart.context import SmartContext
from conformance.smart.flows import FLOWS, check_not_kept, check_token_body
from conformance.smart.launch import Launched, Wanted, json_of


def checks_of(name: str, wanted: Wanted) -> Checks:
    """The checks on refreshing the token of one flow."""
    checks = Checks(f"Refresh: {name.replace('_', ', ')}")

    for suffix, with_scope in (("", False), ("_with_scope", True)):

        @checks(f"{name}.smart_token_refresh_stu2{suffix}", _sentence(with_scope), REFRESH)
        def _(context: SmartContext, with_scope: bool = with_scope) -> None:
            launched = context.fresh(wanted)
            token = _refreshed(context, launched, with_scope)
            address = f"Patient/{context.configuration.own_patient}"
            answer = context.api(token["access_token"]).get(address)
            expect(answer.status_code == 200, f"With the new token {address} was answered {answer.status_code}.")

        @checks(f"{name}.smart_token_refresh_body{suffix}", "The answer has all members, and no more scopes.", REFRESH)
        def _(context: SmartContext, with_scope: bool = with_scope) -> None:
            launched = context.fresh(wanted)
            token = _refreshed(context, launched, with_scope)
            check_token_body(context, token, launched.token["scope"])
            more = set(token["scope"].split()) - set(launched.scopes)
            expect(not more, f"Scopes were added: {' '.join(sorted(more))}.")

    @checks(f"{name}.smart_token_refresh_context", "The launch context is repeated.", REFRESH)
    def _(context: SmartContext) -> None:
        launched = context.fresh(wanted)
        token = _refreshed(context, launched, False)
        for each in ("patient", "encounter"):
            before, after = launched.token.get(each), token.get(each)
            expect(before == after, f"The {each} was {before!r} and is {after!r}.")

    @checks(f"{name}.smart_token_refresh_response_headers", "Nobody keeps the answer.", REFRESH)
    def _(context: SmartContext) -> None:
        launched = context.fresh(wanted)
        check_not_kept(context.refresh(wanted, launched.refresh_token))

    @checks(
        f"{name}.narrowed_refresh",
        "A narrowed refresh narrows its token, and the next one may have all again.",
        f"{OAUTH}#section-6",
    )
    def _(context: SmartContext) -> None:
        launched = context.fresh(wanted)
        patient_scope = next(scope for scope in launched.scopes if "/" in scope and "." in scope)
        first = json_of(context.refresh(wanted, launched.refresh_token, patient_scope))
        expect(first["scope"].split() == [patient_scope], f"The scope is {first['scope']!r}.")
        again = json_of(context.refresh(wanted, first.get("refresh_token", launched.refresh_token)))
        expect(set(again["scope"].split()) == set(launched.scopes), f"Later the scope is {again['scope']!r}.")

    if wanted.app == "public":

        @checks(f"{name}.refresh_without_client_id", "A public app refreshes by its token alone.", REFRESH)
        def _(context: SmartContext) -> None:
            launched = context.fresh(wanted)
            form = {"grant_type": "refresh_token", "refresh_token": launched.refresh_token}
            answer = context.http.post(
                context.endpoint("token_endpoint"), data=form, headers={"Origin": context.configuration.origin}
            )
            json_of(answer)
            allowed = answer.headers.get("access-control-allow-origin")
            expect(
                allowed in ("*", context.configuration.origin),
                f"Access-Control-Allow-Origin is {allowed!r}. See {CORS}.",
            )

    return checks


def _sentence(with_scope: bool) -> str:
    return f"A refresh {'with' if with_scope else 'without'} a scope brings a token that works."


def _refreshed(context: SmartContext, launched: Launched, with_scope: bool) -> dict[str, Any]:
    scope = launched.token["scope"] if with_scope else None
    return json_of(context.refresh(launched.authorization.wanted, launched.refresh_token, scope))


groups = [checks_of(name, FLOWS[name]) for name in ("standalone", "ehr", "standalone_public", "standalone_asymmetric")]
