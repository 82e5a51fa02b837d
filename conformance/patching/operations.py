"""Each operation of JSON Patch (RFC 6902) and of FHIRPath Patch, and what is refused."""

from __future__ import annotations

from conformance.answers import REFUSED, expect_status, refused, version_of
from conformance.check import Checks, Skip, expect
from conformance.clauses import FHIRPATH_PATCH, PATCH, RFC_6902
from conformance.patching.cases import FHIRPATH_CASES, JSON_CASES, REFUSED_CASES, Case
from conformance.patching.sending import (
    BY_FHIRPATH,
    BY_JSON,
    FHIR_JSON,
    FHIR_XML,
    NAMES,
    PATCHES,
    XML_PATCH,
    expect_elements,
    fhirpath_patch,
    operation,
    send,
)
from conformance.rest.updating import created
from conformance.rest_context import RestContext
from conformance.samples import of_each_type, sample
from conformance.statement import patch_format, serves_format

checks = Checks("Patch: operations")


@of_each_type(checks, "patch.json_patch", "A JSON Patch of {type} is done, and makes a new version.", PATCH, "patch")
def _(context: RestContext, type_name: str) -> None:
    if not BY_JSON.holds(context.statement) and context.statement.tree.get("patchFormat"):
        raise Skip("The CapabilityStatement claims other formats of patches.")
    made = context.records.create(sample(context, type_name))
    path = f"{type_name}/{made['id']}"
    answer = expect_status(send(context, path, [{"op": "replace", "path": "/language", "value": "de"}]), 200)
    found = context.api.resource(path)
    expect(found.get("language") == "de", f"language is {found.get('language')!r} after the patch.")
    expect(found["meta"].get("versionId") != made["meta"].get("versionId"), "There is no new version.")
    expect(version_of(answer) == found["meta"].get("versionId"), "The ETag is not the new version.")


def _by_json(case: Case) -> None:
    @checks(f"patch.json_{case.name}", f"A JSON Patch can {case.words}.", f"{RFC_6902}#section-4", PATCHES, BY_JSON)
    def _(context: RestContext) -> None:
        made = created(context, name=NAMES)
        expect_status(send(context, f"Patient/{made['id']}", case.operations), 200)
        expect_elements(context, made, case.expected)


def _by_fhirpath(case: Case) -> None:
    @checks(f"patch.fhirpath_{case.name}", f"A FHIRPath Patch can {case.words}.", FHIRPATH_PATCH, PATCHES, BY_FHIRPATH)
    def _(context: RestContext) -> None:
        made = created(context, name=NAMES)
        expect_status(send(context, f"Patient/{made['id']}", fhirpath_patch(*case.operations), FHIR_JSON), 200)
        expect_elements(context, made, case.expected)


def _refusal(name: str, words: str, body: object) -> None:
    @checks(f"patch.refused_{name}", f"A JSON Patch {words} is refused, and changes nothing.", PATCH, PATCHES, BY_JSON)
    def _(context: RestContext) -> None:
        made = created(context, name=NAMES)
        refused(send(context, f"Patient/{made['id']}", body), *REFUSED)
        expect(context.api.resource(f"Patient/{made['id']}") == made, "The refused patch changed the resource.")


for _case in JSON_CASES:
    _by_json(_case)
for _case in FHIRPATH_CASES:
    _by_fhirpath(_case)
for _wrong in REFUSED_CASES:
    _refusal(*_wrong)


@checks(
    "patch.fhirpath_refused",
    "A FHIRPath Patch that cannot be done is refused, and changes nothing.",
    FHIRPATH_PATCH,
    PATCHES,
    BY_FHIRPATH,
)
def _(context: RestContext) -> None:
    made = created(context, name=NAMES)
    wrong = (
        operation("replace", "Patient.maritalStatus", valueCodeableConcept={"text": "single"}),
        operation("replace", "Patient.name", valueHumanName={"text": "which of them?"}),
        operation("insert", "Patient.name", index=9, valueHumanName={"text": "New"}),
        operation("replace", "Patient.birthDate", valueString="yesterday"),
        operation("explode", "Patient.birthDate"),
        operation("delete", "Patient.name.where("),
        operation("add", "Patient", name="shoeSize", valueInteger=42),
    )
    for each in wrong:
        refused(send(context, f"Patient/{made['id']}", fhirpath_patch(each), FHIR_JSON), *REFUSED)
    expect(context.api.resource(f"Patient/{made['id']}") == made, "A refused patch changed the resource.")


@checks(
    "patch.fhirpath_in_xml",
    "A FHIRPath Patch is taken in XML.",
    FHIRPATH_PATCH,
    PATCHES,
    patch_format(FHIR_XML),
    serves_format("xml"),
)
def _(context: RestContext) -> None:
    made = created(context)
    parts = (
        ("type", "valueCode", "replace"),
        ("path", "valueString", "Patient.language"),
        ("value", "valueCode", "de"),
    )
    inner = "".join(f'<part><name value="{name}"/><{kind} value="{value}"/></part>' for name, kind, value in parts)
    body = (
        f'<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="operation"/>{inner}</parameter></Parameters>'
    )
    expect_status(send(context, f"Patient/{made['id']}", body, FHIR_XML), 200)
    expect_elements(context, made, {"language": "de"})


@checks("patch.xml_patch", "An XML Patch is done.", PATCH, PATCHES, patch_format(XML_PATCH))
def _(context: RestContext) -> None:
    made = created(context)
    body = '<diff xmlns:f="http://hl7.org/fhir"><replace sel="f:Patient/f:language/@value">de</replace></diff>'
    expect_status(send(context, f"Patient/{made['id']}", body, XML_PATCH), 200)
    expect_elements(context, made, {"language": "de"})
