"""What matches, told a second time: each kind by the words of the specification alone, for every pair of a small pool.

https://hl7.org/fhir/R4/search.html

Nothing here calls the code under test to say what is right.
"""

from __future__ import annotations

import calendar
import unicodedata
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import product

import pytest

PREFIXES = ["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]
NOW = datetime(2026, 1, 1)  # as in conftest
DATES = [
    *("2019", "2020", "2020-02", "2020-12", "2020-02-28", "2020-02-29", "2020-03-01", "2020-12-31", "2021-01"),
    *("2020-02-29T23:59:59Z", "2020-02-29T22:30:00-02:00", "2020-03-01T00:00:00.000+01:00", "2020-02-29T23:59Z"),
    *(
        "2020-02-29T10:00:00.5Z",
        "2020-02-29T10:00:00.56Z",
        "2020-02-29T10:00:00.12Z",
        "2020-02-29T10:00:00.123Z",
        "2020-02-29T10:00:00Z",
        "1905-07",
        "2025-12-31",
    ),
]
SINCE_EVER, FOR_EVER = datetime.min, datetime.max


def interval(text):
    """The first moment that a date's precision covers, and the first behind it."""
    day, _, time = text.partition("T")
    if not time:
        year, month, day = (*map(int, day.split("-")), None, None)[:3]
        last_month = month or 12
        last_day = day or calendar.monthrange(year, last_month)[1]
        return datetime(year, month or 1, day or 1), datetime(year, last_month, last_day) + timedelta(days=1)
    first = datetime.fromisoformat(text)
    first = (first - first.utcoffset()).replace(tzinfo=None)
    digits = time.rstrip("Z").split("+")[0].split("-")[0]
    if "." in digits:
        return first, first + timedelta(seconds=10.0 ** -len(digits.partition(".")[2]))
    return first, first + (timedelta(seconds=1) if digits.count(":") == 2 else timedelta(minutes=1))


def stored_interval(value):
    if isinstance(value, str):
        return interval(value)
    start = interval(value["start"])[0] if "start" in value else SINCE_EVER
    return start, interval(value["end"])[1] if "end" in value else FOR_EVER


def date_matches(value, prefix, text):
    (lo, hi), (first, behind) = stored_interval(value), interval(text)
    if prefix == "ap":
        margin = abs(NOW - first) / 10
        return lo < behind + margin and hi > first - margin
    is_equal = first <= lo and hi <= behind
    return {
        **{"": is_equal, "eq": is_equal, "ne": not is_equal, "gt": hi > behind, "lt": lo < first},
        **{"ge": hi > behind or is_equal, "le": lo < first or is_equal, "sa": lo >= behind, "eb": hi <= first},
    }[prefix]


def observation(**members):
    return {"resourceType": "Observation", "id": "1", **members}


def check(matching, resources, queries, is_right):
    """Every resource with every query, against an oracle; some must match and some must not."""
    told = [
        (value, query, is_found, is_right(value, query))
        for (value, query), is_found in matching(resources, queries).items()
    ]
    assert [case for case in told if case[2] != case[3]] == []
    assert {case[2] for case in told} == {True, False}


def test_dates_compare_as_their_spans_do(matching):
    periods = [
        {name: text for name, text in (("start", start), ("end", end)) if text is not None}
        for start, end in product([None, *DATES], repeat=2)
        if None in (start, end) or interval(start)[0] <= interval(end)[0]
    ]
    values = {text: text for text in DATES} | {str(period): period for period in periods if period}
    resources = {
        name: observation(**{"effectiveDateTime" if isinstance(value, str) else "effectivePeriod": value})
        for name, value in values.items()
    }
    queries = {(prefix, text): f"date={prefix}{text.replace('+', '%2B')}" for prefix in PREFIXES for text in DATES}
    check(matching, resources, queries, lambda name, query: date_matches(values[name], *query))


NUMBERS = [
    "0",
    "0.0",
    "1",
    "1.0",
    "1.00",
    "10",
    "9.96",
    "9.5",
    "10.5",
    "1e1",
    "1.0e1",
    "-1",
    "-1.5",
    "0.95",
    "1.05",
    "1.049",
]


def implicit(text):
    """The number, and half a unit of its last digit."""
    digits, _, exponent = text.lower().partition("e")
    power = int(exponent or 0) - len(digits.partition(".")[2])
    return Fraction(text), Fraction(10) ** power / 2


def number_matches(ends, prefix, text, factor=1):
    value, half = (part * factor for part in implicit(text))
    if prefix == "ap":
        half = max(half, abs(value) / 10)
    lo, hi = (None if end is None else Fraction(end) for end in ends)
    starts_within = lo is not None and value - half <= lo < value + half
    ends_within = hi is not None and value - half <= hi < value + half
    is_equal = starts_within and ends_within
    touches = (lo is None or lo < value + half) and (hi is None or hi >= value - half)
    return {
        **{"": is_equal, "eq": is_equal, "ne": not is_equal, "ap": touches},
        **{"gt": hi is None or hi > value, "ge": hi is None or hi >= value, "sa": lo is not None and lo > value},
        **{"lt": lo is None or lo < value, "le": lo is None or lo <= value, "eb": hi is not None and hi < value},
    }[prefix]


def test_numbers_compare_within_their_precision_or_exactly(matching):
    ends = {text: (text, text) for text in NUMBERS}
    for low, high in product([None, *NUMBERS], repeat=2):
        if (low or high) and (None in (low, high) or Fraction(low) < Fraction(high)):
            ends[f"{low} to {high}"] = (low, high)
    resources = {}
    for name, (low, high) in ends.items():
        prediction = {"probabilityDecimal": Decimal(low)} if low == high else {"probabilityRange": {}}
        if low != high:
            named = {"low": low, "high": high}
            prediction["probabilityRange"] = {end: {"value": Decimal(n)} for end, n in named.items() if n is not None}
        resources[name] = {"resourceType": "RiskAssessment", "id": "1", "prediction": [prediction]}
    queries = {(prefix, text): f"probability={prefix}{text}" for prefix in PREFIXES for text in NUMBERS}
    check(matching, resources, queries, lambda name, query: number_matches(ends[name], *query))


UCUM = "http://unitsofmeasure.org"
GRAMS = {"mg": Fraction(1, 1000), "g": Fraction(1), "kg": Fraction(1000)}
AMOUNTS = ["1", "1.0", "1000", "1e3", "0.001", "0.0010", "999.6", "1.04"]


def test_quantities_compare_across_units_of_the_same_dimension(matching):
    resources = {
        (amount, unit): observation(valueQuantity={"value": Decimal(amount), "system": UCUM, "code": unit})
        for amount, unit in product(AMOUNTS, GRAMS)
    }
    queries = {
        (prefix, amount, unit): f"value-quantity={prefix}{amount}|{UCUM}|{unit}"
        for prefix, amount, unit in product(PREFIXES, AMOUNTS, GRAMS)
    }

    def is_right(value, query):
        grams = Fraction(value[0]) * GRAMS[value[1]]
        return number_matches((grams, grams), query[0], query[1], GRAMS[query[2]])

    check(matching, resources, queries, is_right)


SYSTEMS = [None, "urn:a", "urn:b|c", "URN:A"]
CODES = [None, "x", "X", "x|y", "y", "a,b", "a$b", "a\\b"]


def escaped(text):
    return "".join(f"\\{c}" if c in "\\|,$" else c for c in text)


@pytest.mark.parametrize("is_identifier", [False, True])
def test_tokens_match_by_system_and_code(matching, is_identifier):
    """Codes whatever their case; identifiers, of which two may differ in case alone, exactly."""

    def of(system, text):
        name = "value" if is_identifier else "code"
        held = {key: part for key, part in (("system", system), (name, text)) if part is not None}
        return observation(**({"identifier": [held]} if is_identifier else {"code": {"coding": [held]}}))

    def same(stored, asked):
        return stored == asked if is_identifier or stored is None else stored.lower() == asked.lower()

    def is_right(held, query):
        system, text = query
        if text is None:
            return held[0] == system
        return same(held[1], text) and (system == "any" or held[0] == system)

    parameter = "identifier" if is_identifier else "code"
    resources = {pair: of(*pair) for pair in product(SYSTEMS, CODES) if pair != (None, None)}
    queries = {("any", text): [(parameter, escaped(text))] for text in CODES[1:]}
    for system, text in product(SYSTEMS, CODES):
        if (system, text) != (None, None):
            queries[system, text] = [(parameter, f"{escaped(system or '')}|{escaped(text or '')}")]
    check(matching, resources, queries, is_right)


NAMES = [
    "a",
    "A",
    "Ab",
    "äb",
    "ÄB",
    "b ab",
    "b|ab",
    "José",
    "jose",
    "JOSE\u0301 Maria",
    "é",
    "e",
    "a,b",
    "a\\",
    "a.b",
    "a.*",
]


def bare(text):
    return "".join(c for c in unicodedata.normalize("NFD", text).lower() if not unicodedata.combining(c))


@pytest.mark.parametrize(
    ("modifier", "is_right"),
    [
        ("", lambda held, asked: bare(held).startswith(bare(asked))),
        (":contains", lambda held, asked: bare(asked) in bare(held)),
        (":exact", lambda held, asked: held == asked),
    ],
)
def test_strings_match_from_the_start_or_anywhere_or_exactly(matching, modifier, is_right):
    resources = {name: {"resourceType": "Patient", "id": "1", "name": [{"family": name}]} for name in NAMES}
    queries = {name: [(f"family{modifier}", escaped(name))] for name in NAMES}
    check(matching, resources, queries, is_right)


URLS = [
    *("http://a.example", "http://a.example/", "http://a.example/x", "http://a.example/x/", "http://a.example/X"),
    *("http://a.example/x/y", "http://a.example/xy", "http://b.example/x", "urn:oid:1.2", "urn:oid:1.2.3"),
]


@pytest.mark.parametrize(
    ("modifier", "is_right"),
    [
        ("", lambda held, asked: held == asked),
        (":below", lambda held, asked: held == asked or held.startswith(asked.rstrip("/") + "/")),
        (":above", lambda held, asked: held == asked or asked.startswith(held.rstrip("/") + "/")),
    ],
)
def test_uris_match_exactly_or_by_path(matching, modifier, is_right):
    resources = {url: {"resourceType": "ValueSet", "id": "1", "url": url} for url in URLS}
    queries = {url: [(f"url{modifier}", url)] for url in URLS}
    check(matching, resources, queries, is_right)


def test_references_match_by_type_and_id_here_and_by_url_elsewhere(matching):
    here, elsewhere = "http://localhost:8080/fhir/", "http://elsewhere.example/fhir/"
    paths = ["Patient/1", "Patient/2", "Group/1"]
    stored = {
        base + path + end: base + path
        for base in ("", here, elsewhere)
        for path in paths
        for end in ("", "/_history/2")
    }
    resources = {text: observation(subject={"reference": text}) for text in stored}
    queries = {text: f"subject={text}" for text in stored} | {"1": "subject=1", "2": "subject=2"}

    def is_right(held, asked):
        held = stored[held].removeprefix(here)
        if asked in ("1", "2"):
            return "//" not in held and held.endswith(f"/{asked}")
        return held == stored[asked].removeprefix(here)

    check(matching, resources, queries, is_right)
