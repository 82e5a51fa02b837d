"""Makers of records of visits, problems, medications and plans, with the elements that US Core profiles support."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.us_core.people import LOINC, SNOMED, TERMS, UCUM, US_CORE, About, Maker, Resource, concept, day, ref
from conformance.us_core.plans import Plan

XHTML = "http://www.w3.org/1999/xhtml"
CATEGORY_SYSTEMS = {
    "vital-signs": f"{TERMS}/observation-category",
    "laboratory": f"{TERMS}/observation-category",
    "social-history": f"{TERMS}/observation-category",
    "survey": f"{TERMS}/observation-category",
    "exam": f"{TERMS}/observation-category",
    "encounter-diagnosis": f"{TERMS}/condition-category",
    "problem-list-item": f"{TERMS}/condition-category",
    "LAB": f"{TERMS}/v2-0074",
    "assess-plan": "http://hl7.org/fhir/us/core/CodeSystem/careplan-category",
    "clinical-note": "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
    "sdoh": "http://hl7.org/fhir/us/core/CodeSystem/us-core-tags",
    "LP29684-5": LOINC,
}


def category(plan: Plan, number: int) -> list[dict[str, Any]]:
    """The category that a profile asks for; another for the record that differs."""
    code = next(iter(plan.parameters["category"].values), "survey") if "category" in plan.parameters else "survey"
    if number:
        return [concept("urn:conformance-kit:category", "other")]
    return [concept(CATEGORY_SYSTEMS.get(code, SNOMED), code)]


def quantity(value: float, unit: str) -> dict[str, Any]:
    """A quantity in UCUM."""
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def _allergy(about: About, _: Plan, number: int) -> Resource:
    clinical, code = (("active", "416098002"), ("resolved", "227493005"))[number]
    return {
        "clinicalStatus": concept(f"{TERMS}/allergyintolerance-clinical", clinical),
        "verificationStatus": concept(f"{TERMS}/allergyintolerance-verification", "confirmed"),
        "code": concept(SNOMED, code),
        "patient": ref(about.patient),
        "reaction": [{"manifestation": [concept(SNOMED, "271807003")]}],
    }


def _care_plan(about: About, plan: Plan, number: int) -> Resource:
    return {
        "text": {"status": "generated", "div": f'<div xmlns="{XHTML}">A plan</div>'},
        "status": ("active", "completed")[number],
        "intent": "plan",
        "category": category(plan, number),
        "subject": ref(about.patient),
        "period": {"start": day(number, time=False), "end": day(number, time=False)},
    }


def _care_team(about: About, _: Plan, number: int) -> Resource:
    role = concept(SNOMED, ("17561000", "106292003")[number])
    return {
        "status": ("active", "inactive")[number],
        "subject": ref(about.patient),
        "participant": [{"role": [role], "member": ref(about.practitioners[number])}],
    }


def _condition(about: About, plan: Plan, number: int) -> Resource:
    asserted = "http://hl7.org/fhir/StructureDefinition/condition-assertedDate"
    return {
        "extension": [{"url": asserted, "valueDateTime": day(number, time=False)}],
        "clinicalStatus": concept(f"{TERMS}/condition-clinical", ("resolved", "inactive")[number]),
        "verificationStatus": concept(f"{TERMS}/condition-ver-status", "confirmed"),
        "category": category(plan, number),
        "code": concept(SNOMED, ("160245001", "38341003")[number]),
        "subject": ref(about.patient),
        "encounter": ref(about.encounters[number]),
        "onsetDateTime": day(number, time=False),
        "abatementDateTime": day(number, time=False),
        "recordedDate": day(number, time=False),
    }


def _encounter(about: About, _: Plan, number: int) -> Resource:
    span = {"start": day(number), "end": day(number).replace("09:", "10:")}
    return {
        "identifier": [about.identifier()],
        "status": ("finished", "cancelled")[number],
        "class": {"system": f"{TERMS}/v3-ActCode", "code": ("AMB", "EMER")[number]},
        "type": [concept(SNOMED, ("185345009", "50849002")[number])],
        "subject": ref(about.patient),
        "participant": [
            {
                "type": [concept(f"{TERMS}/v3-ParticipationType", "PPRF")],
                "period": span,
                "individual": ref(about.practitioners[number]),
            }
        ],
        "period": span,
        "reasonCode": [concept(SNOMED, "404684003")],
        "reasonReference": [ref(diagnosis(about))],
        "hospitalization": {"dischargeDisposition": concept(f"{TERMS}/discharge-disposition", ("home", "exp")[number])},
        "location": [{"location": ref(about.locations[number])}],
        "serviceProvider": ref(about.organization),
    }


def diagnosis(about: About) -> str:
    """A Condition that others give as their reason."""
    return about.once("Condition", code={"text": "Pain"}, subject=ref(about.patient))


def _goal(about: About, _: Plan, number: int) -> Resource:
    return {
        "lifecycleStatus": ("active", "completed")[number],
        "description": concept(SNOMED, ("281004000", "289169006")[number]),
        "subject": ref(about.patient),
        "startDate": day(number, time=False),
        "target": [{"dueDate": day(number, time=False)}],
    }


def _immunization(about: About, _: Plan, number: int) -> Resource:
    return {
        "status": ("completed", "not-done")[number],
        "statusReason": concept(f"{TERMS}/v3-ActReason", "PATOBJ"),
        "vaccineCode": concept("http://hl7.org/fhir/sid/cvx", "207"),
        "patient": ref(about.patient),
        "encounter": ref(about.encounters[0]),
        "occurrenceDateTime": day(number),
        "primarySource": True,
        "location": ref(about.locations[0]),
    }


def _dosage() -> list[dict[str, Any]]:
    return [
        {
            "text": "One a day",
            "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
            "doseAndRate": [{"doseQuantity": quantity(5, "mg")}],
        }
    ]


def _medication(about: About) -> str:
    return about.once("Medication", code=RX[0])


def _order(about: About, type_name: str, **members: Any) -> str:
    """What something was done for."""
    return about.once(type_name, status="active", intent="order", subject=ref(about.patient), **members)


RX = [concept("http://www.nlm.nih.gov/research/umls/rxnorm", code) for code in ("308136", "197361")]


def _medication_request(about: About, _: Plan, number: int) -> Resource:
    adherence = [{"url": "medicationAdherence", "valueCodeableConcept": concept(SNOMED, "1156699004")}]
    return {
        "extension": [{"url": f"{US_CORE}/us-core-medication-adherence", "extension": adherence}],
        "status": ("active", "stopped")[number],
        **({"statusReason": concept(f"{TERMS}/medicationrequest-status-reason", "altchoice")} if number else {}),
        "intent": ("order", "plan")[number],
        "category": [concept(f"{TERMS}/medicationrequest-category", "outpatient")],
        **({"reportedReference": ref(about.practitioners[0])} if number else {"reportedBoolean": False}),
        "medicationReference": ref(_medication(about)),
        "subject": ref(about.patient),
        "encounter": ref(about.encounters[number]),
        "authoredOn": day(number),
        "requester": ref(about.practitioners[0]),
        "reasonCode": [concept(SNOMED, "404684003")],
        "reasonReference": [ref(diagnosis(about))],
        "dosageInstruction": _dosage(),
        "dispenseRequest": {"numberOfRepeatsAllowed": 1, "quantity": quantity(30, "1")},
    }


def _dispense(about: About, _: Plan, number: int) -> Resource:
    return {
        "status": ("completed", "cancelled")[number],
        "medicationReference": ref(_medication(about)),
        "subject": ref(about.patient),
        "context": ref(about.encounters[0]),
        "performer": [{"actor": ref(about.practitioners[0])}],
        "authorizingPrescription": [
            ref(_order(about, "MedicationRequest", medicationReference=ref(_medication(about))))
        ],
        "type": concept(f"{TERMS}/v3-ActCode", ("FF", "RF")[number]),
        "quantity": quantity(30, "1"),
        "whenHandedOver": day(number),
        "dosageInstruction": _dosage(),
    }


def _procedure(about: About, _: Plan, number: int) -> Resource:
    return {
        "status": ("completed", "not-done")[number],
        "basedOn": [ref(_order(about, "ServiceRequest"))],
        "code": concept(SNOMED, ("35637008", "73761001")[number]),
        "subject": ref(about.patient),
        "encounter": ref(about.encounters[0]),
        "performedDateTime": day(number),
        "reasonCode": [concept(SNOMED, "404684003")],
        "reasonReference": [ref(diagnosis(about))],
    }


MAKERS: Mapping[str, Maker] = {
    "AllergyIntolerance": _allergy,
    "CarePlan": _care_plan,
    "CareTeam": _care_team,
    "Condition": _condition,
    "Encounter": _encounter,
    "Goal": _goal,
    "Immunization": _immunization,
    "Medication": lambda _, __, number: {"code": RX[number]},
    "MedicationRequest": _medication_request,
    "MedicationDispense": _dispense,
    "Procedure": _procedure,
}
