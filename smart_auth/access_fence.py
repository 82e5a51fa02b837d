"""Access → fence: what the scopes of a token, its launch context and the rights of its user allow, type by type.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html

A scope allows what its level allows, cut down by its constraint; several scopes allow what any of them does. What is not
allowed by a rule here is denied.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

from resources.definitions import compartment_parameters
from resources.problem import Problem
from search.context import Context
from search.entry_text import HIGHEST, Filter, all_of, any_of, equal_to
from search.fence import Fence, Letter
from search.index_values import compartment_entry
from search.plan import plan_search
from search.query_text import parse_query
from smart_auth.model import Access, Role
from smart_auth.scopes import EVERY_TYPE, FHIR_USER, ResourceScope, parse

DIRECTORY = frozenset({"Practitioner", "PractitionerRole", "Organization", "Location", "Medication", "Endpoint"})
"""Types that belong to nobody's compartment and that patients' apps need to make sense of a record; read-only for them."""

ADMINISTRATORS_ONLY = frozenset({"AuditEvent"})
"""Types that only administrators may read, and nobody may write: the server itself writes them."""

SERVER_DEFINING = frozenset(
    {"SearchParameter", "StructureDefinition", "OperationDefinition", "CompartmentDefinition", "CapabilityStatement"}
)
"""Types whose resources change what the server does; users write them only as administrators."""

READING: frozenset[Letter] = frozenset({"r", "s"})


def fence_for(access: Access, base_url: str) -> Fence:
    """The fence of an access. base_url: of the FHIR API."""
    context = access.context
    return _fence(access.scope, context.patient, access.role, access.fhir_user, access.patients, base_url)


@lru_cache(maxsize=2048)
def _fence(
    scope: str, patient: str | None, role: Role | None, fhir_user: str | None, patients: tuple[str, ...], base_url: str
) -> Fence:
    return AccessFence(scope, patient, role, fhir_user, patients, base_url)


class AccessFence:
    """What a token allows. The arguments are those of `Access`; patient: of the launch context."""

    def __init__(
        self,
        scope: str,
        patient: str | None,
        role: Role | None,
        fhir_user: str | None,
        patients: tuple[str, ...],
        base_url: str,
    ) -> None:
        read = parse(scope)
        self._scopes = read.resources
        self._patient = patient
        self._role = role
        self._patients = patients
        self._own = fhir_user if FHIR_USER in read.others else None
        self._base_url = base_url
        self._known: dict[tuple[str, Letter], Filter | None] = {}

    def within(self, type_name: str, letter: Letter) -> Filter | None:
        """The filter for resources of a type with which this may be done: empty for all of them, None for none at all."""
        key = (type_name, letter)
        if key not in self._known:
            self._known[key] = self._within(type_name, letter)
        return self._known[key]

    def _within(self, type_name: str, letter: Letter) -> Filter | None:
        allowed = [
            filter_
            for scope in self._scopes
            if letter in scope.letters and scope.type in (type_name, EVERY_TYPE)
            if (filter_ := self._of_scope(scope, type_name, letter)) is not None
        ]
        own_type, _, own_id = (self._own or "").partition("/")
        if own_type == type_name and letter == "r":
            # Whoever learns who the user is may read that resource, whatever else is granted.
            allowed.append({"_id": own_id})
        if not allowed:
            return None
        return {} if {} in allowed else any_of(allowed)

    def _of_scope(self, scope: ResourceScope, type_name: str, letter: Letter) -> Filter | None:
        level = self._of_level(scope, type_name, letter)
        if level is None:
            return None
        constraint = self._of_constraint(scope, type_name)
        if constraint is None:
            return None
        return all_of([part for part in (level, constraint) if part]) if level or constraint else {}

    def _of_level(self, scope: ResourceScope, type_name: str, letter: Letter) -> Filter | None:
        if type_name in ADMINISTRATORS_ONLY:
            is_allowed = scope.level == "user" and self._role == "administrator" and letter in READING
            return {} if is_allowed else None
        if scope.level == "patient":
            is_theirs = self._role not in ("patient", "related-person") or self._patient in self._patients
            return _of_patients([self._patient] if self._patient and is_theirs else [], type_name, letter)
        if scope.level == "user":
            return self._of_user(type_name, letter)
        # A client of its own: its registration has decided, though what changes the server must be named there.
        return {} if letter in READING or type_name not in SERVER_DEFINING or scope.type == type_name else None

    def _of_user(self, type_name: str, letter: Letter) -> Filter | None:
        match self._role:
            case "administrator":
                return {}
            case "practitioner":
                return {} if letter in READING or type_name not in SERVER_DEFINING else None
            case "patient" | "related-person":
                return _of_patients(list(self._patients), type_name, letter)
            case _:
                return None

    def _of_constraint(self, scope: ResourceScope, type_name: str) -> Filter | None:
        """The filter of a scope's constraint, empty without one; None where it cannot be expressed, which denies."""
        if not scope.constraint:
            return {}
        try:
            return plan_search(type_name, parse_query(scope.constraint, type_name), Context(self._base_url)).filter
        except Problem:
            return None


def _of_patients(patients: list[str], type_name: str, letter: Letter) -> Filter | None:
    """What may be done with a type by those who speak for some patients."""
    if type_name != "Patient" and type_name not in compartment_parameters("Patient"):
        return {} if patients and type_name in DIRECTORY and letter in READING else None
    if not patients or (type_name == "Patient" and letter in ("c", "d")):
        return None
    entries = sorted(compartment_entry("Patient", patient) for patient in patients)
    if letter in READING:
        return equal_to(*entries)
    # An update may create what it names, and a Patient that links to theirs would be in their compartment.
    own: Filter = {"_id": {"$in": sorted(patients)}} if type_name == "Patient" else equal_to(*entries)
    return all_of([own, {"$nor": _beside(entries)}])


def _beside(entries: list[str]) -> list[Filter]:
    """Filters that select what is in the compartment of any other patient; entries: of these patients, in order.

    Many types name several people. What is in somebody else's record as well is not theirs alone to write.
    """
    start = compartment_entry("Patient", "")
    bounds = [start, *entries, start + HIGHEST]
    return [{"k": {"$elemMatch": {"$gt": low, "$lt": high}}} for low, high in pairwise(bounds)]
