"""A run as JUnit XML, which build servers read: a suite for each group, a case for each check."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from conformance.check import Result
from conformance.http_log import Exchange
from conformance.reports.run import Run, plain

MOST_EXCHANGES = 10


def junit_xml(run: Run) -> bytes:
    """The file's content."""
    suites = Element("testsuites", name=f"FHIR conformance of {run.base_url}")
    for group in run.groups:
        counts = group.counts()
        suite = SubElement(
            suites,
            "testsuite",
            name=group.title,
            tests=str(len(group.results)),
            failures=str(counts["fail"]),
            errors=str(counts["error"]),
            skipped=str(counts["skip"]),
            time=f"{sum(result.seconds for result in group.results):.3f}",
            timestamp=run.began.isoformat(timespec="seconds"),
        )
        for result in group.results:
            _case(suite, result)
    indent(suites)
    return bytes(tostring(suites, encoding="utf-8", xml_declaration=True)) + b"\n"


def _case(suite: Element, result: Result) -> None:
    check = result.check
    case = SubElement(suite, "testcase", classname=check.group, name=check.id, time=f"{result.seconds:.3f}")
    if result.outcome == "skip":
        SubElement(case, "skipped", message=plain(result.reason))
    elif result.outcome != "pass":
        told = SubElement(case, "failure" if result.outcome == "fail" else "error", message=plain(result.reason))
        told.text = plain(f"{check.sentence}\n{check.clause}\n\n{_told(result.exchanges)}")
    if result.notes:
        SubElement(case, "system-out").text = plain("\n".join(result.notes))


def _told(exchanges: Sequence[Exchange]) -> str:
    return "\n\n".join(
        f"{each.method} {each.url}\n{each.request_body}\n→ {each.status}\n{each.response_body}"
        for each in exchanges[-MOST_EXCHANGES:]
    )
