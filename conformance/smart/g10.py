"""What the (g)(10) certification kit asks beyond SMART's own: capabilities, scopes, context, access without a token.

https://www.healthit.gov/test-method/standardized-api-patient-and-population-services
"""

from __future__ import annotations

import re

from conformance.check import Checks, expect
from conformance.smart.clauses import BEARER, CONFORMANCE, CONTEXT, G10, SCOPES, STYLING
from conformance.smart.context import SmartContext
from conformance.smart.flows import EHR, FLOWS, STANDALONE
from conformance.smart.launch import EHR_SCOPE, STANDALONE_SCOPE, Wanted, json_of

checks = Checks("(g)(10)")

COMMON = (
    *("client-confidential-symmetric", "client-confidential-asymmetric", "sso-openid-connect"),
    *("permission-offline", "authorize-post", "permission-v2", "permission-v1"),
)
CAPABILITIES = {
    "g10_standalone_capabilities": (
        *COMMON,
        *("launch-standalone", "client-public", "context-standalone-patient", "permission-patient"),
    ),
    "g10_ehr_capabilities": (
        *COMMON,
        *("launch-ehr", "context-banner", "context-style", "context-ehr-patient", "context-ehr-encounter"),
        "permission-user",
    ),
}
US_CORE_TYPES = (
    *("AllergyIntolerance", "CarePlan", "CareTeam", "Condition", "Coverage", "Device", "DiagnosticReport"),
    *("DocumentReference", "Encounter", "Goal", "Immunization", "Location", "Medication", "MedicationDispense"),
    *("MedicationRequest", "Observation", "Organization", "Patient", "Practitioner", "PractitionerRole"),
    *("Procedure", "Provenance", "QuestionnaireResponse", "RelatedPerson", "ServiceRequest", "Specimen"),
)
IDENTITY = "openid fhirUser offline_access"
LETTERS = re.compile(r"\*|c?ru?d?s?|read")


def _scope(context_scope: str, level: str, letters: str) -> str:
    return " ".join([context_scope, IDENTITY, *(f"{level}/{name}.{letters}" for name in US_CORE_TYPES)])


SCOPE_LAUNCHES = {
    "standalone": Wanted(scope=_scope("launch/patient", "patient", "rs")),
    "standalone_v1": Wanted(scope=_scope("launch/patient", "patient", "read")),
    "ehr": Wanted(scope=_scope("launch", "user", "rs"), person="practitioner", is_ehr=True),
    "ehr_v1": Wanted(scope=_scope("launch", "user", "read"), person="practitioner", is_ehr=True),
}


for _id, _needed in CAPABILITIES.items():

    @checks(_id, "The capabilities that certification asks for are there.", f"{CONFORMANCE}#capabilities")
    def _(context: SmartContext, needed: tuple[str, ...] = _needed) -> None:
        missing = sorted(set(needed) - set(context.discovered().get("capabilities", ())))
        expect(not missing, f"Capabilities are missing: {', '.join(missing)}.")


for _name, _wanted in SCOPE_LAUNCHES.items():

    @checks(f"{_name}.g10_smart_scopes", "All scopes of US Core are granted, spelled as they were asked for.", SCOPES)
    def _(context: SmartContext, wanted: Wanted = _wanted) -> None:
        scopes = context.launched(wanted).scopes
        for needed in [*IDENTITY.split(), wanted.scope.split()[0]]:
            expect(needed in scopes, f"The scope {needed} is missing.")
        for asked in wanted.scope.split():
            expect(asked in scopes, f"The scope {asked} is missing.")
        for scope in scopes:
            _, dot, letters = scope.partition(".")
            expect(not dot or LETTERS.fullmatch(letters), f"{scope!r} is no scope of SMART.")


@checks("g10_unauthorized_access", "Reading a Patient without a token is answered 401.", f"{BEARER}#section-3")
def _(context: SmartContext) -> None:
    for token in (None, "not-a-token"):
        answer = context.api(token).get(f"Patient/{context.configuration.own_patient}")
        expect(answer.status_code == 401, f"It was answered {answer.status_code}.")
        expect("www-authenticate" in answer.headers, "The answer has no WWW-Authenticate.")


@checks(
    "standalone.g10_patient_context", "The patient of a standalone launch can be read, after a refresh too.", CONTEXT
)
def _(context: SmartContext) -> None:
    _expect_readable(context, STANDALONE, "patient", "Patient")


@checks("ehr.g10_patient_context", "So can that of an EHR launch.", CONTEXT)
def _(context: SmartContext) -> None:
    _expect_readable(context, EHR, "patient", "Patient")


@checks("ehr.g10_encounter_context", "And its encounter.", CONTEXT)
def _(context: SmartContext) -> None:
    _expect_readable(context, EHR, "encounter", "Encounter")


@checks("standalone.g10_encounter_context", "launch/encounter brings an encounter of the patient.", CONTEXT)
def _(context: SmartContext) -> None:
    wanted = Wanted(scope=f"{STANDALONE_SCOPE} launch/encounter")
    _expect_readable(context, wanted, "encounter", "Encounter")


def _expect_readable(context: SmartContext, wanted: Wanted, name: str, type_name: str) -> None:
    launched = context.fresh(wanted)
    renewed = json_of(context.refresh(wanted, launched.refresh_token))
    for token in (launched.token, renewed):
        logical_id = token.get(name)
        expect(isinstance(logical_id, str) and "/" not in logical_id, f"The {name} is {logical_id!r}, which is no id.")
        answer = context.api(token["access_token"]).get(f"{type_name}/{logical_id}")
        expect(answer.status_code == 200, f"Reading it was answered {answer.status_code}.")


@checks("standalone.patient_without_launch_scope", "patient/ scopes alone bring a patient, too.", SCOPES)
def _(context: SmartContext) -> None:
    launched = context.launched(Wanted(scope="patient/*.rs"))
    expect(launched.token.get("patient") == context.configuration.own_patient, "There is no patient, or another.")


@checks("ehr.smart_style_url", "An EHR launch names a style, which is JSON.", STYLING)
def _(context: SmartContext) -> None:
    address = context.launched(EHR).token.get("smart_style_url")
    expect(isinstance(address, str) and address, f"The smart_style_url is {address!r}.")
    json_of(context.http.get(str(address)))


@checks("ehr.need_patient_banner", "An EHR launch says whether the app shows who the patient is.", STYLING)
def _(context: SmartContext) -> None:
    needed = context.launched(EHR).token.get("need_patient_banner")
    expect(isinstance(needed, bool), f"need_patient_banner is {needed!r}.")


@checks("ehr.g10_patient_scopes", "An EHR launch with patient/ scopes opens the patient's record, and no other.", G10)
def _(context: SmartContext) -> None:
    scope = EHR_SCOPE.replace("user/*.rs", "patient/Patient.rs patient/Observation.rs")
    launched = context.launched(Wanted(scope=scope, person="practitioner", is_ehr=True))
    expect(any(each.startswith("patient/Patient.") for each in launched.scopes), "patient/Patient.rs was not granted.")
    api, settings = context.api(launched.access_token), context.configuration
    own = api.get(f"Patient/{settings.own_patient}").status_code
    other = api.get(f"Patient/{settings.other_patient}").status_code
    expect(own == 200, f"The patient's record was answered {own}.")
    expect(other in (403, 404), f"The record of another patient was answered {other}.")


@checks("g10_public_id_token", "A public app gets an ID token.", G10)
def _(context: SmartContext) -> None:
    expect(context.launched(FLOWS["standalone_public"]).token.get("id_token"), "There is none.")


@checks("g10_asymmetric_id_and_refresh_token", "An asymmetric app gets an ID token and a refresh token.", G10)
def _(context: SmartContext) -> None:
    token = context.launched(FLOWS["standalone_asymmetric"]).token
    for name in ("id_token", "refresh_token"):
        expect(token.get(name), f"There is no {name}.")
