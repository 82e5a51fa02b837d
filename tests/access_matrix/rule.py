"""Who may do what with which resource, by brute force on plain JSON: what every answer of the server is held against.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html

Written from the requirements alone, and apart from the implementation:

- A scope allows its letters for its type: c create, r read, u update, d delete, s search.
- A patient/ scope reaches the compartment of the token's patient, if that is one whom the user may act for.
- A user/ scope reaches what its user may: practitioners and administrators all, patients and relatives their compartments.
- A system/ scope reaches all.
- Whoever is bound to compartments may also read and search the directory, and nothing else outside of them.
- They write what is in their compartments and in nobody else's. They make and delete no Patients.
- A constraint holds for what is read and for what is written.
- What the server is defined by is written by administrators, or where a system/ scope names its type. What the server
  records of accesses is read by administrators.
- `fhirUser` lets the user's own resource be read.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.access_matrix.compartments import Compartments, Json

LETTERS = {"read": "rs", "write": "cud", "*": "cruds"}
DIRECTORY = {"Practitioner", "PractitionerRole", "Organization", "Location", "Medication", "Endpoint"}
DEFINING = {
    "SearchParameter",
    "StructureDefinition",
    "OperationDefinition",
    "CompartmentDefinition",
    "CapabilityStatement",
}
RECORDS = {"AuditEvent"}
BOUND = ("patient", "related-person")


@dataclass(frozen=True)
class Scope:
    """A scope as data. category: (system, code) that it is limited to."""

    level: str
    type: str
    letters: str
    category: tuple[str, str] | None = None


@dataclass(frozen=True)
class Holder:
    """Who holds a token: the role of its user (None without one), the user's own resource and patients, the patient of the
    launch, and the scopes."""

    role: str | None
    own: str | None
    patients: tuple[str, ...]
    launched_for: str | None
    scopes: tuple[Scope, ...]
    tells_user: bool


def scopes_of(text: str) -> tuple[Scope, ...]:
    """The resource scopes in a scope parameter, of which only what these tests use is understood."""
    found = []
    for part in text.split():
        if "/" not in part or part.startswith("launch"):
            continue
        level, _, rest = part.partition("/")
        rest, _, constraint = rest.partition("?")
        type_name, _, letters = rest.partition(".")
        system, _, code = constraint.removeprefix("category=").partition("|")
        found.append(Scope(level, type_name, LETTERS.get(letters, letters), (system, code) if constraint else None))
    return tuple(found)


class Rule:
    """The rule for the data of a run."""

    def __init__(self, compartments: Compartments) -> None:
        self._compartments = compartments

    def can(self, holder: Holder, letter: str, type_name: str) -> bool:
        """Whether anything at all of a type may be meant; if not, the answer is 403 whatever is there."""
        if letter == "r" and self._is_own(holder, type_name):
            return True
        return any(
            self._reach(holder, scope, letter, type_name) is not None for scope in _covering(holder, letter, type_name)
        )

    def may(self, holder: Holder, letter: str, resource: Json) -> bool:
        """Whether this may be done with a resource as it is here."""
        type_name = resource["resourceType"]
        if letter == "r" and holder.tells_user and holder.own == f"{type_name}/{resource.get('id')}":
            return True
        return any(
            self._reaches(holder, scope, letter, resource) and _is_of_category(resource, scope.category)
            for scope in _covering(holder, letter, type_name)
        )

    def may_all(self, holder: Holder, letter: str, type_name: str) -> bool:
        """Whether this may be done with every resource of a type, deleted ones included, of which nothing is known."""
        return any(
            scope.category is None and self._reach(holder, scope, letter, type_name) == "all"
            for scope in _covering(holder, letter, type_name)
        )

    def _is_own(self, holder: Holder, type_name: str) -> bool:
        return holder.tells_user and (holder.own or "").partition("/")[0] == type_name

    def _reach(self, holder: Holder, scope: Scope, letter: str, type_name: str) -> str | None:
        """How far a scope reaches: `all` resources of a type, `some`, or None."""
        reads = letter in "rs"
        if type_name in RECORDS:
            return "all" if scope.level == "user" and holder.role == "administrator" and reads else None
        if scope.level == "system":
            return "all" if reads or type_name not in DEFINING or scope.type == type_name else None
        if scope.level == "user" and holder.role == "administrator":
            return "all"
        if scope.level == "user" and holder.role == "practitioner":
            return "all" if reads or type_name not in DEFINING else None
        if not _patients(holder, scope):
            return None
        if self._compartments.has(type_name):
            return None if type_name == "Patient" and letter in "cd" else "some"
        return "all" if type_name in DIRECTORY and reads else None

    def _reaches(self, holder: Holder, scope: Scope, letter: str, resource: Json) -> bool:
        reach = self._reach(holder, scope, letter, resource["resourceType"])
        if reach != "some":
            return reach == "all"
        patients, concerned = set(_patients(holder, scope)), self._compartments.of(resource)
        if letter in "rs":
            return bool(patients & concerned)
        if resource["resourceType"] == "Patient" and resource.get("id") not in patients:
            return False
        return bool(concerned) and concerned <= patients


def _covering(holder: Holder, letter: str, type_name: str) -> list[Scope]:
    return [scope for scope in holder.scopes if letter in scope.letters and scope.type in (type_name, "*")]


def _patients(holder: Holder, scope: Scope) -> tuple[str, ...]:
    """The patients to whose compartments a scope is bound."""
    if scope.level == "user":
        return holder.patients if holder.role in BOUND else ()
    if scope.level != "patient" or holder.launched_for is None:
        return ()
    is_theirs = holder.role not in BOUND or holder.launched_for in holder.patients
    return (holder.launched_for,) if is_theirs else ()


def _is_of_category(resource: Json, category: tuple[str, str] | None) -> bool:
    if category is None:
        return True
    return any(
        (coding.get("system"), coding.get("code")) == category
        for each in resource.get("category", [])
        for coding in each.get("coding", [])
    )
