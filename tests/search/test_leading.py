"""The order that matches are read in without a sort, and its bounds. https://hl7.org/fhir/R4/search.html#sort"""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.context import Context
from search.index import index_values
from search.leading import leading
from search.match import matches
from search.plan import plan_search
from search.query_text import parse_pairs, parse_query
from search.sort_values import sort_field

CONTEXT = Context("http://localhost/fhir", now=1_790_000_000_000)
CASES = {  # type → parameter, the resource with a date
    "Patient": ("birthdate", lambda when: {"birthDate": when}),
    "MedicationRequest": ("authoredon", lambda when: {"authoredOn": when}),
    "Encounter": ("date", lambda when: {"period": when if isinstance(when, dict) else {"start": when, "end": when}}),
    "Condition": ("onset-date", lambda when: {"onsetPeriod" if isinstance(when, dict) else "onsetDateTime": when}),
}
days = st.dates(date(1890, 1, 1), date(2090, 1, 1))
texts = st.builds(lambda day, digits: day.isoformat()[:digits], days, st.sampled_from((4, 7, 10)))
periods = st.builds(
    lambda start, length: {"start": str(start), "end": str(start + timedelta(days=length))}, days, st.integers(0, 9999)
)
open_periods = st.builds(lambda end, day: {end: str(day)}, st.sampled_from(("start", "end")), days)
conditions = st.lists(
    st.tuples(st.sampled_from(("", "gt", "lt", "ge", "le", "sa", "eb", "ap")), texts), min_size=1, max_size=3
)


def lead_of(type_name: str, query: str):
    return leading(type_name, parse_query(parse_pairs(query), type_name), CONTEXT)


@given(st.sampled_from(sorted(CASES)), st.one_of(texts, periods, open_periods), conditions, st.data())
def test_every_match_lies_within_the_bounds(type_name, when, asked, data):
    code, made = CASES[type_name]
    if type_name in ("Patient", "MedicationRequest") and isinstance(when, dict):
        when = data.draw(texts)
    resource = {"resourceType": type_name, **made(when)}
    text = "&".join(f"{code}={prefix}{value}" for prefix, value in asked)
    query = parse_query(parse_pairs(text), type_name)
    stored = index_values(resource, CONTEXT).fields("x")
    lead = leading(type_name, query, CONTEXT)
    ((field, bounds),) = lead.bounds.items()
    assert field == lead.order[0].field
    value = stored
    for part in field.split("."):
        value = value[part]
    if matches(plan_search(type_name, query, CONTEXT).filter, stored):
        assert matches({"at": bounds}, {"at": value}), (when, text)


@pytest.mark.parametrize(
    ("type_name", "query", "by", "is_descending"),
    [
        ("Patient", "birthdate=1970", "birthdate", True),
        ("Patient", "birthdate=ge1970&gender=male", "birthdate", True),
        ("Patient", "birthdate=ge1970&_sort=birthdate", "birthdate", False),
        ("Patient", "birthdate=ge1970&_sort=-birthdate", "birthdate", True),
        ("Patient", "birthdate:missing=true", None, False),
        ("Patient", "birthdate=ne1970", None, False),
        ("Patient", "birthdate=1970,1971", None, False),
        ("Patient", "gender=male", None, False),
        ("Patient", "", None, False),
        ("Observation", "date=2020", None, False),  # its Timings hold several dates
        ("Patient", "birthdate=1970&death-date=2020", None, False),
    ],
)
def test_the_one_date_that_is_asked_for_leads(type_name, query, by, is_descending):
    first = lead_of(type_name, query).order[0]
    if by is None:
        assert first.field == "_id"
    else:
        parameter = CONTEXT.catalogue.parameters_of(type_name)[by]
        assert (first.field, first.is_descending) == (sort_field(parameter, is_descending), is_descending)


def test_another_order_that_is_asked_for_is_kept():
    order = lead_of("Patient", "birthdate=1970&_sort=family,-birthdate").order
    assert [key.field.split(".")[1] if "." in key.field else key.field for key in order] == [
        "family",
        "birthdate",
        "_id",
    ]


@pytest.mark.parametrize(
    ("type_name", "query", "decides"),
    [
        ("Patient", "birthdate=1970", True),
        ("Patient", "birthdate=ge1970&birthdate=lt1971", True),
        ("Encounter", "date=2025-01-01", True),
        ("Encounter", "date=ge2025", False),  # a period of any length may reach into it
        ("Patient", "birthdate=1970&gender=male", False),
    ],
)
def test_only_where_nothing_else_selects_does_the_order_decide_the_index(type_name, query, decides):
    assert lead_of(type_name, query).decides is decides
