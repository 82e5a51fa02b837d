"""The searches that the US Core test plans ask for, answered with exactly the right resources.

https://hl7.org/fhir/us/core/capability-statements.html and `fhir/us-core/api-test-plans.zip`
"""

from __future__ import annotations

import zipfile
from urllib.parse import quote, urlencode

import pytest
import yaml

pytestmark = pytest.mark.xdist_group("search records")

VERSIONS = ("v3.1.1", "v6.1.0", "v7.0.0")
TYPES = {"Patient": "patient", "Encounter": "encounter", "MedicationRequest": "medication_request"}
COMPARATORS = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb")
# Resources whose values are searched for, of each type.
SAMPLES = 12


@pytest.fixture(scope="module")
def plans(shared):
    """(version, type) → the plan, and under (version, None) the plans of all types."""
    found = {}
    with zipfile.ZipFile(shared / "fhir/us-core/api-test-plans.zip") as archive:
        for version in VERSIONS:
            for type_name, name in TYPES.items():
                text = archive.read(f"inferno-metadata/{version}_{name}.yml")
                found[version, type_name] = yaml.safe_load(text)
            found[version, None] = yaml.safe_load(archive.read(f"inferno-metadata/us_core_{version}.yml"))
    return found


class Parameter:
    """One parameter of a plan: its values in resources, and how they are compared."""

    def __init__(self, name, definition, brute_force):
        self.name, self.paths, self.kind = name, definition[":paths"], definition[":type"]
        self.comparators = definition[":comparators"]
        self._force = brute_force

    def holds(self, tree, wanted):
        compare = {
            "Reference": self._force.points_to,
            "HumanName": self._force.has_text,
            "string": self._force.has_text,
            "date": self._force.has_date,
            "dateTime": self._force.has_date,
            "instant": self._force.has_date,
            "Period": self._force.has_date,
        }.get(self.kind, self._force.has_code)
        return any(
            compare(value, text)
            for path in self.paths
            for value in self._force.values(tree, path)
            for text in wanted.split(",")
        )

    def texts_of(self, tree):
        """What may be asked for to find a resource by one of its values, in every form."""
        found = []
        for path in self.paths:
            for value in self._force.values(tree, path):
                found += self._texts(value)
        return list(dict.fromkeys(found))

    def _texts(self, value):
        if self.kind == "Reference":
            return [value["reference"], value["reference"].partition("/")[2]]
        if self.kind == "HumanName":
            return [value["family"], value["given"][0], value["given"][0][:3].upper()]
        if self.kind == "string":
            return [value, value[:3].lower()]
        if self.kind in ("date", "dateTime", "instant", "Period"):
            text = value.get("start") if isinstance(value, dict) else value
            return [text, text[:10], text[:7], text[:4]] if text else []
        if isinstance(value, str):
            return [value]
        return [text for system, code in sorted(self._force.codes(value)) for text in (code, f"{system}|{code}")]


def samples(records, type_name):
    trees = records.of(type_name)
    return trees[:: max(1, len(trees) // SAMPLES)][:SAMPLES]


def parameters_of_plan(plan, brute_force):
    return {
        name.removeprefix(":"): Parameter(name.removeprefix(":"), definition, brute_force)
        for name, definition in plan[":search_definitions"].items()
    }


def check(records, type_name, asked):
    """Search for (parameter, text) pairs, all of which must hold; the number of matches."""
    query = urlencode([(parameter.name, text) for parameter, text in asked], quote_via=quote)
    wanted = records.ids(type_name, lambda tree: all(parameter.holds(tree, text) for parameter, text in asked))
    assert sorted(records.found(f"{type_name}?_count=1000&{query}")) == sorted(wanted), query
    return len(wanted)


@pytest.mark.parametrize("type_name", TYPES)
@pytest.mark.parametrize("version", VERSIONS)
def test_every_search_of_the_plan_finds_exactly_what_it_should(records, plans, brute_force, version, type_name):
    plan = plans[version, type_name]
    known = parameters_of_plan(plan, brute_force)
    done = matches = 0
    for search in plan[":searches"]:
        for tree in samples(records, type_name):
            texts = [known[name].texts_of(tree) for name in search[":names"]]
            if not all(texts):
                continue  # the resource has no value for one of the parameters
            # Every form of each value, in step: as many queries as the parameter with the most forms has.
            for number in range(max(map(len, texts))):
                chosen = [each[number % len(each)] for each in texts]
                asked = [(known[name], text) for name, text in zip(search[":names"], chosen, strict=True)]
                matches += check(records, type_name, asked)
                done += 1
    assert done >= SAMPLES
    assert matches >= done * 0.9


@pytest.mark.parametrize("type_name", TYPES)
@pytest.mark.parametrize("version", VERSIONS)
def test_every_comparator_of_the_plan_finds_exactly_what_it_should(records, plans, brute_force, version, type_name):
    known = parameters_of_plan(plans[version, type_name], brute_force)
    done = both = 0
    for parameter in known.values():
        assert {name.removeprefix(":") for name in parameter.comparators} in (set(), {*COMPARATORS, "ap"})
        if not parameter.comparators:
            continue
        trees = [tree for tree in records.of(type_name) if parameter.texts_of(tree)]
        for tree in trees[:: max(1, len(trees) // 4)][:4]:
            texts = parameter.texts_of(tree)
            for text in texts:
                for comparator in COMPARATORS:
                    check(records, type_name, [(parameter, comparator + text)])
                    done += 1
            # Repeating a parameter means that both must hold.
            both += check(records, type_name, [(parameter, f"ge{texts[2]}"), (parameter, f"le{texts[1]}")])
            check(records, type_name, [(parameter, f"gt{texts[-1]}"), (parameter, f"lt{texts[1]}")])
            about = set(records.found(f"{type_name}?_count=1000&{parameter.name}=ap{quote(texts[1])}"))
            assert set(records.ids(type_name, lambda each, by=parameter, day=texts[1]: by.holds(each, day))) <= about
    assert done >= 2 * len(COMPARATORS)
    assert both >= 1  # though not of every record: one that lasts beyond its first day is not "le" that day


@pytest.mark.parametrize("type_name", TYPES)
@pytest.mark.parametrize("version", VERSIONS)
def test_several_values_of_a_parameter_find_what_any_of_them_does(records, plans, brute_force, version, type_name):
    known = parameters_of_plan(plans[version, type_name], brute_force)
    trees = samples(records, type_name)
    done = 0
    for parameter in known.values():
        texts = [parameter.texts_of(tree)[-1] for tree in trees if parameter.texts_of(tree)]
        several = list(dict.fromkeys(texts))[:3]
        if several:
            assert check(records, type_name, [(parameter, ",".join(several))]) >= len(several)
            check(records, type_name, [(parameter, ",".join(texts)), (parameter, several[-1])])
            done += 1
    assert done >= 4


def test_what_belongs_to_requests_comes_along(records, plans):
    assert plans["v6.1.0", "MedicationRequest"][":include_params"] == ["MedicationRequest:medication"]
    assert plans["v6.1.0", "MedicationRequest"][":revincludes"] == ["Provenance:target"]
    patient = next(tree["subject"]["reference"] for tree in records.of("MedicationRequest"))
    mine = [tree for tree in records.of("MedicationRequest") if tree["subject"]["reference"] == patient]
    names = {f"MedicationRequest/{tree['id']}" for tree in mine}
    entries = records.walk(
        f"MedicationRequest?patient={patient}&_include=MedicationRequest:medication&_revinclude=Provenance:target&_count=1000"
    )
    included = {
        f"{e['resource']['resourceType']}/{e['resource']['id']}" for e in entries if e["search"]["mode"] == "include"
    }
    medications = {tree["medicationReference"]["reference"] for tree in mine if "medicationReference" in tree}
    provenances = {
        f"Provenance/{tree['id']}"
        for tree in records.of("Provenance")
        if names & {target["reference"] for target in tree["target"]}
    }
    assert included == medications | provenances
    assert provenances


def test_of_all_plans_every_parameter_is_served(records, plans):
    asked = {
        (group[":resource"], name)
        for version in VERSIONS
        for group in plans[version, None][":groups"]
        for search in group.get(":searches", [])
        for name in search[":names"]
    }
    refused = {
        (type_name, name)
        for type_name, name in asked
        if "is not known" in records.client.get(f"/fhir/{type_name}?{name}=1").text
    }
    assert len(asked) > 100
    assert refused == set()
