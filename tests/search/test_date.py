"""Date parameters. https://hl7.org/fhir/R4/search.html#date"""

from __future__ import annotations

import pytest

PERIOD = {"start": "2013-01-10", "end": "2013-01-20"}


def observation(when: object) -> dict[str, object]:
    member = "effectivePeriod" if isinstance(when, dict) else "effectiveDateTime"
    return {"resourceType": "Observation", member: when}


@pytest.mark.parametrize(
    ("stored", "query", "expected"),
    [
        # The examples of the specification's table of prefixes.
        ("2013-01-14T00:00:00Z", "eq2013-01-14", True),
        ("2013-01-14T10:00:00Z", "eq2013-01-14", True),
        ("2013-01-15T00:00:00Z", "eq2013-01-14", False),
        ("2013-01-15T00:00:00Z", "ne2013-01-14", True),
        ("2013-01-14T00:00:00Z", "ne2013-01-14", False),
        ("2013-01-14", "lt2013-01-14T10:00", True),
        ("2013-01-14", "gt2013-01-14T10:00", True),
        ("2013-01-21T00:00:00Z", "ge2013-03-14", False),
        ({"start": "2013-01-21"}, "ge2013-03-14", True),
        ({"start": "2013-01-21", "end": "2013-01-31"}, "ge2013-03-14", False),
        ({"start": "2013-01-21", "end": "2013-03-31"}, "ge2013-03-14", True),
        ({"end": "2013-03-01"}, "le2013-03-14", True),
        ({"start": "2013-03-13", "end": "2013-03-20"}, "le2013-03-14", True),
        ({"start": "2013-03-15", "end": "2013-03-20"}, "le2013-03-14", False),
        ({"start": "2013-03-15"}, "sa2013-03-14", True),
        ({"start": "2013-03-14T12:00:00Z"}, "sa2013-03-14", False),
        ({"end": "2013-03-13"}, "eb2013-03-14", True),
        ({"end": "2013-03-14T12:00:00Z"}, "eb2013-03-14", False),
        # Precision: a year covers all of its days, and a day only some of a year.
        ("2013-05-05", "2013", True),
        ("2013", "2013-05-05", False),
        ("2013", "2013", True),
        ("2012-12-31T23:59:59Z", "2013", False),
        ("2013-02", "2013-02", True),
        ("2013-02-28", "2013-02", True),
        ("2013-03-01", "2013-02", False),
        # Time zones.
        ("2013-01-14T23:30:00-05:00", "2013-01-15", True),
        ("2013-01-14T23:30:00-05:00", "2013-01-14", False),
        ("2013-01-15T04:30:00Z", "2013-01-14T23:30:00-05:00", True),
        # Seconds and their fractions.
        ("2013-01-14T10:00:00.123Z", "2013-01-14T10:00:00Z", True),
        ("2013-01-14T10:00:00.123Z", "2013-01-14T10:00:00.123Z", True),
        ("2013-01-14T10:00:00.124Z", "2013-01-14T10:00:00.123Z", False),
        # Periods: equality asks that the query's span contain the whole period.
        (PERIOD, "2013-01", True),
        (PERIOD, "2013-01-15", False),
        (PERIOD, "gt2013-01-15", True),
        (PERIOD, "lt2013-01-15", True),
        (PERIOD, "gt2013-01-20", False),
        (PERIOD, "lt2013-01-10", False),
        (PERIOD, "ap2013-01-15", True),
        ({"start": "1990-01-01", "end": "2020-01-01"}, "gt2019-06", True),
        ({"start": "1990-01-01", "end": "2020-01-01"}, "ge2021", False),
        # About a date: a tenth of the time between it and now on either side.
        ("2025-11-10", "ap2025-12-01", False),
        ("2025-11-29", "ap2025-12-01", True),
        ("2015-06-01", "ap2016-01-01", True),
    ],
)
def test_a_date_compares_as_the_specification_says(found, stored, query, expected):
    assert found(observation(stored), f"date={query}") is expected


def test_any_of_several_dates_may_match(found):
    assert found(observation("2013-01-14"), "date=2012,2013")
    assert not found(observation("2014-01-14"), "date=2012,2013")


def test_all_of_several_conditions_must_match(found):
    assert found(observation("2013-01-14"), "date=ge2013-01-01&date=lt2013-02-01")
    assert not found(observation("2013-02-14"), "date=ge2013-01-01&date=lt2013-02-01")


def test_a_timing_is_found_by_its_events_and_its_bounds(found):
    timing = {
        "event": ["2024-03-01T08:00:00Z"],
        "repeat": {"boundsPeriod": {"start": "2024-05-01", "end": "2024-05-10"}},
    }
    observation_ = {"resourceType": "Observation", "effectiveTiming": timing}
    assert found(observation_, "date=2024-03-01")
    assert found(observation_, "date=2024-05")
    assert not found(observation_, "date=2024-04")


@pytest.mark.parametrize(("query", "expected"), [("date:missing=true", True), ("date:missing=false", False)])
def test_missing_tells_whether_there_is_any_date(found, query, expected):
    assert found({"resourceType": "Observation"}, query) is expected
    assert found(observation("2013"), query) is not expected


@pytest.mark.parametrize(
    ("stored", "overlaps"),
    [
        (PERIOD, True),
        ({"start": "2013-01-20", "end": "2013-03-01"}, True),
        ({"start": "2012-12-01", "end": "2013-01-01"}, False),
        ({"start": "2013-01-21", "end": "2013-03-01"}, False),
        ({"end": "2013-01-15"}, False),
        ({"start": "2013-01-15"}, True),
        ("2013", True),
    ],
)
def test_in_a_filter_periods_can_be_asked_to_overlap(found, stored, overlaps):
    assert found(observation(stored), "_filter=date po 2013-01-20") is overlaps
