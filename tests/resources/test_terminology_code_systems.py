"""Code systems: which code subsumes which. https://hl7.org/fhir/R4/codesystem.html"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from resources.terminology import R4, UnknownCode, UnknownSystem, code_system_of

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
SNOMED = "http://snomed.info/sct"
PROPERTY = "http://hl7.org/fhir/concept-properties#"


def code_system(*concepts: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {
        "resourceType": "CodeSystem",
        "url": "urn:animals",
        "status": "active",
        "content": "complete",
        "concept": list(concepts),
        **members,
    }


def test_active_subsumes_what_comes_back() -> None:
    assert R4.descendants(CLINICAL, "active") == {"active", "recurrence", "relapse"}
    assert R4.ancestors(CLINICAL, "relapse") == {"relapse", "active"}
    assert R4.subsumes(CLINICAL, "active", "relapse")
    assert R4.subsumes(CLINICAL, "active", "active")
    assert not R4.subsumes(CLINICAL, "relapse", "active")
    assert not R4.subsumes(CLINICAL, "inactive", "relapse")


def test_the_deep_hierarchy_of_v3_is_known_with_what_is_abstract_in_it() -> None:
    encounters = R4.descendants(ACT_CODE, "_ActEncounterCode")
    assert {"AMB", "EMER", "IMP", "ACUTE", "NONAC", "VR"} <= encounters
    system = R4.code_system(ACT_CODE)
    assert system is not None
    assert system.concepts["_ActEncounterCode"].is_abstract
    assert not system.concepts["AMB"].is_abstract
    assert (system.concepts["AMB"].display, system.version) == ("ambulatory", "2018-08-12")
    assert {"ACUTE", "IMP", "_ActEncounterCode"} <= R4.ancestors(ACT_CODE, "ACUTE")
    assert "AMB" not in R4.ancestors(ACT_CODE, "ACUTE")


def test_a_code_may_have_several_parents_of_which_some_are_stated_by_the_property_child() -> None:
    ancestors = R4.ancestors("http://terminology.hl7.org/CodeSystem/v3-orderableDrugForm", "ORDROP")
    assert {"DROP", "ORALSOL"} <= ancestors


def test_a_retired_code_is_inactive_and_a_deprecated_one_is_not() -> None:
    v3 = R4.code_system("http://terminology.hl7.org/CodeSystem/v3-ActMood")
    table = R4.code_system("http://terminology.hl7.org/CodeSystem/v2-0131")
    assert v3 is not None
    assert table is not None
    assert any(concept.is_inactive for concept in v3.concepts.values())
    assert ("status", "deprecated") in table.concepts["BP"].properties
    assert not table.concepts["BP"].is_inactive


def test_what_is_not_known_is_named() -> None:
    with pytest.raises(UnknownSystem, match="'urn:nothing' is not held here"):
        R4.subsumes("urn:nothing", "a", "b")
    with pytest.raises(UnknownCode, match="'gone' is not in the code system"):
        R4.descendants(CLINICAL, "gone")
    with pytest.raises(UnknownCode, match="'gone'"):
        R4.subsumes(CLINICAL, "gone", "active")


def test_a_system_known_by_name_only_cannot_be_asked() -> None:
    assert R4.code_system(SNOMED) is not None
    with pytest.raises(UnknownSystem, match="its content is 'not-present'"):
        R4.descendants(SNOMED, "73211009")


def test_only_the_version_that_is_asked_for_will_do() -> None:
    assert R4.code_system(f"{CLINICAL}|4.0.1") is R4.code_system(CLINICAL)
    assert R4.code_system(f"{CLINICAL}|5.0.0") is None


def test_the_systems_with_a_code_are_found_in_whatever_case_it_is_written() -> None:
    assert CLINICAL in {system.url for system in R4.systems_with("RELAPSE")}
    assert not R4.systems_with("no such code")


@pytest.mark.parametrize(
    "concepts",
    [
        pytest.param([{"code": "cat", "concept": [{"code": "lion"}]}], id="nested"),
        pytest.param(
            [{"code": "cat"}, {"code": "lion", "property": [{"code": "parent", "valueCode": "cat"}]}], id="parent"
        ),
        pytest.param(
            [{"code": "cat"}, {"code": "lion", "property": [{"code": "subsumedBy", "valueCode": "cat"}]}],
            id="subsumedBy",
        ),
        pytest.param(
            [{"code": "cat", "property": [{"code": "child", "valueCode": "lion"}]}, {"code": "lion"}], id="child"
        ),
        pytest.param(
            [{"code": "cat"}, {"code": "lion", "property": [{"code": "kind", "valueCode": "cat"}]}], id="by uri"
        ),
    ],
)
def test_a_hierarchy_may_be_stated_in_each_of_the_ways_of_r4(concepts: list[dict[str, Any]]) -> None:
    declared = [{"code": "kind", "uri": f"{PROPERTY}parent", "type": "code"}]
    system = code_system_of(code_system(*concepts, property=declared))
    assert system.descendants("cat") == {"cat", "lion"}
    assert system.ancestors("lion") == {"cat", "lion"}
    assert system.subsumes("cat", "lion")


@pytest.mark.parametrize(
    ("meaning", "is_subsumed"),
    [(None, True), ("is-a", True), ("classified-with", True), ("part-of", False), ("grouped-by", False)],
)
def test_a_part_is_not_subsumed_by_its_whole(meaning: str | None, is_subsumed: bool) -> None:
    members = {} if meaning is None else {"hierarchyMeaning": meaning}
    system = code_system_of(code_system({"code": "body", "concept": [{"code": "arm"}]}, **members))
    assert system.subsumes("body", "arm") is is_subsumed
    assert system.concepts["arm"].parents == ("body",)


def test_a_circle_in_a_hierarchy_does_no_harm() -> None:
    concepts = [{"code": a, "property": [{"code": "parent", "valueCode": b}]} for a, b in ("ab", "bc", "ca")]
    system = code_system_of(code_system(*concepts))
    assert system.descendants("a") == system.ancestors("a") == {"a", "b", "c"}


def test_a_hierarchy_may_be_as_deep_as_json_allows() -> None:
    concept: dict[str, Any] = {"code": "0"}
    for depth in range(1, 5000):
        concept = {"code": str(depth), "concept": [concept]}
    assert len(code_system_of(code_system(concept)).ancestors("0")) == 5000


def test_case_counts_only_where_the_system_says_so() -> None:
    strict = code_system_of(code_system({"code": "Lion"}, caseSensitive=True))
    unsaid = code_system_of(code_system({"code": "Lion"}))
    assert strict.find("lion") is None
    assert strict.find("lion", ignoring_case=True) == strict.find("Lion")
    found = unsaid.find("LION")
    assert found is not None
    assert found.code == "Lion"


def test_what_is_abstract_or_inactive_is_told_by_properties_whatever_they_are_called() -> None:
    declared = [
        {"code": "group", "uri": f"{PROPERTY}notSelectable", "type": "boolean"},
        {"code": "gone", "uri": f"{PROPERTY}inactive", "type": "boolean"},
    ]
    concepts = code_system_of(
        code_system(
            {"code": "a", "property": [{"code": "group", "valueBoolean": True}]},
            {"code": "b", "property": [{"code": "gone", "valueBoolean": True}]},
            {"code": "c", "property": [{"code": "status", "valueCode": "retired"}]},
            {"code": "d", "property": [{"code": "gone", "valueBoolean": False}]},
            property=declared,
        )
    ).concepts
    assert [code for code, concept in concepts.items() if concept.is_abstract] == ["a"]
    assert [code for code, concept in concepts.items() if concept.is_inactive] == ["b", "c"]


def test_properties_are_kept_as_texts() -> None:
    values: list[dict[str, Any]] = [
        {"valueInteger": 12},
        {"valueDecimal": Decimal("1.50")},
        {"valueBoolean": True},
        {"valueString": "x y"},
        {"valueCoding": {"system": "urn:x", "code": "1"}},
    ]
    concept = {"code": "a", "property": [{"code": "p", **value} for value in values]}
    kept = code_system_of(code_system(concept)).concepts["a"].properties
    assert [text for _, text in kept] == ["12", "1.50", "true", "x y", "urn:x|1"]
