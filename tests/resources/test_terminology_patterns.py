"""Regular expressions of value sets: understood as usual, and never for longer than they may take."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.terminology.safe_pattern import UnsafePatternError, safe_pattern


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("[0-9]{3}", "123", "1234"),
        ("^[A-Z]{3}$", "ABC", "ABCD"),
        (".*diabetes.*", "type 2 diabetes mellitus", "asthma"),
        (r"LP\d+(-\d)?", "LP43571-6", "LP"),
        ("a|bc", "bc", "abc"),
        ("(?:foo|bar)?-x", "-x", "foobar-x"),
        ("[^a-c]+", "xyz", "xa"),
        ("[]a-]", "]", "b"),
        (r"[\]\-]{2,3}", "]-]", "]"),
        (r"\(.\)", "(x)", "x"),
        ("a{2,}", "aaa", "a"),
        ("", "", "a"),
        ("Größe", "Größe", "Grosse"),
    ],
)
def test_a_pattern_matches_a_value_as_a_whole(pattern: str, matching: str, other: str) -> None:
    assert safe_pattern(pattern).matches(matching)
    assert not safe_pattern(pattern).matches(other)


@pytest.mark.parametrize(
    "pattern",
    [
        *(
            "(a+)+b",
            "(a|aa)*",
            "(a?){20}",
            "a**",
            "a+?",
            "(?=a)b",
            "(?P<n>a)",
            r"(a)\1",
            r"\bword",
            "[a",
            "(a",
            "a)",
            "*a",
        ),
        *("[[a]]", "[z-a]", r"[\d-x]", "a{5,2}", "a{201}", "a$b", "a\\", "{1}", "(" * 11 + ")" * 11, "a" * 201),
    ],
)
def test_what_could_take_for_ever_or_is_not_understood_is_refused_with_a_reason(pattern: str) -> None:
    with pytest.raises(UnsafePatternError, match=r"."):
        safe_pattern(pattern)


parts = st.sampled_from([*"ab.|", "(", ")", "[ab]", "[^a]", "*", "+", "?", "{2}", "{1,2}", "(?:", "\\d", "x?", "(a|b)"])


@settings(max_examples=500, deadline=None)
@given(st.lists(parts, max_size=8).map("".join), st.lists(st.text("ab1x", max_size=6), min_size=1, max_size=5))
def test_what_is_accepted_means_what_it_means_in_python(pattern: str, values: list[str]) -> None:
    try:
        ours = safe_pattern(pattern)
    except UnsafePatternError:
        return
    for value in values:
        assert ours.matches(value) == (re.fullmatch(pattern, value, re.DOTALL) is not None)


def test_the_ways_in_which_optional_parts_and_alternatives_can_be_tried_are_all_counted() -> None:
    assert safe_pattern("a?" * 18 + "a{18}").steps(["a" * 18]) >= 2**18
    assert safe_pattern("(a|a|a)" * 10).steps(["a" * 10]) >= 3**10
    assert safe_pattern("[A-Z]{3}").steps(["ABC"]) == 4


def test_the_cost_of_repetitions_one_after_another_grows_with_each() -> None:
    costs = [safe_pattern("a*" * count + "b").steps(["a" * 50]) for count in range(1, 5)]
    assert all(later > 40 * earlier for earlier, later in pairwise(costs))
