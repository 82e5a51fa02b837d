"""Parts of resources: marked as such, and every value that stays is spelled as it was."""

from __future__ import annotations

import json

import pytest

from resources import subset

TEXT = (
    '{"resourceType":"Observation","id":"a","meta":{"versionId":"1","tag":[{"code":"x"}]},'
    '"text":{"status":"generated","div":"<div xmlns=\\"http://www.w3.org/1999/xhtml\\">é</div>"},'
    '"status":"final","_status":{"id":"s"},"code":{"text":"\\u0041"},"subject":{"reference":"Patient/1"},'
    '"valueQuantity":{"value":1.00,"unit":"kg"},"note":[{"text":"n"}],'
    '"referenceRange":[{"low":{"value":0.50}}],'
    '"component":[{"code":{"text":"c"},"valueString":"v","referenceRange":[{"text":"r"}]}]}'
)
RAW = TEXT.encode()
SUBSETTED = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"


def marks(raw):
    return [tag["code"] for tag in json.loads(raw)["meta"]["tag"] if tag.get("system") == SUBSETTED]


@pytest.mark.parametrize(
    ("cut", "members"),
    [
        (lambda raw: subset.with_elements(raw, frozenset({"value"})), {"valueQuantity"}),
        (lambda raw: subset.with_elements(raw, frozenset({"valueQuantity", "note"})), {"valueQuantity", "note"}),
        (lambda raw: subset.with_elements(raw, frozenset({"id"})), set()),
        (subset.text_only, {"text"}),
        (subset.without_text, {"subject", "valueQuantity", "note", "referenceRange", "component"}),
        (subset.summary, {"subject", "valueQuantity", "component"}),
    ],
)
def test_what_was_asked_for_stays_and_what_must_not_be_missing(cut, members):
    """`status` and `code` are mandatory, so they stay in any case."""
    cut_down = cut(RAW)
    tree, whole = json.loads(cut_down), json.loads(RAW)
    assert tree.keys() == {"resourceType", "id", "meta", "status", "_status", "code"} | members
    assert marks(cut_down) == ["SUBSETTED"]
    assert tree["meta"]["tag"][0] == {"code": "x"}
    assert tree["meta"]["versionId"] == "1"
    for name in members - {"component"}:
        assert tree[name] == whole[name]


def test_values_are_spelled_as_they_were():
    for cut in (subset.summary, subset.without_text, lambda raw: subset.with_elements(raw, frozenset({"value"}))):
        assert b'"valueQuantity":{"value":1.00,"unit":"kg"}' in cut(RAW)
        assert b'"code":{"text":"\\u0041"}' in cut(RAW)


def test_a_summary_looks_into_the_parts_of_a_resource():
    [component] = json.loads(subset.summary(RAW))["component"]
    assert component == {"code": {"text": "c"}, "valueString": "v"}


def test_without_tags_the_mark_is_the_only_one():
    raw = b'{"resourceType":"Basic","id":"a","meta":{"versionId":"1","tag": [ ]},"code":{"text":"x"}}'
    assert marks(subset.without_text(raw)) == ["SUBSETTED"]
    assert len(json.loads(subset.without_text(raw))["meta"]["tag"]) == 1
