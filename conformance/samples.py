"""Small valid resources that checks write, of the types that most servers have; each with an identifier of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from conformance.check import Checks, Failure
from conformance.rest_context import RestContext
from conformance.statement import interaction

TYPES = ("Patient", "Encounter", "Appointment", "MedicationRequest", "Observation")
IDENTIFIERS = "urn:conformance-kit:identifier"
EXTENSION = "urn:conformance-kit:extension"


def sample(context: RestContext, type_name: str = "Patient", **members: Any) -> dict[str, Any]:
    """A valid resource of one of TYPES. members: in place of the usual ones, or besides them."""
    resource = {
        "resourceType": type_name,
        "language": "en",
        "identifier": [{"system": IDENTIFIERS, "value": context.records.text()}],
        **_OF_TYPES[type_name](context),
        **members,
    }
    return {name: value for name, value in resource.items() if value is not None}


def text_with_decimals(context: RestContext, *decimals: str, **members: Any) -> str:
    """A Patient with the tag of the run as JSON, in whose extensions decimals are spelled as they are given here."""
    resource = context.records.tagged(sample(context, extension="HERE", **members))
    extensions = ",".join(f'{{"url":"{EXTENSION}","valueDecimal":{decimal}}}' for decimal in decimals)
    return json.dumps(resource).replace('"HERE"', f"[{extensions}]")


def identifier_of(resource: Mapping[str, Any]) -> str:
    """The search for a sample: `identifier=system|value`. Raises a Failure where the server lost it."""
    values = [each.get("value") for each in resource.get("identifier", []) if each.get("system") == IDENTIFIERS]
    if not values:
        raise Failure(f"A {resource.get('resourceType')} has lost its identifier.")
    return f"identifier={IDENTIFIERS}|{values[0]}"


def new_id(context: RestContext) -> str:
    """A logical id that nothing has."""
    return context.records.text("ck-")


def subject(context: RestContext) -> dict[str, str]:
    """A reference to a Patient that the samples share."""
    made = context.shared("samples.patient", lambda it: it.records.create(sample(it, "Patient")))
    return {"reference": f"Patient/{made['id']}"}


def snake_case(type_name: str) -> str:
    """`MedicationRequest` → `medication_request`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type_name).lower()


def of_each_type(
    checks: Checks, id: str, sentence: str, clause: str, *codes: str
) -> Callable[[Callable[[RestContext, str], None]], Callable[[RestContext, str], None]]:
    """A decorator that makes a check for each of TYPES of a function that takes the context and the type.

    sentence: with `{type}`. codes: the interactions with the type that the check needs.
    """

    def one(run: Callable[[RestContext, str], None], type_name: str) -> None:
        claims = [interaction(code, type_name) for code in codes]
        words = sentence.replace("{type}", type_name)
        checks(f"{id}_{snake_case(type_name)}", words, clause, *claims)(lambda context: run(context, type_name))

    def add(run: Callable[[RestContext, str], None]) -> Callable[[RestContext, str], None]:
        for type_name in TYPES:
            one(run, type_name)
        return run

    return add


def _patient(_: RestContext) -> dict[str, Any]:
    return {
        "active": True,
        "name": [{"family": "Kit", "given": ["Anna"]}],
        "gender": "female",
        "birthDate": "1970-01-31",
    }


def _encounter(context: RestContext) -> dict[str, Any]:
    acts = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    return {
        "status": "in-progress",
        "class": {"system": acts, "code": "AMB", "display": "ambulatory"},
        "subject": subject(context),
        "period": {"start": "2024-03-01T09:00:00Z"},
    }


def _appointment(context: RestContext) -> dict[str, Any]:
    return {
        "status": "proposed",
        "description": "A talk",
        "participant": [{"actor": subject(context), "status": "accepted"}],
    }


def _medication_request(context: RestContext) -> dict[str, Any]:
    return {
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": "Something to take"},
        "subject": subject(context),
        "authoredOn": "2024-03-01",
    }


def _observation(context: RestContext) -> dict[str, Any]:
    return {
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7", "display": "Body weight"}]},
        "subject": subject(context),
        "effectiveDateTime": "2024-03-01T09:00:00Z",
        "valueQuantity": {"value": 70, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
    }


_OF_TYPES: dict[str, Callable[[RestContext], dict[str, Any]]] = {
    "Patient": _patient,
    "Encounter": _encounter,
    "Appointment": _appointment,
    "MedicationRequest": _medication_request,
    "Observation": _observation,
}
