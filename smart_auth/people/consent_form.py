"""What a user is asked to agree to, as groups of choices, and the scope that their ticks leave. Pure.

https://hl7.org/fhir/smart-app-launch/STU2.2/best-practices.html

The value of each checkbox is the scope that it stands for. What comes back counts only if it was on the form.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from smart_auth.people.scope_words import CATEGORIES, KINDS, OTHERS, action_of, capital, parts_of, thing
from smart_auth.people.type_words import TYPE_WORDS
from smart_auth.scopes import (
    EVERY_TYPE,
    FHIR_USER,
    LAUNCH,
    OFFLINE,
    ONLINE,
    OPENID,
    PROFILE,
    ResourceScope,
    Scopes,
    granted,
    parse,
    spelled,
)

IDENTITY = (OPENID, FHIR_USER, PROFILE)
# Offered in place of "everything": what most people know of their records.
COMMON_TYPES = (
    "Patient",
    "AllergyIntolerance",
    "Appointment",
    "CarePlan",
    "CareTeam",
    "Condition",
    "Coverage",
    "DiagnosticReport",
    "DocumentReference",
    "Encounter",
    "Goal",
    "Immunization",
    "MedicationRequest",
    "Observation",
    "Procedure",
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A checkbox. scope: what it stands for; parts: smaller choices that count where this one is not ticked."""

    scope: str
    label: str
    parts: tuple[Choice, ...] = ()
    parts_label: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Choices with the same action on the same people's records. level: `patient` or `user`; kind: of KINDS."""

    level: str
    kind: str
    action: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class ConsentForm:
    """All that is asked. identity, others: choices beside the records; offline, online: how long the app stays.

    context: scopes that say what the user has chosen before and so are not asked about again.
    """

    groups: tuple[Group, ...]
    identity: Choice | None
    others: tuple[Choice, ...]
    offline: Choice | None
    online: Choice | None
    context: tuple[str, ...]

    def choices(self) -> list[Choice]:
        """Every checkbox of the form, parts included."""
        found = [choice for group in self.groups for choice in group.choices]
        found += [choice for choice in (self.identity, *self.others, self.offline, self.online) if choice is not None]
        return [each for choice in found for each in (choice, *choice.parts)]

    def agreed(self, scope: str, ticked: Iterable[str]) -> str:
        """What is granted of the scope that the form was made of; "" if nothing is but to stay, or the context."""
        valid = {choice.scope for choice in self.choices()} & set(ticked)
        if valid <= {OFFLINE, ONLINE}:
            return ""
        return granted(scope, " ".join([*_together(parse(" ".join(sorted(valid)))), *self.context])).scope


def _together(scopes: Scopes) -> list[str]:
    """Scopes as texts, those that differ in their letters alone as one: clients get the shortest form."""
    merged: dict[ResourceScope, frozenset[str]] = {}
    for each in scopes.resources:
        same = replace(each, letters=frozenset(), spelling="")
        merged[same] = merged.get(same, frozenset()) | each.letters
    return [*(spelled(replace(each, letters=letters)) for each, letters in merged.items()), *scopes.others]


def consent_form(scope: str) -> ConsentForm:
    """The form for a scope parameter that the client may have."""
    asked = parse(scope)
    identity = [name for name in IDENTITY if name in asked.others]
    context = tuple(name for name in asked.others if name == LAUNCH or name.startswith("launch/"))
    told = {*IDENTITY, OFFLINE, ONLINE, *context}
    return ConsentForm(
        groups=tuple(_groups(asked.resources)),
        identity=Choice(" ".join(identity), _identity_label(identity)) if identity else None,
        others=tuple(Choice(name, name) for name in asked.others if name not in told),
        offline=Choice(OFFLINE, OTHERS[OFFLINE]) if OFFLINE in asked.others else None,
        online=Choice(ONLINE, OTHERS[ONLINE]) if ONLINE in asked.others else None,
        context=context,
    )


def _identity_label(names: list[str]) -> str:
    if FHIR_USER in names:
        return "Your name, and which record here is your own"
    return "Your name" if PROFILE in names else "That it is you who signed in"


def _groups(scopes: tuple[ResourceScope, ...]) -> Iterable[Group]:
    merged: dict[tuple[str, str], dict[tuple[str, tuple[tuple[str, str], ...]], ResourceScope]] = {}
    for scope in scopes:
        for part in parts_of(scope):
            kind = next(kind for kind in KINDS if part.letters <= frozenset(kind))
            rows = merged.setdefault((part.level, kind), {})
            same = rows.get((part.type, part.constraint))
            letters = part.letters | (same.letters if same else frozenset())
            rows[part.type, part.constraint] = replace(part, letters=letters)
    for level in ("patient", "user"):
        for kind in KINDS:
            if found := merged.get((level, kind)):
                yield _group(level, kind, list(found.values()))


def _group(level: str, kind: str, parts: list[ResourceScope]) -> Group:
    actions = {action_of(part) for part in parts}
    action = actions.pop() if len(actions) == 1 else {"rs": "See", "cu": "Add or change"}[kind]
    everything = next((part for part in parts if part.type == EVERY_TYPE and not part.constraint), None)
    if everything is not None:
        named = [part for part in parts if part is not everything]
        common = [replace(everything, type=name) for name in COMMON_TYPES]
        smaller = {(part.type, part.constraint): part for part in [*common, *named]}
        choice = Choice(
            spelled(everything),
            capital(thing(everything)),
            tuple(sorted((_choice(part, action, with_parts=False) for part in smaller.values()), key=_order)),
            "only some kinds of records",
        )
        return Group(level, kind, action, (choice,))
    with_parts = kind == "rs"
    return Group(level, kind, action, tuple(sorted((_choice(part, action, with_parts) for part in parts), key=_order)))


def _choice(part: ResourceScope, action: str, with_parts: bool) -> Choice:
    label = capital(thing(part))
    if action_of(part) != action:
        label += f" ({action_of(part).lower()})"
    smaller: tuple[Choice, ...] = ()
    if with_parts and not part.constraint:
        limited = [replace(part, constraint=(("category", value),)) for value in CATEGORIES.get(part.type, {})]
        smaller = tuple(Choice(spelled(each), capital(thing(each))) for each in limited)
    return Choice(spelled(part), label, smaller, "only some of these" if smaller else "")


def _order(choice: Choice) -> tuple[bool, str]:
    return choice.label != capital(TYPE_WORDS["Patient"]), choice.label
