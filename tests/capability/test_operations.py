"""The operations as they are claimed and defined. https://hl7.org/fhir/R4/operationdefinition.html"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from capability.interactions_table import INTERACTIONS
from capability.operations import (
    Operation,
    held_definition,
    operation_definition,
    operation_of,
    operations,
    operations_at,
    reading_operations,
)
from resources.validation import validate

BASE = "http://localhost:8080/fhir"


@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.facts.id)
def test_every_definition_is_a_valid_resource(operation: Operation) -> None:
    definition = operation_definition(operation, BASE)
    assert validate(definition) == []
    assert held_definition(definition["id"], BASE) == definition


@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.facts.id)
def test_an_operation_is_served_no_further_than_its_definition_goes(operation: Operation) -> None:
    assert set(operation.levels) <= set(operation.facts.levels)
    assert operation.type in {None, *operation.facts.resource}
    assert operation.unserved <= operation.facts.inputs().keys()


@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.facts.id)
def test_every_operation_has_its_routes_and_none_that_changes_anything_is_asked_for_by_get(
    operation: Operation,
) -> None:
    rows = {(row.method, row.path) for row in INTERACTIONS if row.name == operation.handler}
    for _, path in operation.paths():
        assert ("POST", path) in rows
        # Reading how far indexing is has a row of its own.
        assert (("GET", path) in rows) <= (not operation.changes or path == "/$reindex")


@pytest.mark.parametrize("name", sorted({operation.name for operation in operations()}))
def test_every_operation_is_in_the_documentation(name: str) -> None:
    page = Path(__file__).parents[2] / "docs" / "api.md"
    assert re.search(rf"\${name}`", page.read_text())


def test_get_is_for_what_reads_and_can_be_asked_in_a_query() -> None:
    by_id = {each.facts.id: each for each in operations()}
    assert by_id["Patient-everything"].methods == ("GET", "POST")
    assert by_id["Patient-match"].methods == ("POST",)  # a Patient fits in no query
    assert by_id["Resource-meta-add"].methods == ("POST",)
    assert "match" in reading_operations()
    assert not {"meta_add", "meta_delete", "expunge", "reindex"} & reading_operations()


def test_the_definition_leaves_out_what_is_refused() -> None:
    names = {each["name"] for each in operation_definition(operation_of("expand", "ValueSet"), BASE)["parameter"]}
    assert "filter" in names
    assert "context" not in names


def test_an_operation_is_found_by_handler_and_type() -> None:
    assert operation_of("validate_code", "CodeSystem").facts.id == "CodeSystem-validate-code"
    assert operation_of("meta", "Patient") == operation_of("meta", None)


def test_each_type_claims_its_own_operations() -> None:
    names = {each.name for each in operations_at("Patient")}
    assert {"everything", "match", "meta", "meta-add", "expunge"} <= names
    assert not {"expand", "lookup", "versions"} & names
    assert {"meta", "versions", "reindex"} == {each.name for each in operations_at(None)}


def test_ours_are_defined_below_the_base_and_the_others_where_fhir_does() -> None:
    assert operation_of("expunge", None).url(BASE) == f"{BASE}/OperationDefinition/expunge"
    official = "http://hl7.org/fhir/OperationDefinition/Patient-everything"
    assert operation_of("everything", "Patient").url(BASE) == official
    assert held_definition("nonsense", BASE) is None
