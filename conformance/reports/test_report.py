"""A run as a FHIR TestReport: a test for each check, with what it found as its one assertion.

https://hl7.org/fhir/R4/testreport.html
"""

from __future__ import annotations

from typing import Any

from conformance.check import Outcome, Result
from conformance.reports.run import Run, plain

ACTION_RESULTS: dict[Outcome, str] = {"pass": "pass", "fail": "fail", "error": "error", "skip": "skip"}
"""https://hl7.org/fhir/R4/valueset-report-action-result-codes.html"""

TESTER = "FHIR conformance kit"


def test_report(run: Run) -> dict[str, Any]:
    """The resource. Its score is the share of passes in what was not skipped, in percent."""
    counted = [result for result in run.results if result.outcome != "skip"]
    passed = sum(result.outcome == "pass" for result in counted)
    report: dict[str, Any] = {
        "resourceType": "TestReport",
        "identifier": {"system": "urn:conformance-kit:run", "value": run.tag},
        "name": f"Conformance of {run.base_url}",
        "status": "completed",
        "testScript": {"display": TESTER},
        "result": "pass" if run.is_good else "fail",
        "tester": TESTER,
        "issued": run.began.isoformat(timespec="seconds"),
        "participant": [{"type": "server", "uri": run.base_url, "display": run.software}],
        "test": [_test(group.title, result) for group in run.groups for result in group.results],
    }
    if counted:
        report["score"] = round(100 * passed / len(counted), 2)
    return report


def _test(title: str, result: Result) -> dict[str, Any]:
    message = plain(" ".join([result.reason, *result.notes]).strip())
    assertion = {"result": ACTION_RESULTS[result.outcome], "message": message, "detail": result.check.clause}
    return {
        "name": result.check.id,
        "description": f"{title}: {result.check.sentence}",
        "action": [{"assert": {name: value for name, value in assertion.items() if value}}],
    }
