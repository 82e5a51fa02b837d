"""The language of `_filter`. https://hl7.org/fhir/R4/search_filter.html"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.problem import Problem
from search.filter_text import OPERATORS, And, Comparison, Not, Or, parse_filter

A, B, C = (Comparison(name, "eq", "1") for name in "abc")

MEANINGS = {
    "a eq 1": A,
    "  a   eq\t1  ": A,
    "(a eq 1)": A,
    "((a eq 1))": A,
    "a eq 1 and b eq 1": And((A, B)),
    "a eq 1 or b eq 1": Or((A, B)),
    "a eq 1 or b eq 1 and c eq 1": Or((A, And((B, C)))),
    "a eq 1 and b eq 1 or c eq 1": Or((And((A, B)), C)),
    "a eq 1 and (b eq 1 or c eq 1)": And((A, Or((B, C)))),
    "a eq 1 and b eq 1 and c eq 1": And((A, B, C)),
    "not (a eq 1)": Not(A),
    "not(a eq 1)and(b eq 1)": And((Not(A), B)),
    "not (not (a eq 1))": Not(Not(A)),
    'given eq "peter" and birthdate ge 2014-10-10': And(
        (Comparison("given", "eq", "peter"), Comparison("birthdate", "ge", "2014-10-10"))
    ),
    "name co \"pet\"": Comparison("name", "co", "pet"),
    "code eq http://loinc.org|1234-5": Comparison("code", "eq", "http://loinc.org|1234-5"),
    "subject.name sw a": Comparison("subject.name", "sw", "a"),
    r'a eq "say \"and\" (or \\ not)"': Comparison("a", "eq", r'say "and" (or \ not)'),
    'a eq ""': Comparison("a", "eq", ""),
    "and eq or": Comparison("and", "eq", "or"),
}  # fmt: skip


@pytest.mark.parametrize("text", MEANINGS)
def test_a_filter_means_what_the_specification_says(text):
    assert parse_filter(text) == MEANINGS[text]


@pytest.mark.parametrize("operator", sorted(OPERATORS))
def test_every_operator_is_known(operator):
    assert parse_filter(f"a {operator} 1") == Comparison("a", operator, "1")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "ends"),
        ("a", "an operator"),
        ("a eq", "a value"),
        ("a eq 1 b", "character 8"),
        ("a eq 1 and", "a parameter"),
        ("a is 1", "'is'"),
        ("(a eq 1", "the end"),
        ("a eq 1)", "character 7"),
        ("not a eq 1", "character 5"),
        ('a eq "1', "character 5"),
        ("a[b eq 1].c eq 1", "character 2"),
        ("a eq (b)", "character 6"),
        ("()", "character 2"),
        ("(" * 30 + "a eq 1" + ")" * 30, "20 levels"),
        ("a eq 1 or " * 200 + "a eq 1", "character"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_place(text, said):
    with pytest.raises(Problem) as refused:
        parse_filter(text)
    assert refused.value.status == 400
    assert said in refused.value.issues[0].text


WORDS = st.sampled_from(
    [*sorted(OPERATORS), "and", "or", "not", "(", ")", "a", '"x"', '"', "\\", "[", "]", "1", " ", "é"]
)


@given(st.lists(WORDS, max_size=40).map(" ".join) | st.text(max_size=60))
def test_no_text_is_too_odd_to_be_refused(text):
    try:
        parse_filter(text)
    except Problem as refused:
        assert refused.status == 400  # noqa: PT017 - either outcome is right, any other exception is not


NODES = st.recursive(
    st.builds(
        Comparison,
        st.sampled_from(["a", "b.c"]),
        st.sampled_from(sorted(OPERATORS)),
        st.text(st.characters(codec="utf-8")),
    ),
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(lambda parts: And(tuple(parts)), st.lists(inner, min_size=2, max_size=3))
        | st.builds(lambda parts: Or(tuple(parts)), st.lists(inner, min_size=2, max_size=3))
    ),
    max_leaves=8,
)


def written(node):
    match node:
        case Comparison():
            value = node.value.replace("\\", "\\\\").replace('"', '\\"')
            return f'{node.path} {node.operator} "{value}"'
        case Not():
            return f"not ({written(node.inner)})"
        case And():
            return " and ".join(f"({written(part)})" for part in node.parts)
        case Or():
            return " or ".join(f"({written(part)})" for part in node.parts)


@given(NODES)
def test_what_is_written_is_read_as_it_was_meant(node):
    assert parse_filter(written(node)) == node
