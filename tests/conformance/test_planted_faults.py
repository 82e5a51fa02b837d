"""The kit finds what is wrong with a server: each planted fault fails its checks, which pass without it.

A fault is added to one of the modules in `tests/conformance/wrong/`, each of which has a list `faults`.
"""

from __future__ import annotations

from collections.abc import Callable
from wsgiref.types import WSGIApplication

import pytest

from conformance.check import Result
from conformance.groups import REST_GROUPS
from conformance.rest_context import RestContext
from conformance.runner import run_check
from tests.conformance.wrong import reading, refusing, together, writing
from tests.conformance.wrong.fault import Fault
from tests.conformance.wrong.server import BASE, Wrong, WrongServer

pytestmark = pytest.mark.xdist_group("conformance-rest")

FAULTS: tuple[Fault, ...] = (*writing.faults, *reading.faults, *together.faults, *refusing.faults)
CHECKS = {check.id: check for group in REST_GROUPS for check in group.checks}
Outcomes = dict[str, tuple[str, str]]


@pytest.fixture(scope="module")
def rightly(application: WSGIApplication) -> Callable[[tuple[str, ...]], Outcomes]:
    """What checks find without a fault, each run once."""
    known: Outcomes = {}

    def outcomes(ids: tuple[str, ...]) -> Outcomes:
        new = tuple(name for name in ids if name not in known)
        known.update(_outcomes(application, lambda ask, real: real(ask), new))
        return {name: known[name] for name in ids}

    return outcomes


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_found(fault: Fault, application: WSGIApplication, rightly: Callable[..., Outcomes]) -> None:
    assert rightly(fault.checks) == dict.fromkeys(fault.checks, ("pass", ""))
    found = _outcomes(application, fault.wrong, fault.checks)
    assert {name: outcome for name, (outcome, _) in found.items()} == dict.fromkeys(fault.checks, "fail"), found
    assert all(reason for _, reason in found.values())


def test_each_fault_has_a_name_of_its_own_and_checks_that_exist() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert [fault.name for fault in FAULTS if not fault.checks or set(fault.checks) - set(CHECKS)] == []


def _outcomes(application: WSGIApplication, wrong: Wrong, ids: tuple[str, ...]) -> Outcomes:
    with RestContext(BASE, transport=WrongServer(application, wrong)) as context:
        context.patience = 0
        results: list[Result] = [run_check(CHECKS[name], context) for name in ids]
    return {result.check.id: (result.outcome, result.reason) for result in results}
