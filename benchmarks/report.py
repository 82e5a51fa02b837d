"""The report of a run as Markdown: what was measured, how, and a table and plots for each part. Pure functions."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.comparison import Values
from benchmarks.plan import CONNECTIONS, WORKERS
from benchmarks.plots import search_plot
from benchmarks.report_peer import peer_section
from benchmarks.search_shapes import GROUPS
from benchmarks.tables import growth, ms, rate, ratio, spread, table

INTRODUCTION = f"""\
"Ours" is this FHIR server; "bare" is a Flask application with pymongo and no FHIR: reads return stored bytes, writes parse
JSON and store it. Both ran on the machine below, under Granian with {WORKERS} worker processes and the same threads, on the
same MongoDB with the same write concern (majority, journalled), and were measured in turn. MongoDB and what sent the
requests ran on that machine, too.

## How to read this

- A **ratio** is our rate divided by the bare application's in the same round, and the median of the rounds: 0.50 means that
  ours answers half as many requests a second. The range shows how far the rounds differ.
- Ratios can be compared between machines. Rates and milliseconds cannot, nor those of two runs if the machine was busy: see
  the load averages.
- **Growth** is the median on the largest store divided by that on the smallest.
- Plots have logarithmic axes: a level line costs the same however large the store is, and one that rises by as much as the
  store grows reads everything.
"""
REPEAT = """\
## How to repeat this

    make bench                                   # everything
    make bench STORES=/var/tmp/stores            # keeps the filled stores, which saves time from the second run on
    make bench ARGS="--quick"                    # does everything work? The figures mean little
    make bench ARGS="--only search paging"       # some parts
    make bench PEER=http://127.0.0.1:8090/fhir   # the same requests to another FHIR server

`report.json` beside this file has all values.
"""


def report(values: Values) -> str:
    """Markdown of what a run measured: `machine`, `plan` and `parts`, name → values or what went wrong."""
    machine, parts = values["machine"], values["parts"]
    written = [f"# Benchmarks of {machine['date'][:10]}", INTRODUCTION, "## Machine"]
    written.append(table(["what", "value"], machine.items()).replace("---:", "---"))
    written.append(_how_much(values["plan"]))
    for name, section in SECTIONS.items():
        if name in parts:
            found = parts[name]
            text = f"The measurement failed: {found['failed']}" if "failed" in found else section(found)
            written += [f"## {TITLES[name]}", text]
    return "\n\n".join(part.strip("\n") for part in [*written, REPEAT]) + "\n"


def _how_much(plan: Values) -> str:
    sizes = " and ".join(f"{size:,}" for size in plan["sizes"])
    return (
        f"Comparisons: {plan['rounds']} rounds of {plan['seconds']:g} s each, after one that warms up. "
        f"Stores: of {sizes} patients, each request {plan['times']} times."
    )


def _plot(name: str, about: str) -> str:
    return f"![{about}]({name})"


def _interactions(values: Values) -> str:
    rows = [
        [
            kind + (", resources" if found["unit"] == "resources" else ""),
            *(rate(found["by_name"][name]["per_second"]) for name in ("ours", "bare")),
            ratio(found["ratio"]),
            spread(found["ratios"]),
            *(ms(found["by_name"][name]["median_ms"]) for name in ("ours", "bare")),
            *(ms(found["by_name"][name]["p99_ms"]) for name in ("ours", "bare")),
        ]
        for kind, found in values.items()
    ]
    headings = ["what", "ours /s", "bare /s", "ratio", "rounds", "ours ms", "bare ms", "ours p99 ms", "bare p99 ms"]
    return (
        f"{CONNECTIONS} connections (4 for transactions), each with one request under way. An update changes a Patient's "
        "content each time. A transaction creates 50 related resources; the bare application stores its entries in one "
        "MongoDB transaction and resolves no references. It has no search either: beside the search by an identifier, it "
        "reads by id.\n\n" + table(headings, rows)
    )


def _clients(values: Values) -> str:
    sections = []
    for kind, by_number in values.items():
        rows = [
            [
                number,
                *(rate(found["by_name"][name]["per_second"]) for name in ("ours", "bare")),
                ratio(found["ratio"]),
                *(ms(found["by_name"][name][value]) for value in ("median_ms", "p99_ms") for name in ("ours", "bare")),
            ]
            for number, found in by_number.items()
        ]
        headings = ["clients", "ours /s", "bare /s", "ratio", "ours ms", "bare ms", "ours p99 ms", "bare p99 ms"]
        plots = [
            _plot(f"clients-{kind}.svg", f"{kind}: latency by clients"),
            _plot(f"clients-{kind}-rate.svg", f"{kind}: rate by clients"),
        ]
        sections += [f"### {kind.capitalize()}", table(headings, rows), *plots]
    return "\n\n".join(["Each client has a connection of its own and sends one request after the other.", *sections])


def _by_size(values: Values) -> str:
    """A table of name → patients → milliseconds."""
    sizes = list(next(iter(values.values())))
    rows = [
        [name, *(ms(of_name[size]) for size in sizes), growth(of_name[sizes[0]], of_name[sizes[-1]])]
        for name, of_name in values.items()
    ]
    return table(["median ms", *(f"{int(size):,} patients" for size in sizes), "growth"], rows)


def _sizes(values: Values) -> str:
    return (
        "One client, one request at a time; the stores are asked in turn.\n\n"
        + _by_size(values)
        + "\n\n"
        + _plot("interactions.svg", "latency of interactions by the size of the store")
    )


def _search(values: Values) -> str:
    shapes = values["median_ms"]
    sections = [
        f"{len(shapes)} shapes; one client, other values in each request, the stores asked in turn. "
        "`benchmarks/search_shapes.py` has the address of each."
    ]
    for group, names in GROUPS.items():
        sections += [f"### {group}", _by_size({name: shapes[name] for name in names}), _plot(search_plot(group), group)]
    rows = [
        [
            f"{int(size):,}",
            f"{index['resources']:,}",
            f"{index['entries_per_resource']}",
            f"{index['index_bytes_per_resource']:,}",
        ]
        for size, index in values["index"].items()
    ]
    sections += ["### What the index takes", table(["patients", "resources", "entries each", "bytes each"], rows)]
    return "\n\n".join(sections)


def _paging(values: Values) -> str:
    depths = list(dict.fromkeys(depth for by_size in values.values() for found in by_size.values() for depth in found))
    rows = [
        [f"{walk}, {int(size):,} patients", *(ms(found[depth]) if depth in found else "-" for depth in depths)]
        for walk, by_size in values.items()
        for size, found in by_size.items()
    ]
    return (
        "Milliseconds of the page at a depth, reached from the first page by `next` links alone: all Observations by 20, "
        "and all Encounters by 5, sorted by date. A dash: the search has no such page.\n\n"
        + table(["median ms", *(f"page {depth}" for depth in depths)], rows)
        + "\n\n"
        + _plot("paging.svg", "latency by the depth of the page")
    )


def _history(values: Values) -> str:
    return (
        "The first page, of 50 versions at most.\n\n"
        + _by_size(values)
        + "\n\n"
        + _plot("history.svg", "latency of histories by the size of the store")
    )


def _authorization(values: Values) -> str:
    rows = [
        [
            f"{kind}, {name}",
            rate(found["per_second"]),
            ratio(found["ratio"]),
            spread(found["ratios"]),
            ms(found["median_ms"]),
            ms(found["p99_ms"]),
            f"{found['processor_us']:,.0f}",
        ]
        for kind, of_kind in values.items()
        for name, found in of_kind["by_name"].items()
    ]
    headings = ["what", "per second", "ratio to without", "rounds", "median ms", "p99 ms", "processor µs a request"]
    return (
        f"{CONNECTIONS} connections with one token. While a server is measured, the others stand still.\n\n"
        + table(headings, rows)
        + "\n\n"
        + _plot("authorization.svg", "latency with and without authorization")
    )


def _memory(values: Values) -> str:
    mix = ", ".join(f"{share} % {kind}" for kind, share in values["shares"].items())
    statuses = ", ".join(f"{number:,} times {status}" for status, number in sorted(values["statuses"].items()))
    rows = [
        [moment, " and ".join(f"{mb:,.0f}" for mb in found["workers"]), f"{found['mongodb']:,.0f}"]
        for moment, found in values["memory_mb"].items()
    ]
    return (
        f"Resident memory after {values['requests']:,} mixed requests ({mix}), answered {statuses}.\n\n"
        + table(["moment", "MB of each worker process", "MB of MongoDB"], rows)
        + "\n\n"
        + _plot("memory.svg", "memory at the start and after the requests")
    )


def _startup(values: Values) -> str:
    rows = [
        [name, f"{found['median_seconds']:.2f}", ", ".join(f"{each:.2f}" for each in found["seconds"])]
        for name, found in values.items()
    ]
    return (
        "From `fhir-server run`, with its embedded MongoDB and authorization, until `/readyz` says ok.\n\n"
        + table(["data directory", "median s", "each s"], rows)
        + "\n\n"
        + _plot("startup.svg", "seconds until ready")
    )


def _loading(values: Values) -> str:
    rows = [
        [f"synthea/{name}", f"skipped: {found['skipped']}", "", ""]
        if "skipped" in found
        else [f"synthea/{name}", f"{found['resources']:,}", f"{found['seconds']:.1f}", rate(found["per_second"])]
        for name, found in values.items()
    ]
    return "`fhir-server load` of Synthea records into a new data directory.\n\n" + table(
        ["folder", "resources", "seconds", "resources a second"], rows
    )


SECTIONS: dict[str, Callable[[Values], str]] = {
    "interactions": _interactions,
    "clients": _clients,
    "sizes": _sizes,
    "search": _search,
    "paging": _paging,
    "history": _history,
    "authorization": _authorization,
    "memory": _memory,
    "startup": _startup,
    "loading": _loading,
    "peer": peer_section,
}
TITLES = {
    "interactions": "Interactions, beside the bare application",
    "clients": "1 to 64 clients",
    "sizes": "Interactions, by the size of the store",
    "search": "Searches, by the size of the store",
    "paging": "Paging depth",
    "history": "Histories, by the size of the store",
    "authorization": "With and without authorization",
    "memory": "Memory",
    "startup": "Start-up",
    "loading": "Loading records",
    "peer": "Beside another FHIR server",
}
