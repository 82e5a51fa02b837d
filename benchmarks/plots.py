"""Plots as SVG files, drawn by pygal: lines on logarithmic axes, and bars. Pure functions of the values of the parts."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from math import ceil, floor, log10
from xml.etree.ElementTree import Element

import pygal
from pygal.style import Style

from benchmarks.comparison import Values
from benchmarks.search_shapes import GROUPS

# pygal leaves a finder of modules for its maps, of an old kind that Python 3.11 warns of at later imports. No map is drawn.
sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, pygal.PluginImportFixer)]

Points = Sequence[tuple[float, float]]
WIDTH, HEIGHT, LEGEND_LINE, MARGIN = 860, 460, 24, 20
PATIENTS = "patients in the store"
MEDIAN_MS = "median latency, ms"
# Told apart by people who see few colours (Okabe and Ito), on white paper as on a dark page.
STYLE = Style(
    background="#ffffff",
    plot_background="#ffffff",
    foreground="#333333",
    foreground_strong="#111111",
    foreground_subtle="#777777",
    guide_stroke_color="#dddddd",
    major_guide_stroke_color="#dddddd",
    guide_stroke_dasharray="0",
    major_guide_stroke_dasharray="0",
    colors=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c564b", "#7f7f7f"),
    font_family="Helvetica, Arial, sans-serif",
    label_font_size=13,
    major_label_font_size=13,
    value_font_size=12,
    title_font_size=18,
    legend_font_size=13,
    stroke_width=2,
    opacity="1",
    opacity_hover="1",
)


def ticks(values: Iterable[float]) -> list[float]:
    """Values 1, 2 and 5 times a power of ten, from below the least value to above the greatest; thinned where many."""
    positive = [value for value in values if value > 0]
    least, greatest = floor(log10(min(positive))), ceil(log10(max(positive)))
    steps = (1, 2, 5) if greatest - least <= 4 else (1,)
    every = [round(step * 10.0**power, 9) for power in range(least, greatest + 1) for step in steps]
    below = max(value for value in every if value <= min(positive))
    above = min((value for value in every if value >= max(positive)), default=every[-1])
    if below == above:
        above = every[every.index(above) + 1] if above != every[-1] else above * 10
    return [value for value in every if below <= value <= above] + ([above] if above not in every else [])


def line_plot(title: str, x_title: str, y_title: str, series: Mapping[str, Points]) -> bytes:
    """Lines on logarithmic axes, as SVG."""
    xs = sorted({x for points in series.values() for x, _ in points})
    levels = ticks(y for points in series.values() for _, y in points)
    chart = pygal.XY(
        **_common(title, y_title, len(series)),
        logarithmic=True,
        x_title=x_title,
        x_labels=_apart(xs),
        y_labels=levels,
        range=(levels[0] * 0.999, levels[-1] * 1.001),  # so that rounding leaves out neither end
        x_value_formatter=lambda value: f"{value:,.0f}",
        value_formatter=lambda value: f"{value:,g}",
        show_x_guides=True,
        dots_size=4,
    )
    return _drawn(chart, title, series)


def bar_plot(title: str, y_title: str, labels: Sequence[str], series: Mapping[str, Sequence[float]]) -> bytes:
    """Bars with their values on them, as SVG: a group for each label, in it one bar of each series."""
    chart = pygal.Bar(
        **_common(title, y_title, len(series)),
        x_labels=list(labels),
        print_values=True,
        print_values_position="top",
        value_formatter=lambda value: f"{value:.3g}",
        min_scale=4,
        range=(0, 1.1 * max(value for values in series.values() for value in values)),
    )
    return _drawn(chart, title, series)


def _common(title: str, y_title: str, lines: int) -> dict[str, object]:
    columns = 2 if lines > 1 else 1
    return {
        "title": title,
        "y_title": y_title,
        "style": STYLE,
        "js": (),  # nothing is fetched to show a plot
        "width": WIDTH,
        "height": HEIGHT + LEGEND_LINE * ceil(lines / columns),
        "margin_bottom": MARGIN + (LEGEND_LINE if lines % columns else 0),  # pygal forgets a last line that is not full
        "legend_at_bottom": True,
        "legend_at_bottom_columns": columns,
        "truncate_legend": -1,
        "truncate_label": -1,
    }


def _apart(xs: Sequence[float]) -> list[float]:
    """The values that are far enough apart on a logarithmic axis for their labels."""
    chosen: list[float] = []
    for x in xs:
        if not chosen or x >= chosen[-1] * (xs[-1] / xs[0]) ** 0.07:
            chosen.append(x)
    return chosen


def _drawn(chart: pygal.graph.graph.Graph, title: str, series: Mapping[str, Sequence[object]]) -> bytes:
    chart.uuid = "".join(letter if letter.isalnum() else "-" for letter in title.lower())  # the same each time
    for name, values in series.items():
        chart.add(name, list(values))
    chart.add_xml_filter(_without_scripts)
    drawn = chart.render()
    assert isinstance(drawn, bytes)
    return drawn


def _without_scripts(svg: Element) -> Element:
    """Nothing in a report needs to run."""
    for element in list(svg.iter()):
        for child in [each for each in element if each.tag == "script"]:
            element.remove(child)
    return svg


def by_size(values: Values) -> dict[str, Points]:
    """Lines from name → patients → milliseconds."""
    return {name: [(float(size), ms) for size, ms in of_name.items()] for name, of_name in values.items()}


def plots_of(parts: Values) -> dict[str, bytes]:
    """File name → SVG, of all parts that have values."""
    drawn: dict[str, bytes] = {}
    if values := parts.get("sizes"):
        drawn["interactions.svg"] = line_plot("One client: interactions", PATIENTS, MEDIAN_MS, by_size(values))
    if values := parts.get("search"):
        for name, shapes in GROUPS.items():
            lines = by_size({shape: values["median_ms"][shape] for shape in shapes})
            drawn[search_plot(name)] = line_plot(f"Search: {name.lower()}", PATIENTS, MEDIAN_MS, lines)
    if values := parts.get("paging"):
        drawn["paging.svg"] = line_plot("Paging depth", "page", MEDIAN_MS, _paging_lines(values))
    if values := parts.get("history"):
        drawn["history.svg"] = line_plot("First page of a history", PATIENTS, MEDIAN_MS, by_size(values))
    for kind, by_number in parts.get("clients", {}).items():
        drawn[f"clients-{kind}.svg"] = _latency_of_clients(kind, by_number)
        drawn[f"clients-{kind}-rate.svg"] = _rate_of_clients(kind, by_number)
    if values := parts.get("authorization"):
        contenders = list(next(iter(values.values()))["by_name"])
        drawn["authorization.svg"] = bar_plot(
            "With and without authorization",
            MEDIAN_MS,
            list(values),
            {name: [of_kind["by_name"][name]["median_ms"] for of_kind in values.values()] for name in contenders},
        )
    if values := parts.get("memory"):
        drawn["memory.svg"] = bar_plot(
            "Memory", "resident, MB", list(values["memory_mb"]), _memory_bars(values["memory_mb"])
        )
    if values := parts.get("startup"):
        seconds = {"until /readyz says ok": [each["median_seconds"] for each in values.values()]}
        drawn["startup.svg"] = bar_plot("Start-up", "median, seconds", list(values), seconds)
    return drawn


def search_plot(group: str) -> str:
    """The file name of a group's plot."""
    return f"search-{'-'.join(group.lower().replace(',', '').split())}.svg"


def _memory_bars(values: Values) -> dict[str, list[float]]:
    """The workers' mean, and MongoDB, at each moment."""
    return {
        "a worker process": [sum(found["workers"]) / len(found["workers"]) for found in values.values()],
        "MongoDB": [found["mongodb"] for found in values.values()],
    }


def _paging_lines(values: Values) -> dict[str, Points]:
    return {
        f"{walk}, {int(size):,} patients": [(float(depth), ms) for depth, ms in by_depth.items()]
        for walk, of_walk in values.items()
        for size, by_depth in of_walk.items()
    }


def _latency_of_clients(kind: str, by_number: Values) -> bytes:
    lines = {
        f"{name}, {words}": [(float(number), each["by_name"][name][value]) for number, each in by_number.items()]
        for name in ("ours", "bare")
        for value, words in (("median_ms", "median"), ("p99_ms", "99th percentile"))
    }
    return line_plot(f"{kind.capitalize()}: latency by clients", "clients", "latency, ms", lines)


def _rate_of_clients(kind: str, by_number: Values) -> bytes:
    lines = {
        name: [(float(number), each["by_name"][name]["per_second"]) for number, each in by_number.items()]
        for name in ("ours", "bare")
    }
    return line_plot(f"{kind.capitalize()}: rate by clients", "clients", "requests a second", lines)
