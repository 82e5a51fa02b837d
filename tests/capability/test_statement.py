"""The CapabilityStatement is valid, and claims what the table of interactions says. https://hl7.org/fhir/R4/capabilitystatement.html"""

from __future__ import annotations

import gzip
import json
import re
from datetime import UTC, datetime

import jsonschema
import pytest
from fhir.resources.R4B.capabilitystatement import CapabilityStatement

from capability.interactions_table import INTERACTIONS
from capability.statement import capability_statement
from resources.definitions import resource_types
from resources.validation import validate
from search.catalogue import STANDARD
from search.parameters import standard_parameters_of

BASE = "http://localhost:8080/fhir"


@pytest.fixture(scope="module")
def statement():
    return capability_statement(BASE, "1.2.3", datetime(2026, 1, 31, 9, 30, tzinfo=UTC), STANDARD)


def test_it_is_valid_by_our_own_definitions(statement):
    assert validate(statement) == []


def test_it_is_valid_by_the_official_json_schema(statement, shared):
    """Of the schema only what a CapabilityStatement needs is compiled: the whole takes a gigabyte."""
    with gzip.open(shared / "fhir/r4/definitions/fhir.schema.json.gz") as file:
        definitions = json.load(file)["definitions"]
    needed, open_names = {"ResourceList": True}, ["CapabilityStatement"]
    while open_names:
        name = open_names.pop()
        if name not in needed:
            needed[name] = definitions[name]
            open_names += re.findall(r'"#/definitions/(\w+)"', json.dumps(definitions[name]))
    schema = {
        "$schema": "http://json-schema.org/draft-06/schema#",
        "$ref": "#/definitions/CapabilityStatement",
        "definitions": needed,
    }
    jsonschema.Draft6Validator(schema).validate(statement)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft6Validator(schema).validate({**statement, "nonsense": 1})


def test_an_independent_client_can_read_it(statement):
    read = CapabilityStatement.model_validate(statement)
    assert read.fhirVersion == "4.0.1"
    assert read.implementation.url == BASE


def test_every_resource_type_is_served_with_the_same_interactions(statement):
    [rest] = statement["rest"]
    assert {resource["type"] for resource in rest["resource"]} == resource_types()
    claimed = {tuple(each["code"] for each in resource["interaction"]) for resource in rest["resource"]}
    assert claimed == {tuple(row.code for row in INTERACTIONS if row.level != "system" and row.code)}
    assert {each["code"] for each in rest["interaction"]} == {"search-system", "history-system", "transaction", "batch"}


def test_every_search_parameter_that_is_served_is_claimed_and_no_other(statement):
    for resource in statement["rest"][0]["resource"]:
        claimed = {each["name"]: each["type"] for each in resource["searchParam"]}
        assert claimed.keys() == standard_parameters_of(resource["type"]).keys()
        assert claimed["_id"] == "token"
        assert claimed["_lastUpdated"] == "date"


def test_what_can_be_included_is_claimed(statement):
    claimed = {each["type"]: each for each in statement["rest"][0]["resource"]}
    assert {"*", "Encounter:subject", "Encounter:location"} <= set(claimed["Encounter"]["searchInclude"])
    assert "Encounter:status" not in claimed["Encounter"]["searchInclude"]
    reverse = claimed["Encounter"]["searchRevInclude"]
    assert {"Observation:encounter", "Condition:encounter", "Provenance:target"} <= set(reverse)
    assert not {"Observation:subject", "Encounter:subject"} & set(reverse)
    assert len(reverse) == len(set(reverse))
