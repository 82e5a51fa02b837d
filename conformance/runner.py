"""Running checks one after the other, and what becomes of each."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Protocol

import httpx

from conformance.check import Check, Failure, Outcome, Result, Skip
from conformance.http_log import HttpLog
from conformance.statement import Statement


class Context(Protocol):
    """What every group's context has: the log of its requests, notes of the running check, what the server claims."""

    log: HttpLog
    notes: list[str]

    @property
    def statement(self) -> Statement: ...


def run_check(check: Check, context: Context) -> Result:
    """The result of one check. Never raises for what the server or the check does wrong.

    A check of something that the server does not claim is made all the same, to find out what it could claim; whatever it
    finds, the outcome is a skip.
    """
    context.log.take()
    context.notes.clear()
    began = time.monotonic()
    outcome, reason = _outcome(check, context)
    unclaimed = [claim.words for claim in check.claims if not claim.holds(context.statement)]
    could_claim = bool(unclaimed) and outcome == "pass"
    if unclaimed and outcome != "error":
        outcome = "skip"
        does = "does it" if could_claim else "does not do it either"
        reason = f"The CapabilityStatement does not claim {', '.join(unclaimed)}. The server {does}."
    return Result(
        check,
        outcome,
        context.log.masked(reason),
        tuple(map(context.log.masked, context.notes)),
        context.log.take(),
        time.monotonic() - began,
        could_claim,
    )


def run_checks(checks: Iterable[Check], context: Context) -> Iterator[Result]:
    """The results, each as soon as it is known."""
    for check in checks:
        yield run_check(check, context)


def _outcome(check: Check, context: Context) -> tuple[Outcome, str]:
    try:
        check.run(context)
    except Failure as failure:
        return "fail", str(failure)
    except Skip as skip:
        return "skip", str(skip)
    except httpx.HTTPError as error:
        return "fail", f"The exchange came to no good end: {type(error).__name__}: {error}"
    except Exception as error:
        return "error", f"The check broke: {type(error).__name__}: {error}"
    return "pass", ""
