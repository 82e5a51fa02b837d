"""Labels as sets. https://hl7.org/fhir/R4/resource-operation-meta-add.html"""

from __future__ import annotations

from typing import Any

import pytest

from resources.exact_json import parse_exact, written
from resources.meta_labels import collected, with_labels, without_labels

RESOURCE = (
    '{"resourceType":"Patient","meta":{"versionId":"1","tag":[{"system":"a","code":"b","display":"\\u00e9"}]},"x":1.00}'
)


def test_what_is_added_stands_behind_what_is_there_and_nothing_else_changes() -> None:
    found = written(with_labels(parse_exact(RESOURCE), {"tag": [{"system": "a", "code": "c"}], "profile": ["p"]}))
    tags = '[{"system":"a","code":"b","display":"\\u00e9"},{"system":"a","code":"c"}]'
    expected = f'{{"versionId":"1","tag":{tags},"profile":["p"]}}'
    assert found == f'{{"resourceType":"Patient","meta":{expected},"x":1.00}}'


@pytest.mark.parametrize(
    "given",
    [
        {"tag": [{"system": "a", "code": "b"}]},
        {"tag": [{"system": "a", "code": "b", "display": "other"}]},
        {"versionId": "7", "lastUpdated": "2020-01-01T00:00:00Z", "source": "s"},
        {},
    ],
)
def test_what_is_there_already_is_not_added_nor_what_is_no_label(given: dict[str, Any]) -> None:
    assert written(with_labels(parse_exact(RESOURCE), given)) == RESOURCE


def test_a_label_that_is_given_twice_is_added_once() -> None:
    found = with_labels(parse_exact('{"resourceType":"Patient"}'), {"profile": ["p", "p"]})
    assert written(found) == '{"resourceType":"Patient","meta":{"profile":["p"]}}'


def test_labels_are_taken_away_by_system_and_code_and_an_empty_array_goes_as_well() -> None:
    tree = parse_exact(RESOURCE)
    assert written(without_labels(tree, {"tag": [{"system": "a", "code": "B"}]})) == RESOURCE
    assert written(without_labels(tree, {"tag": [{"code": "b"}]})) == RESOURCE
    gone = written(without_labels(tree, {"tag": [{"system": "a", "code": "b"}], "profile": ["not there"]}))
    assert gone == '{"resourceType":"Patient","meta":{"versionId":"1"},"x":1.00}'


def test_extensions_of_profiles_stay_beside_their_profiles() -> None:
    tree = parse_exact('{"meta":{"profile":["a","b"],"_profile":[null,{"id":"e"}]}}')
    added = '{"meta":{"profile":["a","b","c"],"_profile":[null,{"id":"e"},null]}}'
    assert written(with_labels(tree, {"profile": ["c"]})) == added
    assert written(without_labels(tree, {"profile": ["a"]})) == '{"meta":{"profile":["b"],"_profile":[{"id":"e"}]}}'
    assert written(without_labels(tree, {"profile": ["b"]})) == '{"meta":{"profile":["a"]}}'


def test_the_labels_of_many_are_told_once_each_in_order() -> None:
    metas = [{"profile": ["b", "a"]}, {"profile": ["a"], "tag": [{"code": "t"}]}, {"security": []}]
    assert collected(metas) == {"profile": ["a", "b"], "tag": [{"code": "t"}]}
    assert collected([]) == {}
