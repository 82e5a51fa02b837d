"""What is wrong with a request: `Issue` values, and the one exception that carries them.

https://hl7.org/fhir/R4/operationoutcome.html

Checks that can find many faults return lists of `Issue`; only the edge raises, and it raises `Problem`:

    Problem            status 400..503, a list of issues, response headers
    └── one function each for the statuses that are raised in many places (`not_found`, `gone`, ...)

The HTTP shell turns a `Problem` into an OperationOutcome in one place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["fatal", "error", "warning", "information"]

QUOTED_AT_MOST = 80


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding.

    severity: from http://hl7.org/fhir/issue-severity.
    code: from http://hl7.org/fhir/issue-type, for example `structure`, `value`, `required`.
    text: a sentence for a person; it may quote the offending value, so it goes to the client and never to a log.
    expression: FHIRPath of the element, for example `Patient.name[0].given[1]`; None where no element is meant.
    """

    severity: Severity
    code: str
    text: str
    expression: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The issue as a member of OperationOutcome.issue."""
        issue: dict[str, Any] = {"severity": self.severity, "code": self.code, "diagnostics": self.text}
        if self.expression is not None:
            issue["expression"] = [self.expression]
        return issue

    @property
    def is_error(self) -> bool:
        return self.severity in ("error", "fatal")


class Problem(Exception):
    """A request that cannot be answered as asked: an HTTP status with the issues that say why.

    is_denial: whether it is refused because of who asks, which the status may hide; by default as the status says.
    """

    def __init__(
        self,
        status: int,
        issues: Iterable[Issue],
        headers: Mapping[str, str] | None = None,
        is_denial: bool | None = None,
    ) -> None:
        self.status = status
        self.is_denial = status in (401, 403) if is_denial is None else is_denial
        self.issues = list(issues)
        self.headers = dict(headers or {})
        super().__init__(f"{status}: " + "; ".join(issue.code for issue in self.issues))


def problem(
    status: int,
    code: str,
    text: str,
    expression: str | None = None,
    headers: Mapping[str, str] | None = None,
    is_denial: bool | None = None,
) -> Problem:
    """A `Problem` with a single error issue."""
    return Problem(status, [Issue("error", code, text, expression)], headers, is_denial)


def operation_outcome(issues: Iterable[Issue]) -> dict[str, Any]:
    """An OperationOutcome resource as a JSON object; with no issues it says that all is well."""
    listed = [issue.as_json() for issue in issues]
    if not listed:
        listed = [{"severity": "information", "code": "informational", "diagnostics": "No issues were found."}]
    return {"resourceType": "OperationOutcome", "issue": listed}


def quoted(value: object) -> str:
    """A value as it is quoted in an issue's sentence: on one line and cut after 80 characters."""
    text = value if isinstance(value, str) else repr(value)
    text = " ".join(text.split())
    if len(text) > QUOTED_AT_MOST:
        text = text[: QUOTED_AT_MOST - 1] + "…"
    return f"'{text}'"
