"""The parameters of an operation: read from a query or a Parameters resource against the operation's facts, and written.

https://hl7.org/fhir/R4/operations.html#request and https://hl7.org/fhir/R4/parameters.html

What is not as the facts say is refused with 400 and its name; nothing is passed over in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from resources.definitions import OperationFacts, OperationParameter, is_a, resource_types
from resources.document import Document
from resources.exact_json import exact, written
from resources.primitives import CHECKS
from resources.problem import Issue, Problem, problem, quoted
from resources.validation import errors_of, validate

Json = dict[str, Any]

# A body may hold a million of them.
MOST_FAULTS = 50
_NUMBERS = frozenset({"integer", "positiveInt", "unsignedInt"})
_MOMENTS = frozenset({"instant", "dateTime"})


@dataclass(slots=True)
class Arguments:
    """What a request gives for the parameters of an operation: name → values, as in JSON."""

    values: dict[str, list[Any]] = field(default_factory=dict)

    def one(self, name: str) -> Any:
        """The value of a parameter that does not repeat; None where it is not given."""
        given = self.values.get(name)
        return given[0] if given else None

    def all(self, name: str) -> list[Any]:
        """The values of a parameter."""
        return self.values.get(name, [])


def read_arguments(
    facts: OperationFacts,
    pairs: Sequence[tuple[str, str]],
    body: Document | None,
    unserved: Collection[str] = (),
    lenient: bool = False,
) -> Arguments:
    """The arguments of a request.

    pairs: of the query. body: a Parameters resource, or the resource itself where the operation takes a single one; None
    without a body. unserved: parameters that are refused though the definition has them. lenient: what the query names and
    nobody knows is passed over. Raises a 400 `Problem` that names every fault.
    """
    inputs = facts.inputs()
    found = Arguments()
    faults: list[Issue] = []
    for name, text in pairs:
        if name not in inputs and lenient:
            continue
        _take(name, partial(_from_text, text), inputs, unserved, found, faults)
    if body is not None and body.type == "Parameters":
        _check_shape(body.tree)
        for part in body.tree.get("parameter", ()):
            _take(part["name"], partial(_from_part, part), inputs, unserved, found, faults)
    elif body is not None:
        name = _resource_parameter(inputs, body.type)
        found.values.setdefault(name, []).append(body.tree)
    faults += _cardinality(inputs, found, faults)
    if faults:
        raise Problem(400, faults[:MOST_FAULTS])
    return found


class _UnfitError(Exception):
    """A value that its parameter cannot have, with the sentence that says why."""


def _take(
    name: str,
    value_of: Callable[[OperationParameter], Any],
    inputs: Mapping[str, OperationParameter],
    unserved: Collection[str],
    found: Arguments,
    faults: list[Issue],
) -> None:
    parameter = inputs.get(name)
    if parameter is None:
        known = ", ".join(sorted(each for each in inputs if each not in unserved)) or "none at all"
        text = f"The parameter {quoted(name)} is not known in this operation; known are {known}."
        faults.append(Issue("error", "not-supported", text))
    elif name in unserved:
        faults.append(Issue("error", "not-supported", f"The parameter '{name}' is not supported here."))
    else:
        try:
            found.values.setdefault(name, []).append(value_of(parameter))
        except _UnfitError as fault:
            faults.append(Issue("error", "value", f"The parameter '{name}': {fault}"))


def _from_text(text: str, parameter: OperationParameter) -> Any:
    """A value from the query, where it is written without quotes."""
    name = parameter.type or ""
    check = CHECKS.get(name)
    if check is None:
        raise _UnfitError(f"It is a {name or 'group of parts'}, which must be sent in a body.")
    value: Any = text
    if name == "boolean":
        value = {"true": True, "false": False}.get(text, text)
    elif name in _NUMBERS and text.removeprefix("-").isascii() and text.removeprefix("-").isdigit() and len(text) < 12:
        value = int(text)
    elif name in _MOMENTS:
        value = text.replace(" ", "+")  # an unescaped plus arrives as a blank
        check = CHECKS["dateTime"]  # a day is enough where somebody types it
    fault = check(value)
    if fault is not None:
        raise _UnfitError(fault)
    return value


def _from_part(part: Json, parameter: OperationParameter) -> Any:
    wanted = parameter.type or ""
    if "resource" in part:
        given = part["resource"]["resourceType"]
        if not _is_resource(wanted) or not is_a(given, wanted):
            raise _UnfitError(f"It is a {wanted or 'group of parts'} and not a {given}.")
        return part["resource"]
    member = next((each for each in part if each.startswith("value")), None)
    if member is None:
        raise _UnfitError(f"It has no value of the type {wanted}.")
    given = member.removeprefix("value")
    primitive = given[:1].lower() + given[1:]
    given = primitive if primitive in CHECKS else given
    if _is_resource(wanted) or not is_a(given, wanted):
        raise _UnfitError(f"It is a {wanted} and not a {given}.")
    return part[member]


def _is_resource(type_name: str) -> bool:
    return type_name == "Resource" or type_name in resource_types()


def _check_shape(tree: Json) -> None:
    """Raise a 400 `Problem` for faults of a Parameters resource; what its resources hold is left to whoever takes them."""
    given = tree.get("parameter")
    if isinstance(given, list):
        tree = {**tree, "parameter": [_without_resource(part) for part in given]}
    faults = errors_of(validate(tree))
    if faults:
        raise Problem(400, faults)


def _without_resource(part: Any) -> Any:
    resource = part.get("resource") if isinstance(part, dict) else None
    if isinstance(resource, dict) and resource.get("resourceType") in resource_types():
        return {**part, "resource": {"resourceType": "Parameters"}}
    return part


def _resource_parameter(inputs: Mapping[str, OperationParameter], given: str) -> str:
    """The one parameter that a resource can stand for which is sent by itself."""
    taking = [each for each in inputs.values() if each.type is not None and _is_resource(each.type)]
    if len(taking) != 1 or not is_a(given, taking[0].type or ""):
        expected = "a Parameters resource" + (f" or a {taking[0].type}" if len(taking) == 1 else "")
        raise problem(400, "invalid", f"The body is a {given}; {expected} is expected.", given)
    return taking[0].name


def _cardinality(
    inputs: Mapping[str, OperationParameter], found: Arguments, faults: Sequence[Issue]
) -> Iterable[Issue]:
    for name, parameter in inputs.items():
        count = len(found.all(name))
        if parameter.max is not None and count > parameter.max:
            yield Issue(
                "error", "invalid", f"The parameter '{name}' stands {count} times; {parameter.max} is the most."
            )
        if count < parameter.min and not faults:
            yield Issue("error", "required", f"The parameter '{name}' is missing.")


def parameter(name: str, type_name: str, value: Any) -> Json:
    """A member of `Parameters.parameter` with a value of a data type."""
    return {"name": name, f"value{type_name[:1].upper()}{type_name[1:]}": value}


def group(name: str, parts: Sequence[Json]) -> Json:
    """A member of `Parameters.parameter` with parts."""
    return {"name": name, "part": list(parts)}


def parameters_bytes(members: Sequence[Json]) -> bytes:
    """A Parameters resource as JSON; decimals keep their digits."""
    tree: Json = {"resourceType": "Parameters"}
    if members:
        tree["parameter"] = list(members)
    return written(exact(tree)).encode()
