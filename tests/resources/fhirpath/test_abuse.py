"""Expressions and data that try to exhaust the server.

http://hl7.org/fhirpath/N1/
"""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest

from resources.fhirpath import FhirPathError, compile
from resources.fhirpath.patterns import pattern_of


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)*b", "(a*)*(a*)*b", "^(([a-z])+.)+[A-Z]$", ".*.*.*.*.*=x"])
def test_a_hostile_pattern_takes_linear_time(pattern: str) -> None:
    started = time.monotonic()
    assert compile(f"$this.matches('{pattern}')").evaluate("a" * 5000 + "!") == [False]
    assert time.monotonic() - started < 2


def test_a_pattern_that_stays_slow_is_given_up() -> None:
    started = time.monotonic()
    with pytest.raises(FhirPathError, match="too long"):
        pattern_of("(.{1,50}x){1,20}$").search("axbxcxdyzx" * 50_000 + "".join(map(chr, range(300, 9000))) * 20)
    assert time.monotonic() - started < 10


def test_a_hostile_pattern_is_refused_for_replacement() -> None:
    with pytest.raises(FhirPathError, match="too complex"):
        compile("'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.replaceMatches('(a+)+$', 'b')").evaluate(None)


@pytest.mark.parametrize(
    "expression",
    [
        "(" * 5000 + "1" + ")" * 5000,
        "-" * 5000 + "1",
        "a" + ".a" * 5000,
        "1" + "+1" * 5000,
        "a[" * 5000,
        "iif(true," * 3000,
        "'x'.matches('" + "(" * 1000 + "')",
        "'x'" + ".replace('', 'xxxxxxxxxx')" * 20,
        "9" * 5000,
        "'x'.matches('((a{1000}){1000}){1000}')",
    ],
)
def test_a_hostile_expression_is_refused(expression: str) -> None:
    with pytest.raises(FhirPathError):
        compile(expression).evaluate(None)


@pytest.mark.parametrize(
    "expression",
    [
        "descendants().all(%context.descendants().all(%context.descendants().exists(linkId = 'x').not()))",
        "item.aggregate($total.combine($total).combine($this))",
        "descendants().select(%context.descendants().select(%context.descendants()))",
    ],
)
def test_an_evaluation_that_multiplies_is_stopped(expression: str) -> None:
    questionnaire = {"resourceType": "Questionnaire", "item": [{"linkId": str(i), "text": "?"} for i in range(300)]}
    started = time.monotonic()
    with pytest.raises(FhirPathError, match="more than"):
        compile(expression).evaluate(questionnaire)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("$this.truncate()", []),
        ("$this.ceiling()", []),
        ("$this div 2", []),
        ("$this.toString()", ["1E+999999999"]),
        ("$this.toQuantity()", []),
        ("$this = $this", [True]),
        ("$this > 1", [True]),
    ],
)
def test_a_number_of_a_billion_digits_is_not_written_out(expression: str, result: list[Any]) -> None:
    assert compile(expression).evaluate(Decimal("1E+999999999")) == result


def test_an_allowed_expression_of_the_greatest_size_is_computed() -> None:
    assert compile("(" * 50 + "1" + ")" * 50 + " + 1" * 190).evaluate(None) == [191]


def test_deep_data_is_walked_without_recursion() -> None:
    item: dict[str, Any] = {"linkId": "0"}
    for i in range(5000):
        item = {"linkId": str(i), "item": [item]}
    questionnaire = {"resourceType": "Questionnaire", "item": [item]}
    assert compile("descendants().linkId.count()").evaluate(questionnaire) == [5001]
    assert compile("repeat(item).count()").evaluate(questionnaire) == [5001]


def test_repeat_ends_where_nothing_new_is_found() -> None:
    assert compile("'a'.repeat('b' | $this)").evaluate(None) == ["b", "a"]


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("^[A-Z]\\w*$", "Patient", True),
        ("^a$", "a\n", False),
        ("a.c", "a\nc", True),
        ("a{2,3}b", "caab", True),
        ("^a{2,3}$", "aaaa", False),
        ("(ab|cd)?e", "cde", True),
        ("[^\\s,]+", " ,", False),
        ("[]a]", "]", True),
        ("\\u0041\\.", "A.", True),
        ("", "", True),
        ("x*$", "y", True),
        ("a|^b$", "b", True),
    ],
)
def test_patterns_match_as_regular_expressions_do(pattern: str, text: str, found: bool) -> None:
    assert pattern_of(pattern).search(text) is found


@pytest.mark.parametrize(
    ("expression", "resource"),
    [
        ("value > 3 'mg'", {"resourceType": "Observation", "valueQuantity": {"value": "many"}}),
        ("value > 3 'mg'", {"resourceType": "Observation", "valueQuantity": {"value": 4, "unit": ["mg"]}}),
    ],
)
def test_a_malformed_quantity_is_an_error_of_the_evaluation(expression, resource):
    with pytest.raises(FhirPathError):
        compile(expression).evaluate(resource)


def test_a_resource_type_that_is_no_text_names_no_type():
    assert compile("contained.id").evaluate(
        {"resourceType": "Patient", "contained": [{"resourceType": {}, "id": "a"}]}
    ) == ["a"]
    assert compile("descendants().id").evaluate(
        {"resourceType": "Patient", "contained": [{"resourceType": [], "id": "a"}]}
    )
