"""What the sign-in, picker and launch pages show of resources, looked up in the store.

The pages decide who may see whom (`smart_auth.people.records.may_see`); here is only how a patient and a visit are found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fhir_server.audit.requests import RequestAudit
from fhir_server.services import Services
from fhir_server.store.reads import read
from fhir_server.store.run_plan import Runner
from resources.primitives import is_id
from resources.raw_json import parse_object
from search.escaping import escaped
from search.plan import plan_order, plan_search
from search.query_text import parse_query
from smart_auth.model import User
from smart_auth.people.records import SHOWN_AT_ONCE, EncounterLine, PatientLine, PatientSearch

Json = dict[str, Any]


class StoredRecords:
    """Patients and encounters of the store."""

    def __init__(self, services: Services, audit: RequestAudit | None = None) -> None:
        """audit: where it is taken down which patients users were shown; None where that is not kept."""
        self._services = services
        self._audit = audit

    def find_patients(self, search: PatientSearch, user: User) -> Sequence[PatientLine]:
        """Patients of whom every word matches, by name."""
        pairs = [("name", escaped(word)) for word in search.names]
        pairs += [("identifier", escaped(text)) for text in search.identifiers]
        if search.birth_date is not None:
            pairs.append(("birthdate", search.birth_date))
        found = self._search("Patient", [*pairs, ("_sort", "family")], SHOWN_AT_ONCE + 1)
        if self._audit is not None:
            self._audit.take_search(user, "Patient", pairs, found)
        return [_patient(tree) for tree in found]

    def patient(self, patient_id: str) -> PatientLine | None:
        """One patient."""
        tree = self._read("Patient", patient_id)
        return None if tree is None else _patient(tree)

    def encounters(self, patient_id: str) -> Sequence[EncounterLine]:
        """The visits of a patient, the most recent first."""
        if not is_id(patient_id):
            return []
        pairs = [("subject", f"Patient/{patient_id}"), ("_sort", "-date")]
        return [_encounter(tree) for tree in self._search("Encounter", pairs, SHOWN_AT_ONCE)]

    def encounter(self, encounter_id: str, patient_id: str) -> EncounterLine | None:
        """One visit of that patient."""
        if not is_id(patient_id) or not is_id(encounter_id):
            return None
        pairs = [("_id", encounter_id), ("subject", f"Patient/{patient_id}")]
        return next((_encounter(tree) for tree in self._search("Encounter", pairs, 1)), None)

    def user_display(self, user: User) -> str | None:
        """The name in the user's own resource."""
        type_name, _, logical_id = (user.fhir_user or "").partition("/")
        tree = self._read(type_name, logical_id) if logical_id else None
        return None if tree is None else _name(tree) or None

    def _read(self, type_name: str, logical_id: str) -> Json | None:
        stored = read(self._services.database, type_name, logical_id) if is_id(logical_id) else None
        return None if stored is None or stored.raw is None else parse_object(stored.raw)[1]

    def _search(self, type_name: str, pairs: list[tuple[str, str]], limit: int) -> list[Json]:
        context = self._services.context()
        query = parse_query(pairs, type_name, catalogue=context.catalogue)
        runner = Runner(self._services.database, self._services.limits)
        order = plan_order(type_name, query.sort, context.catalogue)
        page = runner.page(plan_search(type_name, query, context), limit, order)
        return [parse_object(match.stored.raw)[1] for match in page.matches if match.stored.raw is not None]


def _patient(tree: Json) -> PatientLine:
    identifiers = [item for item in tree.get("identifier", ()) if "value" in item]
    of_record = [item for item in identifiers if _codes(item.get("type", {})) & {"MR"}] or identifiers
    identifier = of_record[0]["value"] if of_record else None
    return PatientLine(
        tree["id"], _name(tree) or "Without a name", tree.get("birthDate"), tree.get("gender"), identifier
    )


def _name(tree: Json) -> str:
    names = [name for name in tree.get("name", ()) if isinstance(name, dict)]
    if not names:
        return ""
    name = next((each for each in names if each.get("use") in ("official", "usual")), names[0])
    parts = [*(given for given in name.get("given", ()) if given), name.get("family")]
    return name.get("text") or " ".join(part for part in parts if part)


def _encounter(tree: Json) -> EncounterLine:
    period = tree.get("period", {})
    kinds = [_words(concept) for concept in tree.get("type", ())] + [tree["class"].get("display") or "Visit"]
    reasons = [_words(concept) for concept in tree.get("reasonCode", ())]
    places = [place["location"].get("display") for place in tree.get("location", ()) if "location" in place]
    return EncounterLine(
        tree["id"],
        next((kind for kind in kinds if kind), "Visit"),
        tree["status"],
        period.get("start"),
        period.get("end"),
        next((reason for reason in reasons if reason), None),
        next((place for place in places if place), None),
    )


def _words(concept: Json) -> str | None:
    texts = [concept.get("text"), *(coding.get("display") for coding in concept.get("coding", ()))]
    return next((text for text in texts if text), None)


def _codes(concept: Json) -> set[str]:
    return {coding["code"] for coding in concept.get("coding", ()) if "code" in coding}
