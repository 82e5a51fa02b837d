"""The filters of a query mean the same in memory as in MongoDB. https://hl7.org/fhir/R4/search.html"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pymongo import MongoClient

from fhir_server.embedded_mongodb import EmbeddedMongoDB
from resources.problem import Problem
from search.index_entries import index_entries
from search.kinds.string import folded
from search.match import matches
from search.parameters import parameters_of
from search.plan import criteria_filter
from search.query_text import parse_query

BASE = "http://localhost:8080/fhir"

# Few and alike, so that queries meet resources, with what could upset an index: separators, escapes, accents, extremes.
WORDS = [
    "a",
    "A",
    "ab",
    "a|b",
    "a\\",
    "a,b",
    "ä",
    "Äb",
    "ß",
    "ss",
    "é",
    "e",
    " a",
    "a b",
    "|",
    "x" * 250,
    "x" * 250 + "y",
    "\U0010ffff",
    "\x01",
]
SYSTEMS = ["urn:a", "urn:a|b", "URN:A", "urn:" + "y" * 250]
REFERENCES = [
    "Patient/1",
    "Patient/2",
    "Group/1",
    f"{BASE}/Patient/1",
    "http://x.example/fhir/Patient/1",
    "Patient/1/_history/3",
    "urn:uuid:1",
    "#1",
]

words = st.sampled_from(WORDS)
systems = st.none() | st.sampled_from(SYSTEMS)


def without_none(**members):
    return {name: value for name, value in members.items() if value not in (None, [])}


identifiers = st.builds(lambda system, value: without_none(system=system, value=value), systems, st.none() | words)
codings = st.builds(lambda system, code: without_none(system=system, code=code), systems, st.none() | words)
resources = st.builds(
    lambda identifier, code, subject, performer, instantiates: {
        "resourceType": "CarePlan",
        **without_none(identifier=identifier, category=[{"coding": code}], subject=subject),
        **without_none(careTeam=performer, instantiatesUri=instantiates),
    },
    st.lists(identifiers, max_size=2),
    st.lists(codings, max_size=2),
    st.none() | st.sampled_from(REFERENCES).map(lambda text: {"reference": text}),
    st.lists(st.sampled_from(REFERENCES).map(lambda text: {"reference": text}), max_size=2),
    st.lists(words, max_size=2),
)
people = st.builds(
    lambda family, given, city: {
        "resourceType": "Patient",
        "name": [without_none(family=family, given=given)],
        "address": [without_none(city=city)],
    },
    st.none() | words,
    st.lists(words, max_size=2),
    st.none() | words,
)


def escaped(text):
    for character in "\\|,":
        text = text.replace(character, "\\" + character)
    return text


values = st.one_of(
    words.map(escaped),
    words,
    st.builds(lambda system, word: f"{escaped(system)}|{escaped(word)}", st.sampled_from(SYSTEMS), words),
    st.sampled_from(SYSTEMS).map(lambda system: escaped(system) + "|"),
    words.map(lambda word: "|" + escaped(word)),
    st.sampled_from(REFERENCES),
    st.sampled_from(["1", "2"]),
)
CODES = {
    "CarePlan": [
        "identifier",
        "category",
        "subject",
        "patient",
        "subject:Patient",
        "care-team",
        "instantiates-uri",
        "_id",
    ],
    "Patient": ["name", "family", "given", "address", "address-city", "_id"],
}


def queries(type_name):
    pair = st.tuples(st.sampled_from(CODES[type_name]), st.lists(values, min_size=1, max_size=3).map(",".join))
    return st.lists(pair, max_size=2)


@pytest.fixture(scope="session")
def collection(tmp_path_factory):
    """An empty collection of a MongoDB that runs for this session; its index is that of the server's collections."""
    with EmbeddedMongoDB(tmp_path_factory.mktemp("match") / "data", purpose="tests") as mongodb:
        client = MongoClient(mongodb.uri)
        found = client["test"][f"match_{os.getpid()}"]
        found.create_index([("k", 1), ("_id", 1)])
        yield found
        client.close()


def documents(resources):
    return [
        {"_id": str(number), "t": 1_700_000_000_000 + number, "k": index_entries(tree, BASE)}
        for number, tree in enumerate(resources, 1)
    ]


def agree(collection, type_name, resources, query):
    try:
        filter_ = criteria_filter(type_name, parse_query(query, parameters_of(type_name)).criteria, BASE)
    except Problem:
        return  # a text of blanks, or a reference to another type than the modifier names: refused, and never asked
    stored = documents(resources)
    collection.delete_many({})
    if stored:
        collection.insert_many(stored)
    found = {document["_id"] for document in collection.find(filter_, {"_id": 1})}
    assert found == {document["_id"] for document in stored if matches(filter_, document)}


relaxed = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@relaxed
@given(st.lists(resources, max_size=6), queries("CarePlan"))
@example(
    [{"resourceType": "CarePlan", "identifier": [{"system": "urn:a", "value": "a|b"}]}], [("identifier", "urn:a|a\\|b")]
)
def test_tokens_references_and_uris_match_alike_in_memory_and_in_mongodb(collection, stored, query):
    agree(collection, "CarePlan", stored, query)


@relaxed
@given(st.lists(people, max_size=6), queries("Patient"))
@example([{"resourceType": "Patient", "name": [{"family": "Äb"}]}], [("family", "ab")])
def test_strings_match_alike_in_memory_and_in_mongodb(collection, stored, query):
    agree(collection, "Patient", stored, query)


@relaxed
@given(
    st.lists(st.sampled_from(["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap", ""]), min_size=1, max_size=3),
    st.sampled_from(["2023-11-14T22:13:20.002Z", "2023-11-14T22:13:20Z", "2023", "2024"]),
)
def test_moments_match_alike_in_memory_and_in_mongodb(collection, prefixes, moment):
    agree(
        collection,
        "Patient",
        [{"resourceType": "Patient"}] * 3,
        [("_lastUpdated", prefix + moment) for prefix in prefixes],
    )


def finds(tree, *query):
    [document] = documents([tree])
    return matches(
        criteria_filter(tree["resourceType"], parse_query(query, parameters_of(tree["resourceType"])).criteria, BASE),
        document,
    )


@given(words, words)
def test_an_identifier_finds_itself_and_no_other(mine, other):
    tree = {"resourceType": "Patient", "identifier": [{"system": "urn:x", "value": mine}]}
    assert finds(tree, ("identifier", f"urn:x|{escaped(other)}")) == (mine == other)


@given(st.text(min_size=1, max_size=300), st.integers(1, 300))
def test_a_name_is_found_by_each_of_its_beginnings(name, length):
    tree = {"resourceType": "Patient", "name": [{"family": name}]}
    query = "family", escaped(name[:length])
    if folded(name[:length]):
        assert finds(tree, query)
    else:
        with pytest.raises(Problem, match="400"):
            finds(tree, query)
