"""What the benchmarks send: searches that our server reads, whole transactions, and updates that change something."""

from __future__ import annotations

import json
import re
from itertools import islice

import pytest

from benchmarks.by_size import at_depths
from benchmarks.population import population, sample_patients, storing, transaction, update_template, with_version
from benchmarks.search_shapes import GROUPS, SHAPES, paths
from resources.document import parse_document
from resources.validation import errors_of, validate
from search.query_text import parse_pairs, parse_query


def test_there_are_at_least_thirty_shapes_and_no_name_twice():
    assert len(SHAPES) == sum(len(shapes) for shapes in GROUPS.values()) >= 30


@pytest.mark.parametrize("shape", SHAPES.values(), ids=list(SHAPES))
def test_every_shape_is_a_search_that_differs_only_in_its_values(shape):
    first = list(islice(paths(shape, 1000), 5))
    assert first == list(islice(paths(shape, 1000), 5))
    for address in first:
        path, _, query = address.partition("?")
        type_name = path.split("/")[-1]
        if type_name != "*":
            parse_query(parse_pairs(query), type_name)


def test_a_transaction_refers_to_its_own_entries_or_to_the_organization_by_name():
    bundle = json.loads(transaction(3))
    urls = {entry["fullUrl"] for entry in bundle["entry"]}
    assert len(urls) == 50
    references = set(re.findall(r'"reference":"([^"]+)"', transaction(3).decode()))
    inside = {reference for reference in references if reference.startswith("urn:uuid:")}
    assert inside
    assert inside <= urls
    assert not {reference for reference in references if reference.startswith("Patient/")}
    assert not errors_of(validate(parse_document(transaction(3)).tree))


def test_an_update_differs_by_its_number_alone():
    template = update_template(sample_patients(1)[0], "1")
    first, second = with_version(template, 1), with_version(template, 123_456)
    assert len(first) == len(second) == len(template)
    assert first != second
    assert not errors_of(validate(parse_document(first).tree))


def test_a_population_is_stored_under_its_own_ids():
    records = list(islice(population(5), 10))
    urls = [entry["request"]["url"] for entry in json.loads(storing(records))["entry"]]
    assert urls == [f"{record['resourceType']}/{record['id']}" for record in records]


def test_the_time_of_a_depth_is_that_of_the_pages_there():
    walks = [[0.1, 0.2, 0.3, 0.4, 0.5], [0.1, 0.2, 0.3, 0.4, 0.5]]
    assert at_depths(walks, (1, 3, 10)) == {"1": 100.0, "3": 400.0}
