"""How the result is wanted: sorted, counted, cut down, page by page. https://hl7.org/fhir/R4/search.html#return"""

from __future__ import annotations

from itertools import groupby
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

pytestmark = pytest.mark.xdist_group("search records")

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}


def link(bundle, relation):
    return next((each["url"] for each in bundle["link"] if each["relation"] == relation), None)


@pytest.fixture(scope="module")
def sort_values(brute_force):
    """(type, parameter) → the values of a resource that it is sorted by, in a form that Python orders as FHIR does."""

    def texts(*paths):
        return lambda tree: [brute_force.folded(v) for path in paths for v in brute_force.values(tree, path)]

    def spans(path, end):
        return lambda tree: [brute_force.span(value)[end] for value in brute_force.values(tree, path)]

    def quantity(tree):
        return [value["value"] for value in brute_force.values(tree, "valueQuantity")]

    def references(path):
        return lambda tree: [v["reference"] for v in brute_force.values(tree, path) if "reference" in v]

    return {
        ("Patient", "family"): texts("name.family"),
        ("Patient", "given"): texts("name.given"),
        ("Patient", "address-city"): texts("address.city"),
        ("Patient", "gender"): texts("gender"),
        ("Patient", "birthdate"): spans("birthDate", 0),
        ("Patient", "death-date"): spans("deceasedDateTime", 0),
        ("Encounter", "date"): spans("period", 0),
        ("Encounter", "status"): texts("status"),
        ("Encounter", "service-provider"): references("serviceProvider"),
        ("MedicationRequest", "authoredon"): spans("authoredOn", 0),
        ("MedicationRequest", "intent"): texts("intent"),
        ("Observation", "value-quantity"): quantity,
    }


def in_order(trees, keys):
    """Sorted by (values, is descending) keys: lowest value first, or highest first, and what has none always last."""
    for values, is_descending in reversed(keys):
        present = [tree for tree in trees if values(tree)]
        missing = [tree for tree in trees if not values(tree)]
        if is_descending:
            present.sort(key=lambda tree: max(values(tree)), reverse=True)
        else:
            present.sort(key=lambda tree: min(values(tree)))
        trees = present + missing
    return trees


def signature(tree, keys):
    return [
        None if not values(tree) else max(values(tree)) if is_descending else min(values(tree))
        for values, is_descending in keys
    ]


SORTS = [
    ("Patient", "family", "", 5),
    ("Patient", "-given", "", 5),
    ("Patient", "address-city", "", 1),
    ("Patient", "gender", "", 4),
    ("Patient", "-birthdate", "", 3),
    ("Patient", "death-date", "", 5),
    ("Patient", "-death-date", "", 2),
    ("Patient", "gender,-birthdate", "", 5),
    ("Patient", "-death-date,gender,family", "", 5),
    ("Patient", "death-date,-given", "gender=male", 3),
    ("Encounter", "date", "", 100),
    ("Encounter", "-date", "status=finished", 64),
    ("Encounter", "-date", "subject:Patient.gender=female", 64),
    ("Encounter", "status,-date", "", 70),
    ("Encounter", "service-provider,date", "", 70),
    ("MedicationRequest", "-authoredon", "", 31),
    ("MedicationRequest", "intent,authoredon", "", 31),
    ("Observation", "value-quantity", "code=8302-2,8310-5,718-7", 50),
    ("Observation", "-value-quantity", "code=8302-2,55284-4", 50),
]


@pytest.mark.parametrize(("type_name", "sort", "query", "count"), SORTS)
def test_matches_come_in_the_order_that_was_asked_for(records, sort_values, type_name, sort, query, count):
    keys = [(sort_values[type_name, part.removeprefix("-")], part.startswith("-")) for part in sort.split(",")]
    unsorted = records.found(f"{type_name}?{query}&_count=1000")
    assert len(unsorted) >= 4
    found = records.found(f"{type_name}?{query}&_sort={sort}&_count={count}")
    trees = [records.trees[type_name][each] for each in found]
    assert sorted(found) == unsorted
    wanted = in_order([records.trees[type_name][each] for each in unsorted], keys)
    assert [signature(tree, keys) for tree in trees] == [signature(tree, keys) for tree in wanted]
    # Ties come in the same order whatever the size of the pages.
    assert records.found(f"{type_name}?{query}&_sort={sort}&_count=1000") == found


def test_ties_are_broken_as_asked(records):
    for sort, is_up in (("gender,_id", True), ("gender,-_id", False), ("-gender,-_id", False), ("-gender,_id", True)):
        found = records.found(f"Patient?_sort={sort}&_count=3")
        genders = [(records.trees["Patient"][each]["gender"], each) for each in found]
        groups = [[each for _, each in group] for _, group in groupby(genders, key=lambda pair: pair[0])]
        assert len(groups) == 2
        assert all(group == sorted(group, reverse=not is_up) for group in groups), sort
        assert [gender for gender, _ in genders] == sorted((g for g, _ in genders), reverse=sort[0] == "-")


@pytest.mark.parametrize(
    "sort", ["_lastUpdated", "-_lastUpdated", "_lastUpdated,-_id", "-_lastUpdated,_id", "_id", "-_id"]
)
def test_by_the_time_of_the_last_change(records, sort):
    trees = records.of("Patient")
    for part in reversed(sort.split(",")):
        if part.endswith("_id"):
            trees = sorted(trees, key=lambda tree: tree["id"], reverse=part[0] == "-")
        else:
            trees = sorted(trees, key=lambda tree: tree["meta"]["lastUpdated"], reverse=part[0] == "-")
    found = records.found(f"Patient?_sort={sort}&_count=5")
    if "," in sort or "_id" in sort:
        assert found == [tree["id"] for tree in trees]
    else:
        times = [records.trees["Patient"][each]["meta"]["lastUpdated"] for each in found]
        assert times == [tree["meta"]["lastUpdated"] for tree in trees]
        assert len(set(found)) == len(trees)


@pytest.mark.parametrize(
    "sort", ["nonsense", "name:exact", ",", "name,", "name,name", "name,-name", "", "-", "code-value-quantity"]
)
def test_an_order_that_makes_no_sense_is_refused(records, sort):
    text = records.get(f"Observation?_sort={sort.replace('name', 'status')}", 400)["issue"][0]["diagnostics"]
    assert "sort" in text


def test_too_many_keys_are_refused(records):
    known = "code,date,status,subject,encounter,category,performer,_lastUpdated,value-quantity"
    assert records.get(f"Observation?_sort={known}", 400)["issue"][0]["code"] == "too-costly"
    assert records.get(f"Observation?_sort={known.rpartition(',')[0]}&_count=1")["entry"]


def test_only_the_number_is_told(records):
    wanted = len(records.ids("Encounter", lambda tree: tree["status"] == "finished"))
    for query in ("_count=0", "_summary=count", "_summary=count&_count=5", "_count=0&_total=none"):
        bundle = records.get(f"Encounter?status=finished&{query}")
        assert bundle["total"] == wanted
        assert "entry" not in bundle
        assert link(bundle, "next") is None
    for total in ("accurate", "estimate"):
        assert records.get(f"Encounter?status=finished&_count=2&_total={total}")["total"] == wanted
    assert "total" not in records.get("Encounter?status=finished&_count=2&_total=none")


def is_marked(resource):
    return any({k: tag.get(k) for k in SUBSETTED} == SUBSETTED for tag in resource["meta"].get("tag", []))


def cut(records, type_name, query):
    """(whole, as it was given) for each match."""
    entries = records.walk(f"{type_name}?{query}&_count=1000")
    assert entries
    return [
        (records.trees[type_name][e["resource"]["id"]], e["resource"])
        for e in entries
        if e["search"]["mode"] == "match"
    ]


def test_only_some_elements_are_given(records):
    for whole, given in cut(records, "Patient", "_elements=name,birthDate"):
        # A modifier stays, because without it the rest would be misread: these patients are dead.
        assert given.keys() - {"deceasedDateTime"} == {"resourceType", "id", "meta", "name", "birthDate"}
        assert given.get("deceasedDateTime") == whole.get("deceasedDateTime")
        assert (given["name"], given["birthDate"]) == (whole["name"], whole["birthDate"])
        assert is_marked(given)
    for whole, given in cut(records, "Observation", "_elements=value,identifier&code=8302-2"):
        assert given.keys() == {"resourceType", "id", "meta", "status", "code", "valueQuantity"} | (
            whole.keys() & {"identifier"}
        )
        assert given["valueQuantity"] == whole["valueQuantity"]


def test_elements_say_nothing_about_what_comes_along(records):
    entries = records.walk("Encounter?_elements=period&_include=Encounter:patient&_count=20&status=finished&class=AMB")
    for entry in entries:
        resource = entry["resource"]
        if entry["search"]["mode"] == "include":
            assert resource == records.trees["Patient"][resource["id"]]
        else:
            assert resource.keys() == {"resourceType", "id", "meta", "status", "class", "period"}
    assert {entry["search"]["mode"] for entry in entries} == {"match", "include"}


def test_every_form_of_summary(records):
    for whole, given in cut(records, "Patient", "_summary=data"):
        assert given.keys() == whole.keys() - {"text"}
        assert is_marked(given)
    for whole, given in cut(records, "Patient", "_summary=text"):
        assert given.keys() == {"resourceType", "id", "meta", *({"text", "deceasedDateTime"} & whole.keys())}
        assert is_marked(given)
    for whole, given in cut(records, "Patient", "_summary=true"):
        assert given.keys() <= whole.keys()
        assert given["name"] == whole["name"]
        assert not {"text", "communication", "maritalStatus", "extension"} & given.keys()
        assert is_marked(given)
    for whole, given in cut(records, "Encounter", "_summary=true&_lastUpdated=gt2000"):
        # The participant is in the summary, its period is not.
        assert all("period" not in each for each in given.get("participant", []))
        assert len(given.get("participant", [])) == len(whole.get("participant", []))
        assert {"status", "class", "subject"} <= given.keys()
    for whole, given in cut(records, "Patient", "_summary=false"):
        assert given == whole


def test_the_parameters_may_come_in_the_body(records):
    for url, body in (
        ("Patient/_search", "gender=female&_sort=-birthdate&_count=2"),
        ("Patient/_search?gender=female", "_sort=-birthdate&_count=2"),
        ("Patient/_search?gender=female&_sort=-birthdate&_count=2", ""),
    ):
        answer = records.client.post(f"/fhir/{url}", data=body, headers=FORM)
        assert answer.status_code == 200, answer.text
        assert answer.get_json() == records.get("Patient?gender=female&_sort=-birthdate&_count=2")
    answer = records.client.post("/fhir/_search", data="_type=Patient&_count=2", headers=FORM)
    assert answer.get_json() == records.get("?_type=Patient&_count=2")


def test_the_self_link_states_what_was_really_used(records):
    query = "gender=female&_sort=-birthdate&_count=5000&nonsense=1&_elements=name&name:odd=x&_format=json&_sort:x=1"
    answer = records.client.get(f"/fhir/Patient?{query}", headers={"Prefer": "handling=lenient"})
    bundle = answer.get_json()
    assert parse_qsl(urlsplit(link(bundle, "self")).query) == [
        ("gender", "female"), ("_sort", "-birthdate"), ("_elements", "name"), ("_count", "1000")
    ]  # fmt: skip
    told = next(e for e in bundle["entry"] if e["search"]["mode"] == "outcome")["resource"]["issue"]
    assert [issue["severity"] for issue in told] == ["warning"] * 3
    assert all(name in str(told) for name in ("nonsense", "name:odd", "_sort:x"))
    patient = records.of("Patient")[0]["id"]
    within = records.get(f"Patient/{patient}/Encounter?status=finished&_count=2")
    assert urlsplit(link(within, "self")).path == f"/fhir/Patient/{patient}/Encounter"
    assert urlsplit(link(within, "next")).path == f"/fhir/Patient/{patient}/Encounter"


@pytest.mark.parametrize("name", ["_count", "_total", "_summary", "_sort", "_elements", "_cursor"])
def test_what_can_be_said_only_once_is_refused_when_it_is_said_twice(records, name):
    value = {"_count": "1", "_total": "none", "_summary": "true", "_sort": "_id", "_elements": "id", "_cursor": "x"}[
        name
    ]
    assert name in records.get(f"Patient?{name}={value}&{name}={value}", 400)["issue"][0]["diagnostics"]


def test_contained_resources_are_no_matches(records):
    assert records.found("Patient?_contained=false&_count=1000") == records.ids("Patient")
    assert "_contained" in records.get("Patient?_contained=x", 400)["issue"][0]["diagnostics"]


def test_a_cursor_is_good_for_its_own_query_only(records):
    following = link(records.get("Patient?gender=female&_count=2&_sort=family"), "next")
    cursor = dict(parse_qsl(urlsplit(following).query))["_cursor"]
    assert records.get(following)["entry"]
    others = [
        f"Patient?gender=male&_count=2&_sort=family&_cursor={cursor}",
        f"Patient?gender=female&_count=3&_sort=family&_cursor={cursor}",
        f"Patient?gender=female&_count=2&_sort=-family&_cursor={cursor}",
        f"Patient?gender=female&_count=2&_cursor={cursor}",
        f"Encounter?_count=2&_cursor={cursor}",
        f"?_type=Patient&_count=2&_cursor={cursor}",
        f"Patient/{records.of('Patient')[0]['id']}/Encounter?_count=2&_cursor={cursor}",
    ]
    for number in range(0, len(cursor), 3):
        letter = "A" if cursor[number] != "A" else "B"
        others.append(
            f"Patient?gender=female&_count=2&_sort=family&_cursor={cursor[:number]}{letter}{cursor[number + 1 :]}"
        )
    for odd in ("", "x", "%00", "é", "=", "A" * 5000, cursor[:-2], cursor + "AAAA", quote("W10=")):
        others.append(f"Patient?gender=female&_count=2&_sort=family&_cursor={odd}")
    for url in others:
        assert "cursor" in records.get(url, 400)["issue"][0]["diagnostics"], url
