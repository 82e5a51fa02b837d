"""Makers of records of people, organizations and places, with the elements that US Core profiles support.

A maker takes what its records are about, the plan, and a number: 0 for the record that is searched, 1 for one that differs
from it in everything that a search can tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.rest_context import RestContext
from conformance.us_core.plans import Plan

US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition"
TERMS = "http://terminology.hl7.org/CodeSystem"
SNOMED, LOINC, UCUM = "http://snomed.info/sct", "http://loinc.org", "http://unitsofmeasure.org"
IDENTIFIERS = "urn:conformance-kit:us-core"
OMB = "urn:oid:2.16.840.1.113883.6.238"

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class About:
    """What records refer to: `Type/id` of each. other: the patient of the records that must not be found."""

    context: RestContext
    patient: str
    other: str
    encounters: tuple[str, str]
    practitioners: tuple[str, str]
    organization: str
    locations: tuple[str, str]

    def identifier(self, words: str = "") -> dict[str, Any]:
        """An identifier that nothing else has."""
        return {"system": IDENTIFIERS, "value": self.context.records.text(words)}

    def once(self, type_name: str, **members: Any) -> str:
        """`Type/id` of something that several records refer to, made by the first that asks."""
        resource = {"resourceType": type_name, **members}
        return self.context.shared(f"us_core.once.{type_name}", lambda it: made_path(it, resource))


def made_path(context: RestContext, resource: Resource) -> str:
    """`Type/id` of a resource that is made now; an id of nothing where the server does not claim to take the type."""
    type_name = resource["resourceType"]
    if context.statement.types and "create" not in context.statement.interactions(type_name):
        return f"{type_name}/none"
    return f"{type_name}/{context.records.create(resource)['id']}"


Maker = Callable[[About, Plan, int], Resource]


def ref(path: str) -> dict[str, str]:
    """A reference."""
    return {"reference": path}


def concept(system: str, code: str, text: str | None = None) -> dict[str, Any]:
    """A CodeableConcept."""
    return {"coding": [{"system": system, "code": code}], **({"text": text} if text else {})}


def day(number: int, time: bool = True) -> str:
    """The day of a record: that with the number 1 comes a year after that with the number 0."""
    return f"202{number + 2}-03-0{number + 4}" + ("T09:00:00Z" if time else "")


def telecom() -> list[dict[str, str]]:
    return [{"system": "phone", "value": "555-0100", "use": "work"}]


def address(number: int) -> dict[str, Any]:
    city, state, code = (("Kitville", "VT", "05401"), ("Otherton", "ME", "04101"))[number]
    return {"line": [f"{number + 1} Kit Street"], "city": city, "state": state, "postalCode": code, "country": "US"}


def _race(name: str, code: str, text: str) -> dict[str, Any]:
    category = {"url": "ombCategory", "valueCoding": {"system": OMB, "code": code, "display": text}}
    return {"url": f"{US_CORE}/us-core-{name}", "extension": [category, {"url": "text", "valueString": text}]}


def patient(about_context: RestContext, number: int) -> Resource:
    """A Patient: those that all records are about are made by this too."""
    family = about_context.records.text(("core", "rest")[number])
    ended = {"end": "2001-01-01"}
    tribe = {"url": "tribalAffiliation", "valueCodeableConcept": concept(f"{TERMS}/v3-TribalEntityUS", "187")}
    return {
        "resourceType": "Patient",
        "extension": [
            _race("race", "2106-3", "White"),
            _race("ethnicity", "2186-5", "Not Hispanic or Latino"),
            {"url": f"{US_CORE}/us-core-tribal-affiliation", "extension": [tribe]},
            {"url": f"{US_CORE}/us-core-birthsex", "valueCode": "F"},
            {"url": f"{US_CORE}/us-core-sex", "valueCode": "248152002"},
        ],
        "identifier": [{"system": IDENTIFIERS, "value": about_context.records.text()}],
        "name": [
            {"use": "official", "family": family, "given": [("Amy", "Zoe")[number], "V."], "suffix": ["PharmD"]},
            {"use": "old", "family": f"{family}-Old", "given": ["A."], "period": ended},
        ],
        "telecom": telecom(),
        "gender": ("female", "male")[number],
        "birthDate": ("1987-02-20", "1954-11-30")[number],
        "deceasedDateTime": ("2024-05-06", "2020-01-02")[number],
        "address": [address(number), {"use": "old", "line": ["3 Past Street"], "period": ended}],
        "communication": [{"language": concept("urn:ietf:bcp:47", "en")}],
    }


def practitioner(context: RestContext, number: int) -> Resource:
    """A Practitioner."""
    return {
        "resourceType": "Practitioner",
        "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": context.records.text()}],
        "name": [{"family": context.records.text(("doc", "nurse")[number]), "given": ["Dana"]}],
        "telecom": telecom(),
        "address": [address(number)],
    }


def organization(context: RestContext, number: int) -> Resource:
    """An Organization."""
    return {
        "resourceType": "Organization",
        "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": context.records.text()}],
        "active": True,
        "name": context.records.text(("clinic", "hospital")[number]),
        "telecom": telecom(),
        "address": [{**address(number), "line": [f"{context.records.text()} Street"]}],
    }


def location(context: RestContext, number: int) -> Resource:
    """A Location."""
    place = context.records.text()
    return {
        "resourceType": "Location",
        "status": "active",
        "identifier": [{"system": IDENTIFIERS, "value": context.records.text()}],
        "name": context.records.text(("ward", "room")[number]),
        "type": [concept(f"{TERMS}/v3-RoleCode", "HOSP")],
        "telecom": telecom(),
        "address": {**address(number), "line": [f"{place} Street"], "city": f"City{place}", "postalCode": place[-8:]},
    }


def _role(about: About, _: Plan, number: int) -> Resource:
    endpoint = about.once(
        "Endpoint",
        status="active",
        connectionType={"system": f"{TERMS}/endpoint-connection-type", "code": "hl7-fhir-rest"},
        payloadType=[{"text": "any"}],
        address="https://example.org/fhir",
    )
    return {
        "practitioner": ref(about.practitioners[number]),
        "organization": ref(about.organization),
        "code": [concept("http://nucc.org/provider-taxonomy", "261QP2300X")],
        "specialty": [concept("http://nucc.org/provider-taxonomy", ("208D00000X", "207R00000X")[number])],
        "location": [ref(about.locations[0])],
        "telecom": telecom(),
        "endpoint": [ref(endpoint)],
    }


def _related(about: About, _: Plan, number: int) -> Resource:
    return {
        "active": True,
        "patient": ref(about.patient),
        "relationship": [concept(f"{TERMS}/v3-RoleCode", "MTH")],
        "name": [{"family": about.context.records.text(("kin", "friend")[number]), "given": ["Rita"]}],
        "telecom": telecom(),
        "address": [address(number)],
    }


def _coverage(about: About, _: Plan, number: int) -> Resource:
    kinds = f"{TERMS}/coverage-class"
    member = {"coding": [{"system": f"{TERMS}/v2-0203", "code": "MB"}]}
    return {
        "identifier": [{**about.identifier(), "type": member}],
        "status": ("active", "cancelled")[number],
        "type": concept("https://nahdo.org/sopt", "512"),
        "subscriberId": "S-1",
        "beneficiary": ref(about.patient),
        "relationship": concept(f"{TERMS}/subscriber-relationship", "self"),
        "period": {"start": day(number, time=False)},
        "payor": [ref(about.organization)],
        "class": [
            {"type": concept(kinds, "group"), "value": "G-1", "name": "Group"},
            {"type": concept(kinds, "plan"), "value": "P-1", "name": "Plan"},
        ],
    }


MAKERS: Mapping[str, Maker] = {
    "Patient": lambda about, _, number: patient(about.context, number),
    "Practitioner": lambda about, _, number: practitioner(about.context, number),
    "Organization": lambda about, _, number: organization(about.context, number),
    "Location": lambda about, _, number: {
        **location(about.context, number),
        "managingOrganization": ref(about.organization),
    },
    "PractitionerRole": _role,
    "RelatedPerson": _related,
    "Coverage": _coverage,
}
