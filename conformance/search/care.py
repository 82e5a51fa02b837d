"""The care of the population that is searched: visits, measurements, risks. References are `Type/key`."""

from __future__ import annotations

from typing import Any

from conformance.search.people import MRN, Resource

LOINC, SNOMED, UCUM = "http://loinc.org", "http://snomed.info/sct", "http://unitsofmeasure.org"
ACT_CODES = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CATEGORIES = "http://terminology.hl7.org/CodeSystem/observation-category"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
WEIGHT = {
    "coding": [{"system": LOINC, "code": "29463-7", "display": "Body weight"}],
    "text": "Weight of the body",
}


def care() -> dict[str, Resource]:
    """Key → resource, each after those that it refers to."""
    return {
        **_encounters(),
        **_observations(),
        **_conditions(),
        "pills": {
            "resourceType": "Medication",
            "code": {"coding": [{"system": SNOMED, "code": "387207008", "display": "Ibuprofen"}]},
        },
        "m_code": _request("anna", medicationCodeableConcept={"text": "Drops"}, status="active"),
        "m_ref": _request("bob", medicationReference={"reference": "Medication/pills"}, status="completed"),
        "r_half": _risk("anna", 0.5),
        "r_more": _risk("bob", 0.54),
        "r_high": _risk("carl", 0.8),
        "listed": {
            "resourceType": "List",
            "status": "current",
            "mode": "working",
            "entry": [{"item": {"reference": "Patient/anna"}}, {"item": {"reference": "Patient/bob"}}],
        },
    }


def _encounters() -> dict[str, Resource]:
    done = _encounter("finished", "AMB", "anna", {"start": "2024-03-01T09:00:00Z", "end": "2024-03-01T10:00:00Z"})
    done["subject"]["identifier"] = {"system": MRN, "value": "A-1"}
    done["serviceProvider"] = {"reference": "Organization/ward"}
    done["location"] = [{"location": {"reference": "Location/room"}}]
    done["participant"] = [{"individual": {"reference": "Practitioner/gp"}}]
    return {
        "e_done": done,
        "e_open": _encounter("in-progress", "IMP", "bob", {"start": "2024-03-10"}),
        "e_past": _encounter("finished", "AMB", "anna", {"end": "2024-02-01"}),
        "e_none": {**_encounter("cancelled", "EMER", "carl"), "partOf": {"reference": "Encounter/e_open"}},
    }


def _encounter(status: str, kind: str, patient: str, period: dict[str, str] | None = None) -> Resource:
    return {
        "resourceType": "Encounter",
        "status": status,
        "class": {"system": ACT_CODES, "code": kind},
        "subject": {"reference": f"Patient/{patient}"},
        **({"period": period} if period else {}),
    }


def _observations() -> dict[str, Resource]:
    snomed_weight = {**WEIGHT, "coding": [*WEIGHT["coding"], {"system": SNOMED, "code": "27113001"}]}
    pressure = [
        {"code": {"coding": [{"system": LOINC, "code": code}]}, "valueQuantity": _quantity(value, "mm[Hg]")}
        for code, value in (("8480-6", 120), ("8462-4", 80))
    ]
    return {
        "o_kg": _observation(
            "anna",
            snomed_weight,
            "2024-05-01T00:30:00+01:00",
            valueQuantity=_quantity(70, "kg"),
            encounter={"reference": "Encounter/e_done"},
            performer=[{"reference": "Practitioner/gp"}],
            category=[{"coding": [{"system": CATEGORIES, "code": "vital-signs"}]}],
        ),
        "o_70": _observation("bob", WEIGHT, "2024-03-12", valueQuantity=_quantity(70.4, "kg")),
        "o_lb": _observation("carl", WEIGHT, "2024-03", valueQuantity=_quantity(10, "[lb_av]"), status="amended"),
        "o_bp": _observation(
            "anna", {"coding": [{"system": LOINC, "code": "85354-9"}]}, "2024-05-02T10:00:00Z", component=pressure
        ),
        "o_mmol": _observation(
            "dora",
            {"coding": [{"system": LOINC, "code": "2339-0"}]},
            "2023-01-01",
            valueQuantity={"value": 6.3, "unit": "mmol/L"},
        ),
        "o_text": _observation("bob", {"coding": [{"code": "29463-7x"}]}, None, valueString="Positive at last"),
        "o_concept": _observation(
            "carl",
            {"coding": [{"system": LOINC, "code": "882-1"}]},
            "2022-07-15",
            valueCodeableConcept={"coding": [{"system": SNOMED, "code": "112144000"}]},
            hasMember=[{"reference": "Observation/o_kg"}],
        ),
    }


def _observation(patient: str, code: dict[str, Any], when: str | None, **members: Any) -> Resource:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": code,
        "subject": {"reference": f"Patient/{patient}"},
        **({"effectiveDateTime": when} if when else {}),
        **members,
    }


def _quantity(value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def _conditions() -> dict[str, Resource]:
    def condition(patient: str, clinical: str, **members: Any) -> Resource:
        status = {"coding": [{"system": CLINICAL, "code": clinical}]}
        subject = {"reference": f"Patient/{patient}"}
        return {"resourceType": "Condition", "clinicalStatus": status, "subject": subject, **members}

    return {
        "c_active": condition("anna", "active", onsetDateTime="2020-05-01", code={"text": "Cough"}),
        "c_over": condition(
            "bob", "resolved", onsetPeriod={"start": "2019-01-01", "end": "2019-03-31"}, code={"text": "Cold"}
        ),
    }


def _request(patient: str, **members: Any) -> Resource:
    return {
        "resourceType": "MedicationRequest",
        "intent": "order",
        "subject": {"reference": f"Patient/{patient}"},
        "authoredOn": "2024-03-01",
        **members,
    }


def _risk(patient: str, probability: float) -> Resource:
    return {
        "resourceType": "RiskAssessment",
        "status": "final",
        "subject": {"reference": f"Patient/{patient}"},
        "prediction": [{"probabilityDecimal": probability}],
    }
