"""Value sets: what is included, less what is excluded. https://hl7.org/fhir/R4/valueset.html#compositions"""

from __future__ import annotations

from typing import Any

import pytest

from resources.terminology import (
    R4,
    CannotExpand,
    DefinedTerminology,
    Expansion,
    R4Definitions,
    held_definitions,
)
from resources.terminology.compose import MAX_CODES

Json = dict[str, Any]

ANIMALS: Json = {
    "resourceType": "CodeSystem",
    "url": "urn:animals",
    "version": "1",
    "status": "active",
    "content": "complete",
    "property": [
        {"code": "legs", "type": "integer"},
        {"code": "sound", "type": "string"},
        {"code": "habitat", "type": "Coding"},
    ],
    "filter": [{"code": "tame", "operator": ["="], "value": "true or false"}],
    "concept": [
        {
            "code": "mammal",
            "display": "Mammal",
            "property": [{"code": "notSelectable", "valueBoolean": True}],
            "concept": [
                {
                    "code": "cat",
                    "property": [{"code": "legs", "valueInteger": 4}, {"code": "sound", "valueString": "meow"}],
                    "concept": [{"code": "lion", "property": [{"code": "legs", "valueInteger": 4}]}],
                },
                {
                    "code": "whale",
                    "property": [{"code": "habitat", "valueCoding": {"system": "urn:places", "code": "sea"}}],
                },
            ],
        },
        {"code": "dodo", "property": [{"code": "inactive", "valueBoolean": True}, {"code": "legs", "valueInteger": 2}]},
    ],
}
ALL = {"mammal", "cat", "lion", "whale", "dodo"}


def value_set(*include: Json, url: str = "urn:set", exclude: list[Json] | None = None, **members: Any) -> Json:
    compose: Json = {"include": list(include)}
    if exclude is not None:
        compose["exclude"] = exclude
    return {"resourceType": "ValueSet", "url": url, "status": "active", "compose": compose, **members}


def listed(*codes: str, system: str = "urn:animals") -> Json:
    return {"system": system, "concept": [{"code": code} for code in codes]}


def terminology(*resources: Json) -> DefinedTerminology:
    return DefinedTerminology(held_definitions([ANIMALS, *resources]), R4Definitions())


def expanded(*resources: Json) -> Expansion:
    """The expansion of the first resource, the others being held as well."""
    found = terminology(*resources).value_set(resources[0]["url"])
    assert found is not None
    return found


def codes(*resources: Json) -> list[str]:
    return [entry.code for entry in expanded(*resources).entries]


def refusal(*resources: Json) -> CannotExpand:
    with pytest.raises(CannotExpand) as raised:
        expanded(*resources)
    return raised.value


@pytest.mark.parametrize(
    ("name", "operator", "value", "expected"),
    [
        ("concept", "is-a", "cat", {"cat", "lion"}),
        ("code", "is-a", "cat", {"cat", "lion"}),
        ("concept", "is-a", "CAT", {"cat", "lion"}),  # the system does not say that case matters
        ("concept", "descendent-of", "mammal", {"cat", "lion", "whale"}),
        ("concept", "is-not-a", "cat", {"mammal", "whale", "dodo"}),
        ("concept", "generalizes", "lion", {"lion", "cat", "mammal"}),
        ("concept", "in", "cat, whale,unicorn", {"cat", "whale"}),
        ("concept", "not-in", "cat,whale", {"mammal", "lion", "dodo"}),
        ("legs", "=", "4", {"cat", "lion"}),
        ("legs", "in", "2,4", {"cat", "lion", "dodo"}),
        ("legs", "not-in", "2", ALL - {"dodo"}),
        ("legs", "exists", "true", {"cat", "lion", "dodo"}),
        ("legs", "exists", "false", {"mammal", "whale"}),
        ("habitat", "=", "sea", {"whale"}),
        ("habitat", "=", "urn:places|sea", {"whale"}),
        ("sound", "regex", "m.*w", {"cat"}),
        ("code", "regex", "[lino]+", {"lion"}),
        ("display", "=", "Mammal", {"mammal"}),
        ("parent", "=", "mammal", {"cat", "whale"}),
        ("child", "=", "lion", {"cat"}),
        ("child", "exists", "false", {"lion", "whale", "dodo"}),
        ("inactive", "=", "false", ALL - {"dodo"}),
        ("notSelectable", "=", "true", {"mammal"}),
    ],
)
def test_a_filter_selects_as_r4_says(name: str, operator: str, value: str, expected: set[str]) -> None:
    rule = {"system": "urn:animals", "filter": [{"property": name, "op": operator, "value": value}]}
    assert set(codes(value_set(rule))) == expected


@pytest.mark.parametrize(
    ("name", "operator", "value", "reason"),
    [
        ("concept", "is-a", "unicorn", "'unicorn' is not in the code system"),
        ("legs", "is-a", "4", "is about concepts"),
        ("wings", "=", "2", "says nothing of a property 'wings'"),
        ("tame", "=", "true", "says nothing of a property 'tame'"),
        ("legs", "exists", "perhaps", "neither true nor false"),
        ("legs", "regex", "(4+)+", "a group is repeated"),
        ("sound", "regex", "[", "not closed"),
        ("legs", "greater", "2", "no operator"),
    ],
)
def test_a_filter_that_cannot_be_followed_exactly_is_named(name: str, operator: str, value: str, reason: str) -> None:
    rule = {"system": "urn:animals", "filter": [{"property": name, "op": operator, "value": value}]}
    fault = refusal(value_set(rule))
    assert reason in fault.text
    assert (fault.system, fault.filter) == ("urn:animals", f"{name} {operator} {value}")


def test_all_filters_of_a_rule_must_hold_and_codes_keep_the_order_of_their_system() -> None:
    filters = [
        {"property": "concept", "op": "is-a", "value": "mammal"},
        {"property": "legs", "op": "exists", "value": "true"},
    ]
    assert codes(value_set({"system": "urn:animals", "filter": filters})) == ["cat", "lion"]
    assert codes(value_set({"system": "urn:animals"})) == ["mammal", "cat", "lion", "whale", "dodo"]


def test_rules_are_united_and_exclusions_taken_away() -> None:
    everything = value_set(listed("lion"), {"system": "urn:animals"}, exclude=[listed("cat", "mammal")])
    assert codes(everything) == ["lion", "whale", "dodo"]


def test_codes_that_are_listed_need_no_system_that_is_held() -> None:
    rule = {"system": "http://snomed.info/sct", "concept": [{"code": "1", "display": "One"}, {"code": "2"}]}
    entries = expanded(value_set(rule)).entries
    assert [(entry.code, entry.display) for entry in entries] == [("1", "One"), ("2", None)]


def test_an_entry_tells_what_the_system_says_unless_the_set_says_otherwise() -> None:
    rule = {"system": "urn:animals", "concept": [{"code": "mammal", "display": "Beast"}, {"code": "dodo"}]}
    beast, dodo = expanded(value_set(rule)).entries
    assert (beast.display, beast.version, beast.is_abstract, beast.is_inactive) == ("Beast", "1", True, False)
    assert (dodo.display, dodo.is_inactive) == ("dodo", True)


def test_inactive_codes_are_left_out_where_the_set_says_so() -> None:
    definition = value_set({"system": "urn:animals"})
    definition["compose"]["inactive"] = False
    assert "dodo" not in codes(definition)
    definition["compose"]["inactive"] = True
    assert "dodo" in codes(definition)


def test_of_several_imported_sets_in_one_rule_the_codes_in_all_of_them_are_meant() -> None:
    first = value_set(listed("cat", "lion", "dodo"), url="urn:1")
    second = value_set(listed("lion", "dodo", "whale"), url="urn:2")
    assert codes(value_set({"valueSet": ["urn:1", "urn:2"]}), first, second) == ["lion", "dodo"]
    assert set(codes(value_set({"valueSet": ["urn:1"]}, {"valueSet": ["urn:2"]}), first, second)) == {
        *("cat", "lion", "dodo", "whale")
    }


def test_a_system_beside_an_imported_set_narrows_it_even_where_the_system_is_not_held() -> None:
    mixed = value_set(listed("cat"), listed("1", "2", system="urn:unheard"), url="urn:mixed")
    assert codes(value_set({"system": "urn:unheard", "valueSet": ["urn:mixed"]}), mixed) == ["1", "2"]
    felines = {"property": "concept", "op": "is-a", "value": "cat"}
    rule = {"system": "urn:animals", "filter": [felines], "valueSet": ["urn:mixed"]}
    assert codes(value_set(rule), mixed) == ["cat"]


def test_sets_that_import_each_other_in_a_circle_are_refused() -> None:
    first = value_set({"valueSet": ["urn:2"]}, url="urn:1")
    second = value_set({"valueSet": ["urn:1"]}, url="urn:2")
    assert "in a circle: urn:1, urn:2, urn:1" in refusal(first, second).text
    assert "in a circle" in refusal(value_set({"valueSet": ["urn:set"]})).text


def test_a_chain_of_imports_that_is_too_long_is_refused_and_a_wide_one_is_worked_out_once() -> None:
    chain = [value_set({"valueSet": [f"urn:{n + 1}"]}, url=f"urn:{n}") for n in range(40)]
    assert refusal(*chain, value_set(listed("cat"), url="urn:40")).code == "too-costly"
    doubling = [
        value_set({"valueSet": [f"urn:{n + 1}"]}, {"valueSet": [f"urn:{n + 1}"]}, url=f"urn:{n}") for n in range(18)
    ]
    assert codes(*doubling, value_set(listed("cat"), url="urn:18")) == ["cat"]


def test_what_is_imported_and_not_held_is_named() -> None:
    fault = refusal(value_set({"valueSet": ["urn:gone"]}))
    assert "'urn:gone', which it imports, is not held here" in fault.text
    fault = refusal(value_set(listed("cat"), {"system": "urn:unheard"}))
    assert (fault.code, fault.system) == ("not-found", "urn:unheard")
    fault = refusal(value_set({"system": "urn:animals", "version": "2"}))
    assert "'urn:animals|2' is not held here" in fault.text


STORED: Json = {
    "timestamp": "2026-01-01",
    "contains": [
        {"display": "Group", "contains": [{"system": "urn:a", "code": "1", "display": "One"}]},
        {"system": "urn:a", "code": "2", "abstract": True, "inactive": True, "version": "7"},
    ],
}


def test_a_stored_expansion_is_used_where_there_is_no_compose() -> None:
    only = {"resourceType": "ValueSet", "url": "urn:set", "status": "active", "expansion": STORED}
    one, two = expanded(only).entries
    assert (one.code, one.display, one.is_abstract) == ("1", "One", False)
    assert (two.version, two.is_abstract, two.is_inactive) == ("7", True, True)


def test_a_stored_expansion_is_used_where_the_compose_draws_on_what_is_not_held_and_only_there() -> None:
    assert codes(value_set({"system": "urn:unheard"}, expansion=STORED)) == ["1", "2"]
    assert codes(value_set(listed("cat"), expansion=STORED)) == ["cat"]
    outer = value_set({"valueSet": ["urn:inner"]}, listed("cat"))
    assert codes(outer, value_set({"system": "urn:unheard"}, url="urn:inner", expansion=STORED)) == ["1", "2", "cat"]
    assert "in a circle" in refusal(value_set({"valueSet": ["urn:set"]}, expansion=STORED)).text


@pytest.mark.parametrize(
    "members",
    [
        {"total": 4},
        {"offset": 2},
        {"parameter": [{"name": "filter", "valueString": "x"}]},
        {
            "extension": [
                {"url": "http://hl7.org/fhir/StructureDefinition/valueset-unclosed", "valueBoolean": True},
            ]
        },
    ],
)
def test_a_part_of_an_expansion_never_passes_for_the_whole(members: Json) -> None:
    only = {"resourceType": "ValueSet", "url": "urn:set", "status": "active", "expansion": {**STORED, **members}}
    assert "only some of its codes" in refusal(only).text


def test_a_set_that_says_nothing_of_its_codes_is_refused() -> None:
    assert "neither a compose nor an expansion" in refusal({"resourceType": "ValueSet", "url": "urn:set"}).text


def test_a_set_with_too_many_codes_is_refused() -> None:
    rules = [listed(*map(str, range(at, at + 10_000))) for at in range(0, MAX_CODES + 1, 10_000)]
    assert refusal(value_set(*rules)).code == "too-costly"


def test_a_set_that_takes_too_long_is_refused() -> None:
    concepts = [{"code": "x" * 90 + str(number)} for number in range(100)]
    system = {
        "resourceType": "CodeSystem",
        "url": "urn:long",
        "status": "active",
        "content": "complete",
        "concept": concepts,
    }
    rule = {"system": "urn:long", "filter": [{"property": "code", "op": "regex", "value": "x*x*x*y"}]}
    assert refusal(value_set(rule), system).code == "too-costly"
    whole = value_set(*({"system": "urn:long"} for _ in range(20_000)))
    assert refusal(whole, system).code == "too-costly"


def test_held_definitions_go_before_those_of_r4_and_complete_them() -> None:
    snomed = {
        "resourceType": "CodeSystem",
        "url": "http://snomed.info/sct",
        "status": "active",
        "content": "fragment",
        "concept": [{"code": "442083009", "concept": [{"code": "39607008"}]}],  # body structure: lung
    }
    held = terminology(snomed)
    sites = held.value_set("http://hl7.org/fhir/ValueSet/body-site")
    assert sites is not None
    assert sites.codes == {"http://snomed.info/sct": {"442083009", "39607008"}}
    assert sites.partial == {"http://snomed.info/sct"}
    gender = value_set(listed("cat"), url="http://hl7.org/fhir/ValueSet/administrative-gender", version="9")
    held = terminology(gender)
    assert codes_of(held.value_set(gender["url"])) == ["cat"]
    assert codes_of(held.value_set(f"{gender['url']}|4.0.1")) == codes_of(R4.value_set(gender["url"]))


def codes_of(expansion: Expansion | None) -> list[str]:
    assert expansion is not None
    return [entry.code for entry in expansion.entries]


def test_of_several_versions_the_one_in_use_with_the_highest_version_is_meant() -> None:
    versions = [
        value_set(listed("cat"), version="1.9"),
        value_set(listed("lion"), version="1.10"),
        value_set(listed("whale"), version="2.0", status="draft"),
        value_set(listed("dodo"), version="3.0", status="retired"),
    ]
    held = terminology(*versions)
    assert codes_of(held.value_set("urn:set")) == ["lion"]
    assert codes_of(held.value_set("urn:set|1.9")) == ["cat"]
    assert codes_of(held.value_set("urn:set|3.0")) == ["dodo"]
    assert held.value_set("urn:set|4") is None


def test_a_supplement_is_no_system_of_its_own() -> None:
    supplement = {
        **{"resourceType": "CodeSystem", "url": "urn:more", "status": "active", "content": "supplement"},
        **{"supplements": "urn:animals", "concept": [{"code": "cat", "display": "Katze"}]},
    }
    held = terminology(supplement)
    assert held.code_system("urn:more") is None
    assert [system.url for system in held.systems_with("cat") if system.url.startswith("urn:")] == ["urn:animals"]


def test_a_value_set_can_be_expanded_that_nobody_holds() -> None:
    expansion = terminology().expand(value_set({"system": "urn:animals"}))
    assert {entry.code for entry in expansion.entries} == ALL
