"""The section of the report on another FHIR server."""

from __future__ import annotations

from typing import Any

from benchmarks.comparison import Values
from benchmarks.tables import ms, rate, ratio, spread, table

OURS, PEER = "ours", "peer"


def peer_section(values: Values) -> str:
    """A side-by-side table; a status in place of a number is what the server refused the request with."""
    requests = values["requests"]
    rows = [
        [name, _shown(found[OURS]), _shown(found[PEER]), _times(found[OURS], found[PEER]), _entries(found)]
        for name, found in requests.items()
    ]
    headings = ["median ms", OURS, PEER, "peer / ours", "entries found"]
    return "\n\n".join(
        [
            "Both servers were given the same population, and then the same requests, one at a time and in turn. A status "
            "in place of a number is what the server refused the request with (0: no answer). Where the numbers of entries "
            "differ, the servers did not do the same.",
            _population(values["population"]),
            table(headings, rows),
            _under_load(values["reads_under_load"]),
            _deleted(values["deleted"]),
        ]
    )


def _shown(found: dict[str, Any]) -> str:
    return f"status {found['refused']}" if "refused" in found else ms(found["median_ms"])


def _times(ours: dict[str, Any], peer: dict[str, Any]) -> str:
    return "" if "refused" in ours or "refused" in peer else ratio(peer["median_ms"] / ours["median_ms"])


def _entries(found: dict[str, Any]) -> str:
    numbers = [f"{each['entries']:,}" for each in (found[OURS], found[PEER]) if "entries" in each]
    return " ≠ ".join(dict.fromkeys(numbers))


def _population(values: Values) -> str:
    rows = [
        [name, f"refused: {found['refused']}" + (f" to {found['at']}" if "at" in found else ""), ""]
        if "refused" in found
        else [name, f"{found['resources']:,}", rate(found["per_second"])]
        for name, found in values.items()
    ]
    return table(["import of the population", "resources", "resources a second"], rows)


def _under_load(values: Values) -> str:
    if "refused" in values:
        answers = " and ".join(f"{name} answered {answer}" for name, answer in values["refused"].items())
        return f"Reads from several connections were not measured: {answers}."
    by_name = values["by_name"]
    rows = [
        [name, rate(found["per_second"]), ms(found["median_ms"]), ms(found["p99_ms"]), f"{values['statuses'][name]}"]
        for name, found in by_name.items()
    ]
    summary = f"Our rate is {ratio(values['ratio'])} of the peer's (rounds: {spread(values['ratios'])})."
    return table(["reads, 16 connections", "per second", "median ms", "p99 ms", "statuses"], rows) + "\n\n" + summary


def _deleted(values: Values) -> str:
    left = values["left"]
    if not values["stored"]:
        return "Nothing was stored in the peer."
    if not left:
        what = f"All {values['stored']:,} resources that were stored in the peer were deleted afterwards"
        return f"{what}; a server may keep their history."
    what = f"Of {values['stored']:,} resources that were stored in the peer, {len(left):,} could not be deleted"
    return f"{what}: {', '.join(left[:20])}."
