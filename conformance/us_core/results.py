"""Makers of records of measurements, reports, documents and devices, with what US Core profiles support."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.us_core.care import category, diagnosis, quantity
from conformance.us_core.people import LOINC, SNOMED, TERMS, US_CORE, About, Maker, Resource, concept, day, ref
from conformance.us_core.plans import Plan

UNITS = {"29463-7": "kg", "8302-2": "cm", "9843-4": "cm", "8310-5": "Cel"}
OXYGEN = (("3151-8", 2, "L/min"), ("3150-0", 30, "%"))
PARTS = {
    "85354-9": (("8480-6", 118, "mm[Hg]"), ("8462-4", 76, "mm[Hg]")),
    "96607-7": (("96608-5", 118, "mm[Hg]"), ("96609-3", 76, "mm[Hg]")),
    "59408-5": OXYGEN,
    "2708-6": OXYGEN,
}
TEXT = "QSB0ZXh0"  # "A text"


def _observation(about: About, plan: Plan, number: int) -> Resource:
    codes = plan.parameters["code"].values if "code" in plan.parameters else ()
    code = codes[0] if codes else "59408-5" if plan.name == "pulse_oximetry" else "2339-0"
    coded = concept(LOINC, (code, "99999-9")[number])
    if plan.name == "pulse_oximetry" and not number:
        coded["coding"] = [{"system": LOINC, "code": each} for each in codes]
    made: Resource = {
        "status": ("final", "preliminary")[number],
        "category": category(plan, number),
        "code": coded,
        "subject": ref(about.patient),
        "encounter": ref(about.encounters[0]),
        **_when(plan, number),
        "issued": day(number),
        "performer": [ref(about.practitioners[0])],
        "interpretation": [concept(f"{TERMS}/v3-ObservationInterpretation", "N")],
        **_value(plan, code, number),
        **_besides(about, plan),
    }
    if code in PARTS:
        made["component"] = [
            {"code": concept(LOINC, part), "valueQuantity": quantity(value, unit)} for part, value, unit in PARTS[code]
        ]
    if code == "11341-5":
        made["component"] = [
            {
                "code": concept(LOINC, "86188-0"),
                "valueCodeableConcept": concept("urn:oid:2.16.840.1.114222.4.11.7901", "1"),
            }
        ]
    if "component.dataAbsentReason" in plan.must_support:
        made["component"].append(
            {"code": concept(LOINC, "8478-0"), "dataAbsentReason": concept(f"{TERMS}/data-absent-reason", "unknown")}
        )
    return made


def _when(plan: Plan, number: int) -> dict[str, Any]:
    if number and "effectivePeriod" in plan.must_support:
        return {"effectivePeriod": {"start": day(number), "end": day(number).replace("09:", "10:")}}
    return {"effectiveDateTime": day(number)}


def _result(about: About) -> str:
    """An Observation that others refer to."""
    return about.once("Observation", code=concept(LOINC, "2339-0"), status="final", subject=ref(about.patient))


def _besides(about: About, plan: Plan) -> dict[str, Any]:
    """What only some profiles of Observation support."""
    made: dict[str, Any] = {}
    if "specimen" in plan.must_support:
        taken = about.once("Specimen", type=concept(SNOMED, "119364003"), subject=ref(about.patient))
        made["specimen"] = ref(taken)
    if "referenceRange" in plan.must_support:
        made["referenceRange"] = [{"low": quantity(1, "1"), "high": quantity(99, "1")}]
    return made | {name: [ref(_result(about))] for name in ("hasMember", "derivedFrom") if name in plan.must_support}


def _value(plan: Plan, code: str, number: int) -> dict[str, Any]:
    wanted = {path.partition(".")[0] for path in plan.must_support}
    fixed = plan.fixed.get("valueQuantity.code", plan.fixed.get("value.code"))
    if fixed or code in UNITS or ("valueQuantity" in wanted and not (number and "valueCodeableConcept" in wanted)):
        return {"valueQuantity": quantity((70.5, 12.5)[number], fixed or UNITS.get(code, "1"))}
    if code in ("85354-9", "96607-7"):
        return {}
    if "valueString" in wanted and number and "valueQuantity" not in wanted:
        return {"valueString": "As a text"}
    return {"valueCodeableConcept": concept(SNOMED, ("266919005", "8517006")[number])}


def _report(about: About, plan: Plan, number: int) -> Resource:
    media = about.once("Media", status="completed", content={"contentType": "text/plain", "data": TEXT})
    return {
        "status": ("final", "preliminary")[number],
        "category": category(plan, number),
        "code": concept(LOINC, ("58410-2", "34117-2")[number]),
        "subject": ref(about.patient),
        "encounter": ref(about.encounters[0]),
        "effectiveDateTime": day(number),
        "issued": day(number),
        "performer": [ref(about.practitioners[0])],
        "result": [ref(_result(about))],
        "media": [{"link": ref(media)}],
        "presentedForm": [{"contentType": "text/plain", "data": TEXT}],
    }


def _document(about: About, plan: Plan, number: int) -> Resource:
    formats = "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode"
    attachment = {"contentType": "text/plain", "data": TEXT, "url": "https://example.org/a-text"}
    return {
        "identifier": [about.identifier()],
        "status": ("current", "superseded")[number],
        "type": concept(LOINC, ("34117-2", "18842-5")[number]),
        "category": category(plan, number),
        "subject": ref(about.patient),
        "date": day(number),
        "author": [ref(about.practitioners[0])],
        "content": [
            {"attachment": attachment, "format": {"system": formats, "code": "urn:ihe:iti:xds:2017:mimeTypeSufficient"}}
        ],
        "context": {
            "encounter": [ref(about.encounters[0])],
            "period": {"start": day(number), "end": day(number).replace("09:", "10:")},
        },
    }


def _device(about: About, _: Plan, number: int) -> Resource:
    return {
        "udiCarrier": [{"deviceIdentifier": "09504000059118", "carrierHRF": "(01)09504000059118", "carrierAIDC": TEXT}],
        "status": ("active", "inactive")[number],
        "distinctIdentifier": "D-1",
        "manufactureDate": day(number),
        "expirationDate": day(number),
        "lotNumber": "L-1",
        "serialNumber": "S-1",
        "type": concept(SNOMED, ("468063009", "14106009")[number]),
        "patient": ref(about.patient),
    }


def _questionnaire_response(about: About, _: Plan, number: int) -> Resource:
    coding = {"system": LOINC, "code": "LA6568-5"}
    return {
        "identifier": about.identifier(),
        "questionnaire": f"http://example.org/questionnaires/{('first', 'second')[number]}",
        "_questionnaire": {
            "extension": [
                {"url": "http://hl7.org/fhir/StructureDefinition/display", "valueString": "Questions"},
                {"url": f"{US_CORE}/us-core-extension-questionnaire-uri", "valueUri": "http://example.org/form"},
            ]
        },
        "status": ("completed", "in-progress")[number],
        "subject": ref(about.patient),
        "authored": day(number),
        "author": ref(about.practitioners[0]),
        "item": [
            {
                "linkId": "1",
                "text": "How are you?",
                "answer": [{"valueCoding": coding, "item": [{"linkId": "1.1", "text": "Why?"}]}],
            },
            {"linkId": "3", "answer": [{"valueDecimal": 2.25}, {"valueString": "Well"}]},
            {
                "linkId": "2",
                "text": "More",
                "item": [
                    {"linkId": "2.1", "answer": [{"valueDecimal": 1.5}]},
                    {"linkId": "2.2", "answer": [{"valueString": "Fine"}]},
                ],
            },
        ],
    }


def _service_request(about: About, plan: Plan, number: int) -> Resource:
    return {
        "status": ("active", "completed")[number],
        "intent": "order",
        "category": category(plan, number),
        "code": concept(SNOMED, ("410410006", "73761001")[number]),
        "subject": ref(about.patient),
        "encounter": ref(about.encounters[0]),
        "occurrencePeriod": {"start": day(number)},
        "authoredOn": day(number),
        "requester": ref(about.practitioners[0]),
        "reasonCode": [concept(SNOMED, "404684003")],
        "reasonReference": [ref(diagnosis(about))],
    }


def _specimen(about: About, _: Plan, number: int) -> Resource:
    return {
        "identifier": [about.identifier()],
        "accessionIdentifier": about.identifier(),
        "type": concept(SNOMED, ("119364003", "122555007")[number]),
        "subject": ref(about.patient),
        "collection": {"bodySite": concept(SNOMED, "368208006")},
        "condition": [concept(f"{TERMS}/v2-0493", "COOL")],
    }


def provenance(target: str, about: About) -> Resource:
    """A Provenance of a record."""
    kinds = f"{TERMS}/provenance-participant-type"
    return {
        "target": [ref(target)],
        "recorded": day(0),
        "agent": [
            {
                "type": concept(kinds, "author"),
                "who": ref(about.practitioners[0]),
                "onBehalfOf": ref(about.organization),
            },
            {
                "type": concept(
                    "http://hl7.org/fhir/us/core/CodeSystem/us-core-provenance-participant-type", "transmitter"
                ),
                "who": ref(about.organization),
            },
        ],
    }


MAKERS: Mapping[str, Maker] = {
    "Observation": _observation,
    "DiagnosticReport": _report,
    "DocumentReference": _document,
    "Device": _device,
    "QuestionnaireResponse": _questionnaire_response,
    "ServiceRequest": _service_request,
    "Specimen": _specimen,
    "Provenance": lambda about, _, __: provenance(about.patient, about),
}
