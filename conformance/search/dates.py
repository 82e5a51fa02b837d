"""Searches by dates. https://hl7.org/fhir/R4/search.html#date"""

from __future__ import annotations

from conformance.check import Checks, expect
from conformance.clauses import SEARCH
from conformance.rest_context import RestContext
from conformance.search.cases import Case, add_cases, found
from conformance.statement import search_parameter

checks = Checks("Search: date")


def _birth(name: str, query: str, finds: str, words: str) -> Case:
    return Case(f"date_{name}", "Patient", query, finds, words)


def _period(name: str, query: str, finds: str, words: str) -> Case:
    return Case(f"date_{name}", "Encounter", query, finds, words)


def _time(name: str, query: str, finds: str, words: str) -> Case:
    return Case(f"date_{name}", "Observation", query, finds, words)


PRECISIONS = (
    _birth("day", "birthdate=1970-01-31", "anna", "A day finds that day."),
    _birth("month", "birthdate=1970-01", "anna", "A month finds its days."),
    _birth("year", "birthdate=1970", "anna bob", "A year finds its days and months."),
    _birth("year_of_year", "birthdate=1980", "carl dora", "A year finds itself and its days."),
    _birth("day_in_month", "birthdate=1970-02-10", "", "A day does not find the month that it is in."),
    _birth("or", "birthdate=1970-01-31,1981-01-01", "anna eve", "Days between commas find any of them."),
    _birth("range", "birthdate=ge1970-02&birthdate=le1980-12", "bob carl dora", "Two bounds make a range."),
    _time("time_zone", "date=2024-05-01T00:30:00+01:00", "o_kg", "A time is found as it was sent."),
    _time("time_utc", "date=2024-04-30T23:30:00Z", "o_kg", "A time is found by the same moment in UTC."),
    _time("time_other_zone", "date=2024-04-30T18:30:00-05:00", "o_kg", "A time is found by the same moment elsewhere."),
    _time(
        "time_wrong_zone", "date=2024-05-01T00:30:00Z", "", "A time is not found by its digits in another time zone."
    ),
    _time("minute", "date=2024-05-02T10:00Z", "o_bp", "A minute finds its seconds."),
    _time("month_of_times", "date=2024-03", "o_70 o_lb", "A month finds days and months of a dateTime."),
    _period("period_day", "date=2024-03-01", "e_done", "A day finds a period that lies within it."),
    _period("period_part", "date=2024-03-01T09:30:00Z", "", "A moment does not equal a longer period."),
    _period("period_open", "date=2024-03", "e_done", "A month does not equal a period without an end."),
    Case("date_condition", "Condition", "onset-date=2019", "c_over", "A year finds a period of another type."),
)
add_cases(checks, f"{SEARCH}#date", PRECISIONS)

PREFIXES = (
    _birth("eq", "birthdate=eq1970-02", "bob", "`eq` is the same as no prefix."),
    _birth("ne", "birthdate=ne1970", "carl dora eve", "`ne` finds other dates."),
    _birth("gt_year", "birthdate=gt1980", "eve", "`gt` with a year finds what is after its end."),
    _birth("gt_within", "birthdate=gt1980-06", "carl dora eve", "`gt` finds a year that goes on after a month of it."),
    _birth("gt_same_day", "birthdate=gt1970-01-31", "bob carl dora eve", "`gt` does not find the day itself."),
    _birth("lt", "birthdate=lt1970-02", "anna", "`lt` with a month finds what is before its beginning."),
    _birth("lt_same_day", "birthdate=lt1970-01-31", "", "`lt` does not find the day itself."),
    _birth("ge", "birthdate=ge1980", "carl dora eve", "`ge` finds the year itself and what is after it."),
    _birth("ge_same_day", "birthdate=ge1980-12-31", "carl eve", "`ge` finds the day itself."),
    _birth("le", "birthdate=le1970", "anna bob", "`le` finds the year itself and what is before it."),
    _birth("le_same_day", "birthdate=le1970-01-31", "anna", "`le` finds the day itself."),
    _birth("sa", "birthdate=sa1980", "eve", "`sa` finds what starts after the year."),
    _birth("sa_within", "birthdate=sa1980-06", "carl eve", "`sa` does not find what starts before."),
    _birth("eb", "birthdate=eb1980", "anna bob", "`eb` finds what ends before the year."),
    _birth("eb_within", "birthdate=eb1980-06", "anna bob", "`eb` does not find what ends after."),
    _period("period_gt", "date=gt2024-03-01", "e_open", "`gt` finds a period without an end."),
    _period("period_gt_within", "date=gt2024-03-01T09:30:00Z", "e_done e_open", "`gt` finds a period that goes on."),
    _period("period_ge", "date=ge2024-03-05", "e_open", "`ge` finds a period that begins later."),
    _period("period_lt", "date=lt2024-03-01", "e_past", "`lt` finds a period without a beginning."),
    _period("period_lt_within", "date=lt2024-03-01T09:30:00Z", "e_past e_done", "`lt` finds a period that has begun."),
    _period("period_le", "date=le2024-03-01", "e_past e_done", "`le` finds a period on the day itself."),
    _period("period_sa", "date=sa2024-02-15", "e_done e_open", "`sa` finds periods that begin later."),
    _period("period_sa_within", "date=sa2024-03-01T09:30:00Z", "e_open", "`sa` does not find a period that has begun."),
    _period("period_eb", "date=eb2024-04-01", "e_done e_past", "`eb` does not find a period without an end."),
    _period("period_eb_within", "date=eb2024-03-01T09:30:00Z", "e_past", "`eb` does not find a period that goes on."),
    _period("period_far_future", "date=gt2090", "e_open", "A period without an end lasts into any future."),
    _period("period_far_past", "date=lt1900", "e_past", "A period without a beginning reaches into any past."),
    _time("time_gt", "date=gt2024-04-30T23:29:59Z", "o_kg o_bp", "`gt` compares moments and not their digits."),
    _time("time_lt", "date=lt2024-05-01T00:00:00Z&code=29463-7", "o_kg o_70 o_lb", "`lt` compares moments too."),
)
add_cases(checks, f"{SEARCH}#prefix", PREFIXES)

OTHERS = (
    Case("date_missing", "Encounter", "date:missing=true", "e_none", "`:missing=true` finds what has no date."),
    Case("date_not_missing", "Patient", "death-date:missing=false", "bob", "`:missing=false` finds what has a date."),
    Case(
        "date_last_updated",
        "Patient",
        "_lastUpdated=ge{first}",
        "anna bob carl dora eve finn",
        "`_lastUpdated` finds what was written since.",
    ),
    Case(
        "date_last_updated_before",
        "Patient",
        "_lastUpdated=lt{first}",
        "",
        "`_lastUpdated` leaves out what came later.",
    ),
)
add_cases(checks, f"{SEARCH}#lastUpdated", OTHERS)


@checks(
    "search.date_ap",
    "`ap` finds at least the date itself.",
    f"{SEARCH}#prefix",
    search_parameter("Patient", "birthdate"),
)
def _(context: RestContext) -> None:
    finds = found(context, "Patient", "birthdate=ap1970-01-31")
    expect("anna" in finds, "birthdate=ap1970-01-31 does not find that day.")


@checks(
    "search.date_ap_period",
    "`ap` with a day finds a period on that day.",
    f"{SEARCH}#prefix",
    search_parameter("Encounter", "date"),
)
def _(context: RestContext) -> None:
    expect("e_done" in found(context, "Encounter", "date=ap2024-03-01"), "date=ap2024-03-01 does not find it.")
