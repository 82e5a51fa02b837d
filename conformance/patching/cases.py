"""What JSON Patch and FHIRPath Patch can do, and what they must refuse, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conformance.patching.sending import NAMES, Operation, operation


@dataclass(frozen=True, slots=True)
class Case:
    """A patch of a Patient with NAMES. words: what it can do. expected: elements as they must be after it; None for none."""

    name: str
    words: str
    operations: list[Operation]
    expected: Mapping[str, Any]


def _op(op: str, path: str, **members: Any) -> Operation:
    """An operation of a JSON Patch. members: `value`, or `from_`."""
    return {"op": op, "path": path, **{name.rstrip("_"): value for name, value in members.items()}}


ANNA, NICK = NAMES
NEW = {"text": "New"}
OTHER = {**ANNA, "family": "Other"}
SINGLE = {"text": "single"}

JSON_CASES = (
    Case("add", "add an element", [_op("add", "/maritalStatus", value=SINGLE)], {"maritalStatus": SINGLE}),
    Case("add_item", "insert into a list", [_op("add", "/name/1", value=NEW)], {"name": [ANNA, NEW, NICK]}),
    Case(
        "add_last",
        "append to a list",
        [_op("add", "/name/0/given/-", value="Cleo")],
        {"name": [{**ANNA, "given": ["Anna", "Bea", "Cleo"]}, NICK]},
    ),
    Case("remove", "remove an element", [_op("remove", "/birthDate")], {"birthDate": None}),
    Case("remove_item", "remove an item of a list", [_op("remove", "/name/0")], {"name": [NICK]}),
    Case("replace", "replace a value", [_op("replace", "/name/0/family", value="Other")], {"name": [OTHER, NICK]}),
    Case("move", "move a value", [_op("move", "/name/0", from_="/name/1")], {"name": [NICK, ANNA]}),
    Case(
        "copy",
        "copy a value",
        [_op("copy", "/name/0/given/0", from_="/name/0/given/1")],
        {"name": [{**ANNA, "given": ["Bea", "Anna", "Bea"]}, NICK]},
    ),
    Case(
        "test",
        "test a value",
        [_op("test", "/name/0/family", value="Kit"), _op("replace", "/gender", value="other")],
        {"gender": "other"},
    ),
    Case(
        "several",
        "do several things in order",
        [_op("remove", "/name/0"), _op("replace", "/name/0/text", value="Nan")],
        {"name": [{**NICK, "text": "Nan"}]},
    ),
)

REFUSED_CASES: tuple[tuple[str, str, object], ...] = (
    (
        "test_failing",
        "whose test fails",
        [_op("replace", "/gender", value="other"), _op("test", "/birthDate", value="1900-01-01")],
    ),
    ("missing_path", "of an element that is not there", [_op("remove", "/maritalStatus")]),
    ("missing_index", "of an item that is not there", [_op("replace", "/name/7", value=NEW)]),
    ("unknown_operation", "with an operation that there is not", [_op("increment", "/active")]),
    ("no_value", "that adds nothing", [_op("add", "/maritalStatus")]),
    ("no_list", "that is no list of operations", _op("remove", "/birthDate")),
    ("malformed", "that is malformed", "[{"),
    ("invalid_result", "whose result is invalid", [_op("replace", "/birthDate", value="yesterday")]),
    ("unknown_element", "that adds an element which FHIR does not have", [_op("add", "/shoeSize", value=42)]),
    ("id_changed", "that changes the id", [_op("replace", "/id", value="another")]),
    ("type_changed", "that changes the type", [_op("replace", "/resourceType", value="Person")]),
)

FHIRPATH_CASES = (
    Case(
        "add",
        "add an element",
        [operation("add", "Patient", name="maritalStatus", valueCodeableConcept=SINGLE)],
        {"maritalStatus": SINGLE},
    ),
    Case(
        "add_to_list",
        "append to a list",
        [operation("add", "Patient", name="name", valueHumanName=NEW)],
        {"name": [ANNA, NICK, NEW]},
    ),
    Case(
        "insert",
        "insert into a list",
        [operation("insert", "Patient.name", index=1, valueHumanName=NEW)],
        {"name": [ANNA, NEW, NICK]},
    ),
    Case("delete", "delete an element", [operation("delete", "Patient.birthDate")], {"birthDate": None}),
    Case(
        "delete_item",
        "delete what an expression selects",
        [operation("delete", "Patient.name.where(use = 'nickname')")],
        {"name": [ANNA]},
    ),
    Case(
        "delete_nothing",
        "delete what is not there, which is no error",
        [operation("delete", "Patient.maritalStatus"), operation("replace", "Patient.gender", valueCode="other")],
        {"gender": "other"},
    ),
    Case(
        "replace",
        "replace a value",
        [operation("replace", "Patient.name[0].family", valueString="Other")],
        {"name": [OTHER, NICK]},
    ),
    Case(
        "move",
        "move an item of a list",
        [operation("move", "Patient.name", source=1, destination=0)],
        {"name": [NICK, ANNA]},
    ),
    Case(
        "several",
        "do several things in order",
        [operation("delete", "Patient.name[0]"), operation("replace", "Patient.name[0].text", valueString="Nan")],
        {"name": [{**NICK, "text": "Nan"}]},
    ),
)
