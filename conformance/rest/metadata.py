"""The CapabilityStatement: whether it is a good one, and whether what it claims is there."""

from __future__ import annotations

from typing import Any

from conformance.answers import expect_status
from conformance.api import json_of, resource_of
from conformance.check import Checks, Skip, expect
from conformance.clauses import CAPABILITIES, HTTP, STATEMENT, SUMMARY
from conformance.rest_context import RestContext
from conformance.statement import serves_format

checks = Checks("REST: CapabilityStatement")

STATUSES = ("draft", "active", "retired", "unknown")
KINDS = ("instance", "capability", "requirements")
TYPE_CODES = frozenset(
    ["read", "vread", "update", "patch", "delete", "history-instance", "history-type", "create", "search-type"]
)  # https://hl7.org/fhir/R4/valueset-type-restful-interaction.html
SYSTEM_CODES = frozenset({"transaction", "batch", "search-system", "history-system"})
PARAMETER_TYPES = frozenset(
    ["number", "date", "string", "token", "reference", "composite", "quantity", "uri", "special"]
)
FORBIDDEN = (401, 403)
VERSIONINGS = (None, "no-version", "versioned", "versioned-update")


def _tree(context: RestContext) -> dict[str, Any]:
    return resource_of(context.api.get("metadata"))


def _resources(context: RestContext) -> list[dict[str, Any]]:
    return list(context.statement.rest.get("resource", []))


@checks("rest.metadata_is_a_capability_statement", "`/metadata` answers with a CapabilityStatement.", CAPABILITIES)
def _(context: RestContext) -> None:
    answer = expect_status(context.api.get("metadata"), 200)
    kind = answer.headers.get("Content-Type", "")
    expect(kind.startswith("application/fhir+json"), f"The Content-Type is {kind!r} and not application/fhir+json.")
    expect(resource_of(answer).get("resourceType") == "CapabilityStatement", "The answer is no CapabilityStatement.")


@checks(
    "rest.metadata_fhir_version",
    "The CapabilityStatement names FHIR 4.0.1.",
    f"{STATEMENT}#CapabilityStatement.fhirVersion",
)
def _(context: RestContext) -> None:
    version = _tree(context).get("fhirVersion")
    expect(version in ("4.0.1", "4.0.0"), f"fhirVersion is {version!r}.")


@checks(
    "rest.metadata_required_elements",
    "The CapabilityStatement has every required element, with known codes.",
    STATEMENT,
)
def _(context: RestContext) -> None:
    tree = _tree(context)
    expect(tree.get("status") in STATUSES, f"status is {tree.get('status')!r}.")
    expect(tree.get("kind") in KINDS, f"kind is {tree.get('kind')!r}.")
    expect(isinstance(tree.get("date"), str) and tree["date"][:2].isdigit(), f"date is {tree.get('date')!r}.")
    formats = tree.get("format")
    expect(isinstance(formats, list) and formats, "format names nothing.")


@checks(
    "rest.metadata_describes_an_instance", "The CapabilityStatement is of this very server and describes it.", STATEMENT
)
def _(context: RestContext) -> None:
    tree = _tree(context)
    expect({"description", "software", "implementation"} & set(tree), "None of what cpb-2 asks for is there.")
    expect(
        tree.get("kind") != "instance" or tree.get("implementation"),
        "It is of an instance, without implementation (cpb-14).",
    )
    if tree.get("kind") != "instance":
        context.notes.append(f"kind is {tree.get('kind')!r}, though the statement is of a running server.")


@checks(
    "rest.metadata_rest_of_a_server", "The CapabilityStatement describes a REST server with resource types.", STATEMENT
)
def _(context: RestContext) -> None:
    expect(context.statement.rest, "There is no `rest` with the mode server.")
    expect(context.statement.types, "`rest.resource` names no type.")


@checks("rest.metadata_types_once", "Every resource type is described once.", f"{STATEMENT}#invs")
def _(context: RestContext) -> None:
    types = context.statement.types
    twice = sorted({each for each in types if types.count(each) > 1})
    expect(not twice, f"Described more than once (cpb-9): {', '.join(twice)}.")


@checks(
    "rest.metadata_interactions_known",
    "The interactions and the kind of versioning of each type are ones of FHIR.",
    STATEMENT,
)
def _(context: RestContext) -> None:
    expect(not (unknown := context.statement.interactions(None) - SYSTEM_CODES), f"Unknown of the system: {unknown}.")
    for each in _resources(context):
        name = str(each.get("type"))
        expect(not (unknown := context.statement.interactions(name) - TYPE_CODES), f"Unknown with {name}: {unknown}.")
        expect(each.get("versioning") in VERSIONINGS, f"versioning of {name} is {each.get('versioning')!r}.")


@checks(
    "rest.metadata_search_parameters_once",
    "The search parameters of a type have different names and known types.",
    f"{STATEMENT}#invs",
)
def _(context: RestContext) -> None:
    for each in _resources(context):
        parameters = each.get("searchParam", [])
        names = [parameter.get("name") for parameter in parameters]
        expect(len(set(names)) == len(names), f"Names of {each.get('type')} come twice (cpb-12).")
        unknown = {parameter.get("type") for parameter in parameters} - PARAMETER_TYPES
        expect(not unknown, f"{each.get('type')} has parameters of the types {unknown}.")


@checks(
    "rest.metadata_operations_defined",
    "Every operation has a name and the address of its definition.",
    f"{STATEMENT}#CapabilityStatement.rest.resource.operation.definition",
)
def _(context: RestContext) -> None:
    for each in (context.statement.rest, *_resources(context)):
        for operation in each.get("operation", []):
            expect(operation.get("name"), f"An operation of {each.get('type', 'the system')} has no name.")
            expect(operation.get("definition"), f"The operation {operation.get('name')} has no definition.")


@checks(
    "rest.metadata_every_searchable_type_is_found", "Every type that can be searched answers a search.", CAPABILITIES
)
def _(context: RestContext) -> None:
    asked = [name for name in context.statement.types if "search-type" in context.statement.interactions(name)]
    if not asked:
        raise Skip("The CapabilityStatement claims search for no type.")
    nothing = context.records.text("none-")
    for name in asked:
        answer = context.api.get(f"{name}?_id={nothing}")
        if answer.status_code in FORBIDDEN:
            context.notes.append(f"The access token does not open {name}, so that it was not looked at.")
            continue
        tree = resource_of(answer)
        expect(tree.get("type") == "searchset", f"A search for {name} was not answered with a searchset.")


@checks(
    "rest.metadata_every_readable_type_is_found",
    "A read of each type that can be read finds nothing under an unknown id.",
    CAPABILITIES,
)
def _(context: RestContext) -> None:
    nothing = context.records.text("none-")
    for name in context.statement.types:
        if "read" in context.statement.interactions(name):
            expect_status(context.api.get(f"{name}/{nothing}"), 404, *FORBIDDEN)


@checks("rest.metadata_in_xml", "`/metadata` answers in XML.", f"{HTTP}#mime-type", serves_format("xml"))
def _(context: RestContext) -> None:
    answer = expect_status(context.api.get("metadata", headers={"Accept": "application/fhir+xml"}), 200)
    kind = answer.headers.get("Content-Type", "")
    expect(kind.startswith("application/fhir+xml"), f"The Content-Type is {kind!r}.")
    expect("<CapabilityStatement" in answer.text[:300], "The answer is no CapabilityStatement in XML.")


@checks("rest.metadata_mode", "`/metadata?mode=full` answers with a CapabilityStatement.", CAPABILITIES)
def _(context: RestContext) -> None:
    expect(
        resource_of(context.api.get("metadata?mode=full")).get("resourceType") == "CapabilityStatement", "It is none."
    )
    answer = context.api.get("metadata?mode=terminology")
    expect(answer.status_code < 500, f"mode=terminology was answered {answer.status_code}.")
    if answer.status_code != 200 or json_of(answer).get("resourceType") != "TerminologyCapabilities":
        context.notes.append("mode=terminology is not answered with TerminologyCapabilities.")


@checks("rest.metadata_summary", "`/metadata?_summary=true` answers with a CapabilityStatement.", SUMMARY)
def _(context: RestContext) -> None:
    tree = resource_of(context.api.get("metadata?_summary=true"))
    expect(tree.get("resourceType") == "CapabilityStatement", "The answer is no CapabilityStatement.")
    expect(tree.get("fhirVersion"), "It lacks fhirVersion, which is part of a summary.")


@checks("rest.metadata_head", "HEAD of `/metadata` is answered without a body.", f"{HTTP}#read")
def _(context: RestContext) -> None:
    answer = context.api.request("HEAD", "metadata")
    if answer.status_code in (404, 405, 501):
        raise Skip("HEAD, which a server need not have, is not served.")
    expect(expect_status(answer, 200).content == b"", "The answer to HEAD has a body.")


@checks(
    "rest.options_do_no_harm",
    "OPTIONS is no error of the server.",
    "https://www.rfc-editor.org/rfc/rfc9110#section-9.3.7",
)
def _(context: RestContext) -> None:
    for path in ("", "Patient", f"Patient/{context.records.text('none-')}"):
        answer = context.api.request("OPTIONS", path)
        expect(answer.status_code < 500, f"OPTIONS of /{path} was answered {answer.status_code}.")
        if answer.status_code in (200, 204) and "Allow" not in answer.headers:
            context.notes.append(f"OPTIONS of /{path} is answered without Allow.")
