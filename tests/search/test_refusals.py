"""Whatever a client asks, it gets an answer: a plan, or a refusal that names what was not understood. Never a fault."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.problem import Problem, quoted
from search.context import Context
from search.parameters import standard_parameters_of
from search.plan import plan_condition, plan_order, plan_search
from search.query_text import RESULT_PARAMETERS, parse_query

CONTEXT = Context("http://localhost:8080/fhir", 1_767_225_600_000)
TYPES = ["Patient", "Observation", "Encounter", "ValueSet", "Location", "MolecularSequence", "RiskAssessment", "Basic"]
MODIFIERS = ["missing", "exact", "contains", "not", "text", "in", "not-in", "above", "below", "of-type", "identifier"]
ODD = [
    *("", " ", ",", "|", "||", "|||", "$", "\\", "\\,", "1e999", "-1e-999", "1e9999", "9" * 40, "9" * 41, "0" * 500),
    *("9999-12-31T23:59:60+14:00", "0001-01-01T00:00:00-14:00", "9999", "0000", "eb0001", "sa9999-12-31", "2020-02-30"),
    *("ap0001", "ne", "apap1", "1|2", "1|http://unitsofmeasure.org|", "1|http://unitsofmeasure.org|m[", "1||", "NaN"),
    *("gt1|http://unitsofmeasure.org|10*999", "inf", "http://[", "http://[::1", "urn:", "#", "\x00", "\U0010ffff", "ß"),
    *(
        "true",
        "1,2,3",
        ",".join("a" * 400),
        "a" * 70_000,
        "90|180|1e5|km",
        "nan|nan",
        "1_0|1",
        "-0|-0|0",
        "x$y$z",
        "$$",
    ),
    *(
        "Patient/1",
        "Group/1",
        "Patient/",
        "/",
        "http://hl7.org/fhir/ValueSet/administrative-gender",
        "none",
        "-",
        "-_id",
    ),
    *("*", "Patient:*", "Observation:subject:Patient", "Observation:subject:Group", "²", "٣", "+1", "1 ", " 1"),
]
FILTERS = ["(", ")", "not", "and", "or", "name", "eq", "pr", "co", "sa", '"', '"a"', "[", "]", "subject.name", ".", "1"]


def names(type_name):
    codes = [*standard_parameters_of(type_name), *RESULT_PARAMETERS, "_filter", "_has", "_list", "_text", "unknown", ""]
    code = st.sampled_from(sorted(codes))
    part = st.one_of(code, st.sampled_from([*MODIFIERS, *TYPES]), st.text(max_size=5))
    more = st.lists(st.tuples(st.sampled_from([":", "."]), part).map("".join), max_size=4).map("".join)
    has = st.tuples(
        st.sampled_from(["Observation", "Encounter", "X"]), st.sampled_from(["subject", "patient", "x"]), part
    )
    return st.one_of(
        code, st.tuples(code, st.sampled_from(MODIFIERS)).map(":".join), st.tuples(code, more).map("".join),
        st.lists(has.map(lambda p: f"_has:{p[0]}:{p[1]}:"), min_size=1, max_size=12).map("".join), st.text(max_size=30),
    )  # fmt: skip


values = st.one_of(
    st.sampled_from(ODD),
    st.lists(st.sampled_from(ODD[:60]), max_size=4).map(",".join),
    st.text(max_size=40),
    st.lists(st.sampled_from(FILTERS), max_size=12).map(" ".join),
    st.tuples(st.sampled_from(["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]), st.sampled_from(ODD)).map(
        "".join
    ),
)


@st.composite
def asked(draw):
    type_name = draw(st.sampled_from(TYPES))
    return type_name, draw(names(type_name)), draw(values)


def refusal(type_name, pairs):
    """The refusal of a query, or None; a fault or a plan that takes long fails the test."""
    started = time.thread_time()
    refused = None
    try:
        query = parse_query(pairs, type_name)
        plan_order(type_name, query.sort)
        plan_search(type_name, query, CONTEXT)
    except Problem as fault:
        refused = fault
    assert time.thread_time() - started < 1
    assert refused is None or (refused.status == 400 and refused.issues)
    return refused


def is_named(text, message):
    return (quoted(text).strip("'…") or "''") in message


@settings(max_examples=1000, deadline=None)
@given(asked())
def test_any_text_is_planned_or_refused_with_its_name(case):
    type_name, name, value = case
    refused = refusal(type_name, [(name, value)])
    # `_sort` names parameters in its value.
    rests = [name[at + 1 :] for at, character in enumerate(name) if character in ":."]
    parts = [
        name,
        *rests,
        *re.split("[:.]", name),
        *(re.split(",-?", value.removeprefix("-")) if name == "_sort" else ()),
    ]
    for issue in refused.issues if refused else ():
        assert any(is_named(part, issue.text) for part in parts), issue.text


@settings(max_examples=200, deadline=None)
@given(st.lists(asked(), min_size=2, max_size=5, unique_by=lambda case: case[1]))
def test_every_fault_of_a_query_is_told(cases):
    type_name = cases[0][0]
    pairs = [(name, value) for _, name, value in cases]
    alone = [issue for pair in pairs for issue in getattr(refusal(type_name, [pair]), "issues", ())]
    together = getattr(refusal(type_name, pairs), "issues", [])
    # What the plan refuses comes after what the text is refused for, one at a time.
    assert bool(alone) == bool(together)
    assert all(issue in alone for issue in together)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=60), asked().map(lambda case: f"{case[1]}={case[2]}")))
def test_any_text_is_a_condition_or_refused(text):
    refused = None
    try:
        plan_condition("Patient", text, CONTEXT)
    except Problem as fault:
        refused = fault
    assert refused is None or (refused.status == 400 and refused.issues)


@pytest.mark.parametrize(
    ("type_name", "name", "value"),
    [
        ("Patient", "family", ",".join("a" * 501)),
        ("Encounter", "part-of." * 9 + "_id", "1"),
        ("Procedure", "_filter", "part-of." * 3000 + "_id eq 1"),
        ("Patient", "_list:not", "1"),
        ("Basic", "subject." * 8 + "foo", "1"),
        ("Basic", "subject." * 7 + "_id", "1"),
        ("Patient", "family:contains", " "),
        ("Observation", "code:text", " "),
        ("Observation", "code-value-quantity", "8480-6$x"),
        ("Observation", "code-value-date", "8480-6$x"),
        ("Observation", "code-value-quantity", "|$1"),
        ("Observation", "code-value-quantity", "8480-6"),
        ("Observation", "date", "2020-02-30"),
        ("Observation", "date", "2020-02-28T10:00:00+15:00"),
        ("Observation", "value-quantity", "5.4|mg"),
        ("Observation", "subject:Patient", "Group/1"),
        ("Observation", "subject:Encounter", "1"),
        ("Observation", "code:exact", "x"),
        ("Observation", "code:in", "http://unknown.example"),
        ("Patient", "_id:missing", "true"),
        ("Patient", "active:missing", "yes"),
        ("RiskAssessment", "probability", "1e9999"),
        ("Location", "near", "91|0"),
        ("Patient", "_has:Observation:subject:unknown", "1"),
        ("Patient", "_has:Observation:code:status", "final"),
    ],
)
def test_what_is_not_understood_is_refused_by_its_name(type_name, name, value):
    refused = refusal(type_name, [(name, value)])
    assert refused is not None
    assert any(is_named(part, issue.text) for issue in refused.issues for part in re.split("[:.]", name))


@pytest.mark.parametrize("value", ["1e999", "-1e999", "9" * 40, "1e-999", "0." + "0" * 39 + "1"])
@pytest.mark.parametrize("prefix", ["", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"])
def test_huge_and_tiny_numbers_are_planned(prefix, value):
    assert refusal("RiskAssessment", [("probability", prefix + value)]) is None
    assert refusal("Observation", [("value-quantity", f"{prefix}{value}|http://unitsofmeasure.org|kg")]) is None


@pytest.mark.parametrize(
    "text", ["0001", "9999", "9999-12", "9999-12-31", "9999-12-31T23:59:60+14:00", "0001-01-01T00:00Z"]
)
@pytest.mark.parametrize("prefix", ["", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"])
def test_the_first_and_the_last_dates_are_planned(prefix, text):
    assert refusal("Observation", [("date", prefix + text)]) is None
    assert refusal("Observation", [("_lastUpdated", prefix + text)]) is None
