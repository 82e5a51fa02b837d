"""Whatever a client sends: `parse_document` raises nothing but a Problem, and `validate` raises nothing at all."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.document import parse_document
from resources.problem import Issue, Problem
from resources.validation import validate

# Larger examples (value sets, bundles) take long and hold nothing that the others do not.
_LARGEST = 20_000

Spot = tuple[Any, Any]

_CHOSEN: list[Any] = [
    {"reference": "#"},
    {"reference": ["a"]},
    {"coding": {}},
    {"coding": [5, None, {"system": {}, "code": []}]},
    {"start": 5, "end": {}},
    {"start": "2020", "end": "x"},
    {"value": {}, "code": 5, "system": []},
    {"extension": [{}]},
    {"resourceType": "Patient"},
    {"resourceType": {}},
    "9999-12-31T23:59:60.999Z",
    "#",
    "Patient/1",
    '<div xmlns="http://www.w3.org/1999/xhtml">',
    10**30,
    1e300,
]

values = st.one_of(
    st.sampled_from(_CHOSEN),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=5,
    ),
)
mutations = st.lists(
    st.tuples(st.integers(0, 2**32), st.sampled_from(["replace", "drop", "double", "nest", "sibling"]), values),
    min_size=1,
    max_size=5,
)


@pytest.fixture(scope="module")
def trees(example_texts: dict[str, bytes]) -> list[dict[str, Any]]:
    small = sorted(name for name, text in example_texts.items() if len(text) < _LARGEST)
    return [json.loads(example_texts[name]) for name in small]


def spots(node: Any) -> Iterator[Spot]:
    """Each place in a tree: an object or array, and a key or index of it."""
    for key, value in list(node.items() if isinstance(node, dict) else enumerate(node)):
        yield node, key
        if isinstance(value, (dict, list)):
            yield from spots(value)


def mutate(spot: Spot, kind: str, value: Any) -> None:
    holder, key = spot
    if kind == "replace":
        holder[key] = copy.deepcopy(value)
    elif kind == "drop":
        del holder[key]
    elif kind == "double":
        holder[key] = [holder[key], copy.deepcopy(holder[key])]
    elif kind == "nest":
        holder[key] = {key if isinstance(key, str) else "x": holder[key]}
    elif isinstance(holder, dict):
        holder["_" + key] = copy.deepcopy(value)


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 2**32), mutations)
def test_a_mutated_official_example_is_judged_and_never_breaks_validation(
    trees: list[dict[str, Any]], which: int, changes: list[tuple[int, str, Any]]
) -> None:
    tree = copy.deepcopy(trees[which % len(trees)])
    for at, kind, value in changes:
        places = list(spots(tree))
        if places:
            mutate(places[at % len(places)], kind, value)
    try:
        document = parse_document(json.dumps(tree))
    except Problem as refused:
        assert refused.status == 400  # noqa: PT017  # which of the two happens is not known here
        return
    issues = validate(document.tree)
    assert all(isinstance(issue, Issue) and issue.expression and issue.text for issue in issues)
    assert not [issue.text for issue in issues if "cannot be evaluated" in issue.text]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["Patient", "Observation", "Bundle", "Parameters", "Questionnaire"]), st.data())
def test_any_values_in_known_members_never_break_validation(name: str, data: st.DataObject) -> None:
    known = ["id", "meta", "text", "contained", "extension", "entry", "parameter", "item", "code", "status", "_status"]
    members = data.draw(st.dictionaries(st.sampled_from(known), values, max_size=5))
    text = json.dumps({**members, "resourceType": name})
    try:
        tree = parse_document(text).tree
    except Problem as refused:
        assert refused.status == 400  # noqa: PT017
        return
    assert isinstance(validate(tree), list)


def nested(kind: str, depth: int) -> dict[str, Any]:
    node: dict[str, Any] = {"url": "http://x", "valueCode": "x"}
    for _ in range(depth):
        node = {"url": "http://x", "extension": [node]}
    if kind == "extension":
        return {"resourceType": "Patient", "extension": [node]}
    item: dict[str, Any] = {"linkId": "x", "type": "display", "text": "x"}
    for number in range(depth):
        item = {"linkId": str(number), "type": "group", "item": [item]}
    return {"resourceType": "Questionnaire", "status": "draft", "item": [item]}


@pytest.mark.parametrize("kind", ["extension", "item"])
def test_the_deepest_nesting_that_is_parsed_can_be_validated(kind: str) -> None:
    tree = parse_document(json.dumps(nested(kind, 47))).tree
    assert [issue for issue in validate(tree) if issue.is_error] == []
    with pytest.raises(Problem):
        parse_document(json.dumps(nested(kind, 50)))


def test_lists_of_thousands_of_entries_are_validated_in_their_time() -> None:
    issues = validate({"resourceType": "Patient", "name": [{"colour": "red"}] * 5000})
    assert len(issues) == 5000
    assert issues[-1].expression == "Patient.name[4999]"
