"""The dates of care by which a record is restricted. https://hl7.org/fhir/R4/operation-patient-everything.html"""

from __future__ import annotations

from typing import Any

import pytest

from fhir_server.operations.care_dates import OTHERWISE, care_date, span_of, within_dates
from resources.definitions import compartment_parameters
from resources.problem import Problem
from search.context import Context
from search.index import index_values
from search.match import matches
from search.parameters import standard_parameters_of

CONTEXT = Context("http://localhost/fhir")


@pytest.mark.parametrize("type_name", sorted({*compartment_parameters("Patient"), *OTHERWISE}))
def test_every_date_is_a_date_parameter_of_its_type(type_name: str) -> None:
    code = care_date(type_name)
    if code is None:
        assert type_name not in OTHERWISE
    else:
        assert standard_parameters_of(type_name)[code].kind == "date"


def selected(start: str | None, end: str | None, **elements: Any) -> bool:
    tree = {"resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"}, **elements}
    filter_ = within_dates("Encounter", span_of(start, end))
    assert filter_ is not None
    return matches(filter_, {"d": [], **index_values(tree, CONTEXT).fields("1")})


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        ({"start": "2020-03-01", "end": "2020-03-05"}, True),
        ({"start": "2019-12-01", "end": "2020-01-01"}, True),
        ({"start": "2020-12-31", "end": "2021-02-01"}, True),
        ({"start": "2019-01-01"}, True),
        ({"start": "2019-01-01", "end": "2019-12-31"}, False),
        ({"start": "2021-01-01"}, False),
    ],
)
def test_care_that_reaches_into_the_time_counts(period: dict[str, str], expected: bool) -> None:
    assert selected("2020-01-01", "2020-12-31", period=period) is expected


def test_what_has_no_date_is_not_left_out() -> None:
    assert selected("2020-01-01", "2020-12-31")


def test_either_end_may_be_open() -> None:
    period = {"start": "2020-03-01", "end": "2020-03-05"}
    assert selected("2020-03-05", None, period=period)
    assert not selected("2020-03-06", None, period=period)
    assert selected(None, "2020-03-01", period=period)
    assert not selected(None, "2020-02", period=period)


def test_types_without_such_a_date_are_not_restricted() -> None:
    assert within_dates("Patient", span_of("2020", "2021")) is None
    assert within_dates("Encounter", span_of(None, None)) is None


def test_a_time_that_ends_before_it_begins_is_refused() -> None:
    assert span_of("2020-01-01", "2020") is not None
    with pytest.raises(Problem):
        span_of("2020", "2019-12-31")
