"""The operations: what each takes and gives, where and by which methods it is asked for. Routes and CapabilityStatement are
built from this, and so are the OperationDefinitions that the server holds itself.

https://hl7.org/fhir/R4/operations.html and https://hl7.org/fhir/R4/operationdefinition.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final, Literal

from resources.definitions import OperationFacts, OperationParameter, operation_facts, type_facts

Effect = Literal["reads", "changes"]
READING: Final = "reads"
WRITING: Final = "changes"

EVERY_TYPE = "Resource"


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation as it is served.

    handler: what answers it, the name of the interaction. type: the one that it is for; None for all.
    unserved: parameters of its definition that are refused, because to pass over them would make the answer wrong.
    """

    handler: str
    facts: OperationFacts
    type: str | None
    levels: tuple[str, ...]
    effect: Effect
    summary: str
    success: tuple[int, ...] = (200,)
    unserved: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """As in an address, without the `$`."""
        return self.facts.code

    @property
    def changes(self) -> bool:
        """Whether it changes what is stored."""
        return self.effect == "changes"

    @property
    def methods(self) -> tuple[str, ...]:
        """By which it is asked for: by GET where nothing is changed, and nothing is needed that a query cannot hold.

        https://hl7.org/fhir/R4/operations.html#executing
        """
        needed = [each.type for each in self.facts.inputs().values() if each.min]
        is_simple = all(name is not None and type_facts(name).kind == "primitive" for name in needed)
        return ("GET", "POST") if is_simple and not self.changes else ("POST",)

    def url(self, base_url: str) -> str:
        """Its canonical URL; that of an operation of ours is below the FHIR base."""
        return self.facts.url or f"{base_url}/OperationDefinition/{self.facts.id}"

    def paths(self) -> Iterator[tuple[str, str]]:
        """Level and address below the FHIR base, with `{type}` and `{id}`."""
        type_name = self.type or "{type}"
        for level in self.levels:
            place = {"system": "", "type": f"/{type_name}", "instance": f"/{type_name}/{{id}}"}[level]
            yield level, f"{place}/${self.name}"


def _input(name: str, type_name: str) -> OperationParameter:
    return OperationParameter(name, "in", 0, 1, type_name)


def _output(name: str, type_name: str | None, least: int, most: int | None = 1) -> OperationParameter:
    return OperationParameter(name, "out", least, most, type_name)


EXPUNGE = OperationFacts(
    "expunge",
    "",
    "expunge",
    (EVERY_TYPE,),
    ("type", "instance"),
    (
        _input("limit", "positiveInt"),
        _input("expungeDeletedResources", "boolean"),
        _input("expungePreviousVersions", "boolean"),
        _output("count", "integer", 1),
    ),
)
REINDEX = OperationFacts(
    "reindex",
    "",
    "reindex",
    (EVERY_TYPE,),
    ("system", "type"),
    (
        _output("status", "code", 1),
        _output("total", "integer", 1),
        _output("done", "integer", 1),
        _output("failed", "integer", 1),
        _output("waiting", "code", 0, None),
        _output("started", "instant", 0),
        _output("finished", "instant", 0),
        OperationParameter(
            "searchParameter",
            "out",
            0,
            None,
            None,
            (
                _output("url", "uri", 1),
                _output("status", "code", 1),
                _output("code", "code", 0),
                _output("reason", "string", 0),
            ),
        ),
    ),
)

_AS_OF = frozenset({"date"})
_IN_CONTEXT = _AS_OF | {"context"}
_OTHER_EXPANSION = _IN_CONTEXT | {
    "contextDirection",
    "designation",
    "exclude-system",
    "system-version",
    "check-system-version",
    "force-system-version",
}


def _official(
    handler: str,
    identifier: str,
    levels: tuple[str, ...],
    effect: Effect,
    summary: str,
    unserved: frozenset[str] = frozenset(),
) -> Operation:
    facts = operation_facts()[identifier]
    of = facts.resource[0]
    at = None if of == EVERY_TYPE or levels == ("system",) else of
    return Operation(handler, facts, at, levels, effect, summary, unserved=unserved)


_ALL = ("system", "type", "instance")
_TYPE, _INSTANCE, _BOTH = ("type",), ("instance",), ("type", "instance")


@cache
def operations() -> tuple[Operation, ...]:
    """All operations that are served."""
    return (
        _official("everything", "Patient-everything", _INSTANCE, READING, "The whole record of a patient"),
        _official("everything", "Encounter-everything", _INSTANCE, READING, "All that belongs to an encounter"),
        _official("meta", "Resource-meta", _ALL, READING, "Profiles, tags and security labels that are in use"),
        _official("meta_add", "Resource-meta-add", _INSTANCE, WRITING, "Add profiles, tags and security labels"),
        _official("meta_delete", "Resource-meta-delete", _INSTANCE, WRITING, "Take profiles, tags and labels away"),
        _official("match", "Patient-match", _TYPE, READING, "Patients who may be the one described"),
        _official("expand", "ValueSet-expand", _BOTH, READING, "The codes of a value set", _OTHER_EXPANSION),
        _official(
            "validate_code", "ValueSet-validate-code", _BOTH, READING, "Whether a code is in a value set", _IN_CONTEXT
        ),
        _official(
            "validate_code", "CodeSystem-validate-code", _BOTH, READING, "Whether a code is in a code system", _AS_OF
        ),
        _official("lookup", "CodeSystem-lookup", _TYPE, READING, "What is known of a code", _AS_OF),
        _official(
            "versions", "CapabilityStatement-versions", ("system",), READING, "The versions of FHIR that are served"
        ),
        _official("validate", "Resource-validate", _BOTH, READING, "All that is wrong with a resource"),
        Operation("expunge", EXPUNGE, None, _BOTH, WRITING, "Remove old versions for good"),
        Operation("reindex", REINDEX, None, ("system", "type"), WRITING, "Index resources anew", (202,)),
    )


@cache
def reading_operations() -> frozenset[str]:
    """The handlers that change nothing."""
    return frozenset(each.handler for each in operations() if not each.changes)


@cache
def _by_place() -> Mapping[tuple[str, str | None], Operation]:
    return MappingProxyType({(each.handler, each.type): each for each in operations()})


def operation_of(handler: str, type_name: str | None) -> Operation:
    """The operation that a handler is to answer for a type; None for the whole system."""
    places = _by_place()
    return places.get((handler, type_name)) or places[handler, None]


def operations_at(type_name: str | None) -> Iterator[Operation]:
    """The operations of a type and of its resources; with None, those of the whole system."""
    for each in operations():
        if type_name is None:
            if "system" in each.levels:
                yield each
        elif each.type in (None, type_name) and each.levels != ("system",):
            yield each


def operation_definition(operation: Operation, base_url: str) -> dict[str, Any]:
    """The OperationDefinition of an operation as it is served: with its levels here, and without what is refused."""
    facts = operation.facts
    return {
        "resourceType": "OperationDefinition",
        "id": facts.id,
        "url": operation.url(base_url),
        "version": "4.0.1" if facts.url else "1",
        "name": "".join(part[:1].upper() + part[1:] for part in facts.id.split("-")),
        "title": operation.summary,
        "status": "active",
        "kind": "operation",
        "affectsState": operation.changes,
        "code": facts.code,
        "resource": list(facts.resource),
        **{level: level in operation.levels for level in ("system", "type", "instance")},
        "parameter": [_parameter(each) for each in facts.parameters if each.name not in operation.unserved],
    }


def held_definition(identifier: str, base_url: str) -> dict[str, Any] | None:
    """The OperationDefinition with an id, if an operation that is served has it."""
    found = next((each for each in operations() if each.facts.id == identifier), None)
    return None if found is None else operation_definition(found, base_url)


def _parameter(parameter: OperationParameter) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": parameter.name,
        "use": parameter.use,
        "min": parameter.min,
        "max": "*" if parameter.max is None else str(parameter.max),
    }
    if parameter.type is not None:
        found["type"] = parameter.type
    if parameter.parts:
        found["part"] = [_parameter(part) for part in parameter.parts]
    return found
