"""What the official examples and generated patients are indexed by: always something, nothing twice, and not too much.

https://hl7.org/fhir/R4/downloads.html (examples)
"""

from __future__ import annotations

import bz2
import json
import re
from collections import defaultdict
from decimal import Decimal
from functools import partial
from statistics import median
from zipfile import ZipFile

import pytest

from search.context import Context
from search.index import index_values

CONTEXT = Context("http://localhost:8080/fhir", 1_767_225_600_000)


def tree_of(text):
    return json.loads(text, parse_float=Decimal)


def keys(fields):
    """How many keys the indexes hold for a resource: one for each entry and range, two for each parameter to sort by."""
    return sum(len(fields.get(name, ())) for name in "kdn") + 2 * len(fields.get("s", ()))


@pytest.fixture(scope="module")
def examples(shared):
    with ZipFile(shared / "fhir/r4/examples/json.zip") as archive:
        trees = [tree_of(archive.read(name)) for name in archive.namelist() if name.endswith(".json")]
    return [tree for tree in trees if "resourceType" in tree]


@pytest.fixture(scope="module")
def generated(shared):
    """The resources of two patients, referring to each other as they do once a transaction has stored them."""
    trees = []
    for version in ("v2.4", "v2.7"):
        path = next(p for p in sorted((shared / "synthea" / version).glob("*.bz2")) if "Information" not in p.name)
        text = bz2.decompress(path.read_bytes()).decode()
        entries = tree_of(text)["entry"]
        types = {
            entry["fullUrl"]: f"{entry['resource']['resourceType']}/{entry['resource']['id']}" for entry in entries
        }
        text = re.sub(r"urn:uuid:[-0-9a-f]{36}", partial(resolved, types), text)
        trees += [entry["resource"] for entry in tree_of(text)["entry"]]
    return trees


def resolved(types, found):
    return types.get(found[0], found[0])


def test_every_official_example_is_indexed_and_by_nothing_twice(examples):
    assert len(examples) > 780
    for tree in examples:
        fields = index_values(tree, CONTEXT).fields(tree.get("id", "1"))
        assert len(fields["k"]) > 1
        assert len(fields["k"]) == len(set(fields["k"]))
        for name in "dn":
            ranges = [tuple(entry.values()) for entry in fields.get(name, ())]
            assert len(ranges) == len(set(ranges))
            assert all(lo <= hi for _, lo, hi in ranges), tree["id"]


def test_a_stored_resource_costs_few_index_keys(generated):
    counts = defaultdict(list)
    for tree in generated:
        counts[tree["resourceType"]].append(keys(index_values(tree, CONTEXT).fields(tree["id"])))
    print({name: (min(found), median(found), max(found), len(found)) for name, found in sorted(counts.items())})
    assert median(counts["Encounter"]) <= 60
    assert median(counts["Observation"]) <= 70
    assert median(counts["Patient"]) <= 110
