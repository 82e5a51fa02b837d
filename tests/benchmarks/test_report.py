"""The report, its tables and its plots, made of values as the parts return them."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from benchmarks.__main__ import write
from benchmarks.comparison import alternate, ratios, summarise
from benchmarks.load_tool import Result
from benchmarks.plots import bar_plot, line_plot, plots_of, ticks
from benchmarks.report import SECTIONS, TITLES, report
from benchmarks.search_shapes import SHAPES
from benchmarks.tables import growth, ms, table
from benchmarks.target import Target

SPEED = {"per_second": 1234.5, "median_ms": 1.25, "p99_ms": 12.5}
COMPARED = {"by_name": {"ours": SPEED, "bare": SPEED}, "ratio": 0.5, "ratios": [0.4, 0.5, 0.6]}
SIZES = {"1000": 1.5, "16000": 3.0}
INDEX = {"resources": 25_000, "entries_per_resource": 22.1, "index_bytes_per_resource": 1900}
AUDITED = {**SPEED, "processor_us": 432.1, "ratio": 0.9, "ratios": [0.9]}
PARTS = {
    "interactions": {"read": {"unit": "requests", **COMPARED}, "transaction import": {"unit": "resources", **COMPARED}},
    "clients": {"read": {"1": COMPARED, "64": COMPARED}, "create": {"1": COMPARED, "64": COMPARED}},
    "sizes": {"read": SIZES, "create": SIZES},
    "search": {"median_ms": dict.fromkeys(SHAPES, SIZES), "index": {"1000": INDEX, "16000": INDEX}},
    "paging": {"page of all": {"1000": {"1": 1.0, "10": 1.1}, "16000": {"1": 1.0, "10": 1.1, "300": 1.2}}},
    "history": {"type": SIZES, "system": SIZES},
    "authorization": {"read": {"by_name": {"without": AUDITED, "with": AUDITED}}},
    "memory": {
        "requests": 20_000,
        "statuses": {"200": 19_000, "201": 1000},
        "shares": {"read": 90, "create": 10},
        "memory_mb": {"at the start": {"workers": [80.0, 81.0], "mongodb": 130.0}},
    },
    "startup": {"new": {"seconds": [1.9, 2.0, 2.1], "median_seconds": 2.0}},
    "loading": {
        "v2.4": {"resources": 8010, "seconds": 6.3, "per_second": 1271.4},
        "v2.7": {"skipped": "there is none"},
    },
    "peer": {
        "population": {
            "ours": {"resources": 1000, "seconds": 1.0, "per_second": 1000.0},
            "peer": {"refused": 405, "resources": 0, "at": "PUT Organization/1"},
        },
        "requests": {
            "read": {"ours": {"median_ms": 1.0, "entries": 0}, "peer": {"median_ms": 2.0, "entries": 0}},
            "create": {"ours": {"median_ms": 1.0, "entries": 0}, "peer": {"refused": 403}},
            "gender": {"ours": {"median_ms": 1.0, "entries": 20}, "peer": {"median_ms": 3.0, "entries": 10}},
        },
        "reads_under_load": {"refused": {"peer": 404}},
        "deleted": {"stored": 3, "left": ["Patient/1"]},
    },
}
MACHINE = {
    "date": "2026-01-02T03:04+00:00",
    "processor": "a processor",
    "load average at the start": "0.10, 0.20, 0.30",
}
VALUES = {
    "machine": MACHINE,
    "plan": {"rounds": 5, "seconds": 4.0, "sizes": [1000, 16000], "times": 60},
    "parts": PARTS,
}


def test_every_part_has_a_section_and_every_plot_in_it_a_file(tmp_path):
    write(VALUES, tmp_path)
    text = (tmp_path / "report.md").read_text()
    assert [title for title in TITLES.values() if f"\n## {title}\n" not in text] == []
    shown = re.findall(r"!\[[^]]+\]\(([^)]+)\)", text)
    assert sorted(shown) == sorted(path.name for path in tmp_path.glob("*.svg"))
    assert "a processor" in text
    assert "5 rounds of 4 s" in text
    assert (tmp_path / "report.json").exists()


def test_the_rows_of_every_table_are_as_long_as_its_heading():
    tables = re.findall(r"(?:^\|.*\|\n)+", report(VALUES), re.MULTILINE)
    assert len(tables) > len(SECTIONS)
    for found in tables:
        assert len({line.count("|") for line in found.splitlines()}) == 1, found


def test_a_part_that_failed_says_why_and_has_no_plot(tmp_path):
    write({**VALUES, "parts": {**PARTS, "sizes": {"failed": "TimeoutError: no answer"}}}, tmp_path)
    assert "The measurement failed: TimeoutError: no answer" in (tmp_path / "report.md").read_text()
    assert not (tmp_path / "interactions.svg").exists()


def test_a_part_that_was_not_measured_has_no_section():
    text = report({**VALUES, "parts": {"sizes": PARTS["sizes"]}})
    assert TITLES["sizes"] in text
    assert TITLES["search"] not in text


def test_what_another_server_refused_is_shown_with_its_status():
    text = report(VALUES)
    assert "| create | 1.00 | status 403 |  | 0 |" in text
    assert "| read | 1.00 | 2.00 | 2.00 | 0 |" in text
    assert "| gender | 1.00 | 3.00 | 3.00 | 20 ≠ 10 |" in text
    assert "| peer | refused: 405 to PUT Organization/1 |" in text
    assert "not measured: peer answered 404" in text
    assert "1 could not be deleted: Patient/1" in text


@pytest.mark.parametrize("drawn", plots_of(PARTS).values(), ids=list(plots_of(PARTS)))
def test_a_plot_names_its_axes_and_lines_and_fetches_nothing(drawn):
    root = ElementTree.fromstring(drawn)  # noqa: S314 - it is our own
    texts = {text for element in root.iter() for text in [(element.text or "").strip()] if text}
    assert any(text.endswith((", ms", "seconds", "MB", "a second")) for text in texts)
    assert b"<script" not in drawn
    assert b"@import" not in drawn
    assert not re.search(rb'(?:href|src)="http', drawn)


def test_the_same_values_make_the_same_plot():
    series = {"read": [(1000.0, 1.0), (16000.0, 1.2)]}
    assert line_plot("Read", "patients", "ms", series) == line_plot("Read", "patients", "ms", series)
    assert bar_plot("Start", "s", ["new"], {"s": [1.0]}) == bar_plot("Start", "s", ["new"], {"s": [1.0]})


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.9, 27.0], [0.5, 1, 2, 5, 10, 20, 50]),
        ([1.0, 1.0], [1, 2]),
        ([3.0], [2, 5]),
        ([600.0], [500, 1000]),
        ([0.02, 90_000.0], [0.01, 0.1, 1, 10, 100, 1000, 10_000, 100_000]),
    ],
)
def test_ticks_are_round_and_hold_all_values(values, expected):
    assert ticks(values) == expected


def test_numbers_have_as_many_digits_as_they_need():
    assert [ms(value) for value in (0.912, 12.34, 1234.5)] == ["0.91", "12.3", "1,234"]
    assert growth(2.0, 3.0) == "1.50"
    assert table(["a|b", "c"], [["d", "1"]]) == "| a\\|b | c |\n| --- | ---: |\n| d | 1 |"


def test_rounds_alternate_who_is_first_and_the_first_round_does_not_count():
    order = []

    def measure(target: Target) -> Result:
        order.append(target.name)
        return Result(1.0, target.name, [0.001] * len(order), {200: len(order)})

    results = alternate([Target("bare", "h", 1), Target("ours", "h", 2)], 2, measure)
    assert order == ["ours", "bare", "bare", "ours", "ours", "bare"]
    assert [result.rate for result in results["ours"]] == [4, 5]
    assert summarise(results, each=50)["ours"]["per_second"] == 225
    assert ratios(results, "ours", "bare")["ratios"] == [4 / 3, 5 / 6]
