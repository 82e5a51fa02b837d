"""What holds for all operations: their definitions, how they may be asked, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.answers import expect_status, refused
from conformance.api import resource_of
from conformance.check import Checks, Skip, expect
from conformance.clauses import STATEMENT
from conformance.operations.calling import EXECUTING, OPERATIONS, answered, call, parameter
from conformance.rest_context import RestContext
from conformance.samples import sample
from conformance.statement import operation

checks = Checks("Operations: in general")


def _patient(context: RestContext) -> str:
    """`Patient/id` of a new sample."""
    return f"Patient/{context.records.create(sample(context))['id']}"


def _claimed(context: RestContext) -> Iterator[tuple[str, str, str]]:
    """(type or "system", name, definition) of every operation that is claimed."""
    rest = context.statement.rest
    for each in (rest, *rest.get("resource", [])):
        for one in each.get("operation", []):
            name = str(one.get("name", "")).removeprefix("$")
            yield str(each.get("type", "system")), name, str(one.get("definition", ""))


@checks(
    "operations.definitions_are_addresses",
    "The definition of every operation is an absolute address.",
    f"{STATEMENT}#CapabilityStatement.rest.resource.operation.definition",
)
def _(context: RestContext) -> None:
    for type_name, name, definition in _claimed(context):
        expect(
            definition.startswith(("http://", "https://", "urn:")),
            f"The definition of ${name} of {type_name} is {definition!r}.",
        )


@checks(
    "operations.definitions_can_be_read",
    "A definition that stands on the server can be read, and is of the operation that names it.",
    f"{OPERATIONS}#defined",
)
def _(context: RestContext) -> None:
    own = {(name, where) for _, name, where in _claimed(context) if where.startswith(f"{context.base_url}/")}
    if not own:
        raise Skip("No definition stands on the server.")
    for name, where in sorted(own):
        tree = resource_of(context.api.get(where))
        expect(tree.get("resourceType") == "OperationDefinition", f"{where} is a {tree.get('resourceType')}.")
        expect(tree.get("code") == name, f"{where} is of the operation {tree.get('code')!r}, and not of {name}.")
        expect({"status", "kind", "system", "type", "instance"} <= set(tree), f"{where} lacks a mandatory element.")


@checks(
    "operations.names_are_codes",
    "An operation is claimed by its name, once for each type.",
    f"{STATEMENT}#CapabilityStatement.rest.resource.operation.name",
)
def _(context: RestContext) -> None:
    pairs = [(type_name, name) for type_name, name, _ in _claimed(context)]
    twice = sorted({f"${name} of {type_name}" for type_name, name in pairs if pairs.count((type_name, name)) > 1})
    expect(not twice, f"Claimed more than once: {', '.join(twice)}.")


@checks("operations.unknown", "An operation that there is not is refused with an OperationOutcome.", OPERATIONS)
def _(context: RestContext) -> None:
    for path in ("$no-such-operation", "Patient/$no-such-operation", f"{_patient(context)}/$no-such-operation"):
        refused(context.api.get(path), 400, 404, 405, 501)
        refused(call(context, path), 400, 404, 405, 422, 501)


@checks(
    "operations.get_changes_nothing",
    "An operation that changes something cannot be asked by GET.",
    EXECUTING,
    operation("meta-add", "Patient"),
)
def _(context: RestContext) -> None:
    path = _patient(context)
    before = context.api.resource(path)
    expect_status(context.api.get(f"{path}/$meta-add?meta=x"), 400, 404, 405, 501)
    expect(context.api.resource(path) == before, "The refused GET changed the resource.")


@checks(
    "operations.get_or_post",
    "An operation that only reads may be asked by GET and by POST.",
    EXECUTING,
    operation("meta", "Patient"),
)
def _(context: RestContext) -> None:
    path = f"{_patient(context)}/$meta"
    by_get, by_post = context.api.get(path), call(context, path)
    first, second = answered(by_get, "Parameters"), answered(by_post, "Parameters")
    expect(first.get("parameter") == second.get("parameter"), "GET and POST of $meta are answered differently.")


@checks(
    "operations.other_methods",
    "An operation is asked by no other method.",
    EXECUTING,
    operation("meta", "Patient"),
)
def _(context: RestContext) -> None:
    path = _patient(context)
    for method in ("PUT", "DELETE"):
        expect_status(context.api.request(method, f"{path}/$meta", json=sample(context)), 400, 404, 405, 501)
    expect_status(context.api.get(path), 200)


@checks(
    "operations.of_unknown_resource",
    "An operation on a resource that there is not is answered 404.",
    EXECUTING,
    operation("meta", "Patient"),
)
def _(context: RestContext) -> None:
    refused(context.api.get(f"Patient/{context.records.text('none-')}/$meta"), 404, 410)


@checks(
    "operations.unknown_parameter",
    "A parameter without its value is refused.",
    EXECUTING,
    operation("meta-add", "Patient"),
)
def _(context: RestContext) -> None:
    path = f"{_patient(context)}/$meta-add"
    refused(call(context, path), 400, 422)
    refused(call(context, path, parameter("meta", "valueString", "x")), 400, 422)


@checks(
    "operations.versions",
    "`$versions` names the version of FHIR.",
    f"{STATEMENT.replace('.html', '-operation-versions.html')}",
    operation("versions"),
)
def _(context: RestContext) -> None:
    tree = answered(context.api.get("$versions"), "Parameters")
    said = {each.get("name"): each.get("valueCode", each.get("valueString")) for each in tree.get("parameter", [])}
    expect(str(said.get("version", "")).startswith("4.0"), f"$versions says the version {said.get('version')!r}.")
