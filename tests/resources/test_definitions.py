"""The condensed facts: what the official bundles say, and nothing else."""

from __future__ import annotations

import gzip
import importlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from resources.definitions import (
    code_system_codes,
    compartment_parameters,
    is_a,
    resource_types,
    search_parameter_facts,
    type_facts,
    value_set_codes,
)
from resources.shape import shape_of
from resources.visit import Visit

PROJECT = Path(__file__).resolve().parents[2]
COMMITTED = PROJECT / "resources" / "definitions" / "r4"

# The schema lists it, but the url of an extension is an attribute in XML and can have no extensions.
_IN_THE_SCHEMA_ONLY = {("Extension", "_url")}


@pytest.fixture(scope="module")
def condense() -> Iterator[Callable[[Path], dict[str, str]]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(PROJECT / "scripts")  # as where it is run as a script
        yield importlib.import_module("condense_definitions").condense


def test_the_committed_facts_are_what_the_script_makes_of_the_official_bundles(
    shared: Path, condense: Callable[[Path], dict[str, str]]
) -> None:
    made = condense(shared / "fhir/r4/definitions")
    assert set(made) == {path.name for path in COMMITTED.iterdir()}
    for name, content in made.items():
        assert (COMMITTED / name).read_text(encoding="utf-8") == content, f"{name}: run scripts/condense_definitions.py"


def test_every_member_that_the_official_json_schema_names_is_known(shared: Path) -> None:
    with gzip.open(shared / "fhir/r4/definitions/fhir.schema.json.gz") as file:
        schema: dict[str, dict[str, Any]] = json.load(file)["definitions"]
    compared = 0
    for name in resource_types() | {"HumanName", "Timing", "Dosage", "Extension", "ElementDefinition", "Address"}:
        facts = type_facts(name)
        ours = {member for element in facts.elements.values() for member in element.json_names()}
        theirs = {member for member in schema[name]["properties"] if not member.startswith("_")} - {"resourceType"}
        assert ours == theirs, name
        siblings = {member for member in schema[name]["properties"] if member.startswith("_")}
        node: dict[str, Any] = {one: [] for one in siblings}
        visit = Visit(node, node)
        shape_of(name).check(node, (None, name, -1), visit)
        unknown = {(name, one) for one in siblings for issue in visit.issues if f"'{one}' is not known" in issue.text}
        assert unknown <= _IN_THE_SCHEMA_ONLY
        compared += 1
    assert compared == 152


def test_there_are_146_resource_types() -> None:
    assert len(resource_types()) == 146
    assert {"Patient", "Observation", "Bundle", "Parameters", "Binary"} <= resource_types()
    assert not {"Resource", "DomainResource", "Element", "HumanName"} & resource_types()


def test_there_are_20_primitive_types() -> None:
    primitives = (
        "base64Binary boolean canonical code date dateTime decimal id instant integer markdown oid positiveInt string "
        "time unsignedInt uri url uuid xhtml"
    )
    assert {type_facts(name).kind for name in primitives.split()} == {"primitive"}


def test_elements_have_the_cardinality_types_and_targets_of_their_definition() -> None:
    patient = type_facts("Patient").elements
    assert patient["deceased"].json_names() == {"deceasedBoolean": "boolean", "deceasedDateTime": "dateTime"}
    assert (patient["name"].min, patient["name"].max, patient["name"].types) == (0, None, ("HumanName",))
    assert patient["contact"].types == ("Patient.contact",)
    assert patient["id"].types == ("id",)
    assert patient["generalPractitioner"].targets == {"Organization", "Practitioner", "PractitionerRole"}
    assert patient["gender"].binding == ("required", "http://hl7.org/fhir/ValueSet/administrative-gender")
    assert patient["active"].is_modifier
    assert type_facts("Observation").elements["status"].min == 1
    assert type_facts("Observation").elements["focus"].targets == frozenset()  # Reference(Any)
    assert type_facts("Questionnaire.item").elements["item"].types == ("Questionnaire.item",)
    assert type_facts("HumanName").elements["id"].types == ("string",)


def test_the_targets_of_a_reference_are_not_those_of_a_canonical_beside_it() -> None:
    definition = type_facts("EvidenceVariable.characteristic").elements["definition"]
    assert {"Reference", "canonical"} <= set(definition.types)
    assert definition.targets == {"Group"}


def test_invariants_stand_where_they_are_stated() -> None:
    assert [i.key for i in type_facts("Patient").elements["contact"].invariants] == ["pat-1"]
    assert {i.key for i in type_facts("Observation").invariants} == {"obs-6", "obs-7"}
    assert not {"ele-1", "dom-2"} & {i.key for i in type_facts("Observation").invariants}
    assert "dom-2" in {i.key for i in type_facts("DomainResource").invariants}


def test_closed_value_sets_list_their_codes_and_open_ones_are_absent() -> None:
    gender = value_set_codes("http://hl7.org/fhir/ValueSet/administrative-gender")
    assert dict(gender or {}) == {"http://hl7.org/fhir/administrative-gender": {"female", "male", "other", "unknown"}}
    assert value_set_codes("http://hl7.org/fhir/ValueSet/mimetypes") is None


def test_code_systems_of_r4_list_all_their_codes() -> None:
    assert "entered-in-error" in code_system_codes()["http://hl7.org/fhir/observation-status"]
    assert not [url for url in code_system_codes() if not url.startswith("http://hl7.org/fhir/")]
    assert all(code_system_codes().values())


def test_types_descend_from_their_bases() -> None:
    assert is_a("Age", "Quantity")
    assert is_a("Patient", "DomainResource")
    assert is_a("code", "string")
    assert is_a("Bundle", "Resource")
    assert not is_a("Bundle", "DomainResource")


def test_search_parameters_have_their_facts() -> None:
    facts = {parameter.id: parameter for parameter in search_parameter_facts()}
    assert len([identifier for identifier in facts if not identifier.startswith("us-core-")]) == 1375
    assert facts["clinical-patient"].code == "patient"
    assert facts["clinical-patient"].type == "reference"
    assert [name for name, _ in facts["Observation-code-value-quantity"].components] == [
        "clinical-code",
        "Observation-value-quantity",
    ]


def test_compartments_name_the_parameters_that_put_a_resource_into_them() -> None:
    patient = compartment_parameters("Patient")
    assert set(patient["Observation"]) == {"subject", "performer"}
    assert "Organization" not in patient
    assert compartment_parameters("Encounter")["Condition"] == ("encounter",)


def test_a_name_that_r4_does_not_know_has_no_facts() -> None:
    with pytest.raises(KeyError):
        type_facts("SubscriptionTopic")
