"""Parameters of operations, read against their definitions. https://hl7.org/fhir/R4/operations.html#request"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from resources.definitions import operation_facts
from resources.document import Document, parse_document
from resources.parameters import MOST_FAULTS, Arguments, group, parameter, parameters_bytes, read_arguments
from resources.problem import Problem

EVERYTHING = operation_facts()["Patient-everything"]
MATCH = operation_facts()["Patient-match"]
EXPAND = operation_facts()["ValueSet-expand"]
META_ADD = operation_facts()["Resource-meta-add"]


def body(*members: dict[str, Any]) -> Document:
    return parse_document(json.dumps({"resourceType": "Parameters", "parameter": list(members)}))


def refusal(*arguments: Any, **options: Any) -> list[str]:
    """The texts of the issues with which something is refused."""
    with pytest.raises(Problem) as caught:
        read_arguments(*arguments, **options)
    assert caught.value.status == 400
    return [issue.text for issue in caught.value.issues]


def test_a_query_is_read_by_the_types_of_the_parameters() -> None:
    pairs = [("_count", "5"), ("start", "2020"), ("_type", "Patient"), ("_type", "Observation")]
    found = read_arguments(EVERYTHING, pairs, None)
    assert found.one("_count") == 5
    assert found.one("start") == "2020"
    assert found.all("_type") == ["Patient", "Observation"]
    assert found.one("end") is None
    assert read_arguments(EXPAND, [("activeOnly", "true")], None).one("activeOnly") is True


def test_an_instant_in_a_query_may_be_a_day_and_may_have_lost_its_plus() -> None:
    for text, value in (("2020-01-31", "2020-01-31"), ("2020-01-31T10:00:00 01:00", "2020-01-31T10:00:00+01:00")):
        assert read_arguments(EVERYTHING, [("_since", text)], None).one("_since") == value


def test_a_body_is_read_by_the_types_of_the_parameters() -> None:
    patient = {"resourceType": "Patient", "gender": "male"}
    members = body({"name": "resource", "resource": patient}, {"name": "count", "valueInteger": 3})
    found = read_arguments(MATCH, [], members)
    assert found == Arguments({"resource": [patient], "count": [3]})


def test_a_resource_alone_stands_for_the_only_parameter_that_takes_one() -> None:
    patient = parse_document('{"resourceType": "Patient"}')
    assert read_arguments(MATCH, [("count", "2")], patient).one("resource") == {"resourceType": "Patient"}
    value_set = parse_document('{"resourceType": "ValueSet"}')
    assert read_arguments(EXPAND, [], value_set).one("valueSet") == {"resourceType": "ValueSet"}
    for facts, resource in ((EVERYTHING, patient), (EXPAND, patient), (META_ADD, patient)):
        assert "The body is a Patient" in refusal(facts, [], resource)[0]


def test_what_is_within_a_given_resource_is_left_to_whoever_takes_it() -> None:
    faulty = {"resourceType": "Patient", "nonsense": 1}
    assert read_arguments(MATCH, [], body({"name": "resource", "resource": faulty})).one("resource") == faulty


@pytest.mark.parametrize(
    ("pairs", "text"),
    [
        ([("nonsense", "1")], "The parameter 'nonsense' is not known in this operation"),
        ([("return", "1")], "The parameter 'return' is not known in this operation"),
        ([("_count", "x")], "The parameter '_count': "),
        ([("_count", "99999999999999999999")], "The parameter '_count': "),
        ([("_count", "")], "The parameter '_count': "),
        ([("start", "2020-02-31")], "The parameter 'start': "),
        ([("_count", "1"), ("_count", "2")], "The parameter '_count' stands 2 times; 1 is the most."),
    ],
)
def test_a_query_that_is_not_as_the_definition_says_is_refused_by_name(pairs: Any, text: str) -> None:
    [found] = refusal(EVERYTHING, pairs, None)
    assert found.startswith(text)


def test_a_complex_parameter_is_not_read_from_a_query() -> None:
    assert "must be sent in a body" in refusal(META_ADD, [("meta", "x")], None)[0]


@pytest.mark.parametrize(
    ("member", "text"),
    [
        ({"name": "nonsense", "valueString": "1"}, "The parameter 'nonsense' is not known in this operation"),
        ({"name": "meta", "valueCoding": {"code": "a"}}, "The parameter 'meta': It is a Meta and not a Coding."),
        ({"name": "meta", "valueString": "a"}, "The parameter 'meta': It is a Meta and not a string."),
        ({"name": "meta", "part": [{"name": "a", "valueString": "b"}]}, "The parameter 'meta': It has no value"),
        ({"name": "meta", "resource": {"resourceType": "Patient"}}, "The parameter 'meta': It is a Meta and not a Pat"),
    ],
)
def test_a_body_that_is_not_as_the_definition_says_is_refused_by_name(member: Any, text: str) -> None:
    assert refusal(META_ADD, [], body(member))[0].startswith(text)


def test_every_fault_is_told_at_once() -> None:
    assert len(refusal(EVERYTHING, [("a", "1"), ("_count", "x"), ("start", "y")], None)) == 3


def test_no_more_faults_are_told_than_anybody_reads() -> None:
    assert len(refusal(META_ADD, [], body(*([{"name": "x", "valueString": "y"}] * 1000)))) == MOST_FAULTS


def test_a_parameters_resource_must_be_a_valid_one() -> None:
    assert refusal(META_ADD, [], body({"valueString": "a"}))
    assert refusal(META_ADD, [], body({"name": "meta", "valueMeta": {"nonsense": 1}}))
    assert refusal(MATCH, [], body({"name": "resource", "resource": {"resourceType": "Nonsense"}}))


def test_a_missing_parameter_is_named() -> None:
    assert refusal(META_ADD, [], None) == ["The parameter 'meta' is missing."]


def test_what_is_not_served_is_refused_rather_than_passed_over() -> None:
    assert refusal(EXPAND, [("context", "x")], None, {"context"}) == ["The parameter 'context' is not supported here."]


def test_lenient_handling_passes_over_what_nobody_knows_and_nothing_else() -> None:
    assert read_arguments(EVERYTHING, [("nonsense", "1"), ("_count", "2")], None, lenient=True).values == {
        "_count": [2]
    }
    assert refusal(EVERYTHING, [("_count", "x")], None, lenient=True)


def test_parameters_are_written_with_the_digits_of_their_decimals() -> None:
    members = [parameter("a", "decimal", Decimal("1.00")), group("b", [parameter("c", "code", "d")])]
    expected = b'{"resourceType":"Parameters","parameter":[{"name":"a","valueDecimal":1.00},{"name":"b","part":['
    assert parameters_bytes(members) == expected + b'{"name":"c","valueCode":"d"}]}]}'
    assert parameters_bytes([]) == b'{"resourceType":"Parameters"}'
