"""The steps of a launch, one check each, for every kind of launch and app that is made here.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from conformance.check import Checks, expect
from conformance.smart.clauses import AUTHORIZE, CONTEXT, CORS, EHR_LAUNCH, TOKEN
from conformance.smart.context import SmartContext
from conformance.smart.launch import EHR_SCOPE, Wanted, json_of, member, parameters_of

FLOWS = {
    "standalone": Wanted(app="symmetric"),
    "standalone_public": Wanted(app="public"),
    "standalone_asymmetric": Wanted(app="asymmetric"),
    "ehr": Wanted(app="symmetric", scope=EHR_SCOPE, person="practitioner", is_ehr=True),
    "ehr_public": Wanted(app="public", scope=EHR_SCOPE, person="practitioner", is_ehr=True),
}
STANDALONE, EHR = FLOWS["standalone"], FLOWS["ehr"]
_RELATIVE = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})")
_TYPE = re.compile(r"[A-Z][A-Za-z]+")


def checks_of(name: str, wanted: Wanted) -> Checks:
    """The checks of one flow; their ids begin with its name."""
    checks = Checks(f"Launch: {name.replace('_', ', ')}")
    if wanted.is_ehr:
        _add_ehr(checks, name, wanted)
    _add_authorization(checks, name, wanted)
    _add_token(checks, name, wanted)
    return checks


def _add_ehr(checks: Checks, name: str, wanted: Wanted) -> None:
    @checks(f"{name}.smart_app_launch", "The launch names the FHIR base exactly as it is configured.", EHR_LAUNCH)
    def _(context: SmartContext) -> None:
        issuer = parameters_of(context.start(wanted)).get("iss")
        base = context.configuration.base_url
        expect(issuer == base, f"The iss of the launch is {issuer!r} and not {base!r}.")

    @checks(f"{name}.smart_launch_received", "The launch brings a handle.", EHR_LAUNCH)
    def _(context: SmartContext) -> None:
        expect(parameters_of(context.start(wanted)).get("launch"), "The launch has no parameter launch.")


def _add_authorization(checks: Checks, name: str, wanted: Wanted) -> None:
    @checks(f"{name}.smart_app_redirect_stu2", "An authorization request by GET leads to its app.", AUTHORIZE)
    def _(context: SmartContext) -> None:
        _expect_code(context, wanted)

    @checks(f"{name}.smart_app_redirect_stu2_post", "So does one that a form posted.", AUTHORIZE)
    def _(context: SmartContext) -> None:
        _expect_code(context, replace(wanted, by_post=True))

    @checks(f"{name}.smart_code_received", "The app gets a code and its state, and no error.", AUTHORIZE)
    def _(context: SmartContext) -> None:
        answer = context.authorize(wanted, state="a/b+c d=é&~")
        expect("error" not in answer.answer, f"The answer has an error: {answer.answer.get('error')}.")
        expect(answer.code, "The code is empty.")
        expect(answer.answer.get("state") == "a/b+c d=é&~", f"The state is {answer.answer.get('state')!r}.")


def _expect_code(context: SmartContext, wanted: Wanted) -> None:
    authorization = context.authorize(wanted)
    expect(authorization.code, "The code is empty.")


def _add_token(checks: Checks, name: str, wanted: Wanted) -> None:
    @checks(f"{name}.smart_token_exchange_stu2_2", "The code is exchanged for a token.", TOKEN)
    def _(context: SmartContext) -> None:
        json_of(context.launched(wanted).response)

    @checks(f"{name}.smart_token_response_body_stu2_2", "The token answer has all that SMART asks for.", TOKEN)
    def _(context: SmartContext) -> None:
        launched = context.launched(wanted)
        check_token_body(context, launched.token, wanted.scope)
        _check_fhir_context(launched.token.get("fhirContext"))

    @checks(f"{name}.smart_token_response_headers", "Nobody keeps the token answer.", TOKEN)
    def _(context: SmartContext) -> None:
        check_not_kept(context.launched(wanted).response)

    if wanted.app == "public":

        @checks(f"{name}.smart_cors_token_exchange", "The app's web page may read the token answer.", CORS)
        def _(context: SmartContext) -> None:
            allowed = context.launched(wanted).response.headers.get("access-control-allow-origin")
            origin = context.configuration.origin
            expect(allowed in ("*", origin), f"For the origin {origin} Access-Control-Allow-Origin is {allowed!r}.")


def check_token_body(context: SmartContext, token: dict[str, Any], requested: str) -> None:
    """What every token answer has. requested: scopes, of which each that is missing becomes a note."""
    for name in ("access_token", "token_type", "scope"):
        member(token, name)
    expires = token.get("expires_in")
    is_number = isinstance(expires, int | float) and not isinstance(expires, bool)
    expect(is_number, f"expires_in is {expires!r} and not a number.")
    expect("bearer" in token["token_type"].lower(), f"The token_type is {token['token_type']!r}.")
    granted = token["scope"].split()
    if missing := [scope for scope in requested.split() if scope not in granted]:
        context.notes.append(f"Not granted as spelled: {' '.join(missing)}.")


def check_not_kept(response: Any) -> None:
    """The headers of token answers. https://www.rfc-editor.org/rfc/rfc6749#section-5.1"""
    control, pragma = response.headers.get("cache-control", ""), response.headers.get("pragma", "")
    expect("no-store" in control, f"The Cache-Control is {control!r} and lacks no-store.")
    expect("no-cache" in pragma, f"The Pragma is {pragma!r} and lacks no-cache.")


def _check_fhir_context(context: Any) -> None:
    """A list of objects that each name something. See the clause."""
    if context is None:
        return
    expect(isinstance(context, list), f"fhirContext is not an array. See {CONTEXT}.")
    for each in context:
        expect(isinstance(each, dict), "An item of fhirContext is not an object.")
        expect({"reference", "canonical", "identifier"} & set(each), "An item of fhirContext names nothing.")
        if "reference" in each:
            expect(_RELATIVE.fullmatch(each["reference"]), f"{each['reference']!r} is not a relative reference.")
        if "canonical" in each:
            expect(str(each["canonical"]).startswith("http"), f"{each['canonical']!r} is not a canonical URL.")
        if "identifier" in each:
            expect(isinstance(each["identifier"], dict), "An identifier of fhirContext is not an object.")
        expect(_TYPE.fullmatch(each.get("type", "Patient")), f"{each.get('type')!r} is not a FHIR type.")


groups = [checks_of(name, wanted) for name, wanted in FLOWS.items()]
