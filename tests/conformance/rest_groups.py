"""Running the checks of a group against our server as test cases."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from conformance.check import Check
from conformance.groups import REST_GROUPS
from conformance.rest_context import RestContext
from conformance.runner import run_check


def checks_of(name: str) -> tuple[Check, ...]:
    """The checks of a group."""
    return next(group.checks for group in REST_GROUPS if group.name == name)


def expect_pass(
    check: Check, context: RestContext, may_be_skipped: Mapping[str, str], may_be_noted: Mapping[str, str] | None = None
) -> None:
    """Run a check, which must pass without a note.

    may_be_skipped: the ids of those that do not apply to our server, and why. may_be_noted: the ids of those that pass
    with a note, and why that is right.
    """
    result = run_check(check, context)
    if result.outcome == "skip" and check.id in may_be_skipped:
        pytest.skip(f"{may_be_skipped[check.id]} ({result.reason})")
    exchanges = "\n".join(f"{each.method} {each.url} → {each.status}" for each in result.exchanges[-20:])
    assert result.outcome == "pass", f"{check.sentence} {result.reason}\n{exchanges}"
    assert not result.notes or check.id in (may_be_noted or {}), f"{check.sentence} {result.notes}\n{exchanges}"
