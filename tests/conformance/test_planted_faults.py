"""The kit finds what is wrong with a server: each planted fault fails its checks, which pass without it.

A fault is added to one of the modules in `tests/conformance/wrong/`, each of which has a list `faults`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from wsgiref.types import WSGIApplication

import pytest

from conformance.check import Result
from conformance.groups import REST_GROUPS
from conformance.rest_context import RestContext
from conformance.runner import run_check
from tests.conformance.wrong import operating, reading, refusing, searching, showing, together, writing
from tests.conformance.wrong.fault import Fault
from tests.conformance.wrong.server import BASE, WrongServer

pytestmark = pytest.mark.xdist_group("conformance-rest")

FAULTS: tuple[Fault, ...] = (
    *writing.faults,
    *reading.faults,
    *together.faults,
    *refusing.faults,
    *searching.faults,
    *showing.faults,
    *operating.faults,
)
CHECKS = {check.id: check for group in REST_GROUPS for check in group.checks}
# What is searched was made by a server without a fault, once: a fault is one of looking at it.
POPULATIONS = ("search.population", "paging.crowd", "paging.encounters", "us_core.", "operations.")
Outcomes = dict[str, tuple[str, str]]


@pytest.fixture(scope="module")
def right(application: WSGIApplication) -> Iterator[RestContext]:
    """What the checks work with where there is no fault."""
    with RestContext(BASE, transport=WrongServer(application, lambda ask, real: real(ask))) as context:
        context.patience = 0
        yield context


@pytest.fixture(scope="module")
def rightly(right: RestContext) -> Callable[[tuple[str, ...]], Outcomes]:
    """What checks find without a fault, each run once."""
    known: Outcomes = {}

    def outcomes(ids: tuple[str, ...]) -> Outcomes:
        known.update(_outcomes(right, tuple(name for name in ids if name not in known)))
        return {name: known[name] for name in ids}

    return outcomes


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_found(
    fault: Fault, application: WSGIApplication, right: RestContext, rightly: Callable[..., Outcomes]
) -> None:
    assert rightly(fault.checks) == dict.fromkeys(fault.checks, ("pass", ""))
    with RestContext(BASE, transport=WrongServer(application, fault.wrong)) as context:
        context.patience = 0
        context.borrow(right, POPULATIONS)
        found = _outcomes(context, fault.checks)
    assert {name: outcome for name, (outcome, _) in found.items()} == dict.fromkeys(fault.checks, "fail"), found
    assert all(reason for _, reason in found.values())


def test_each_fault_has_a_name_of_its_own_and_checks_that_exist() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert [fault.name for fault in FAULTS if not fault.checks or set(fault.checks) - set(CHECKS)] == []


def _outcomes(context: RestContext, ids: tuple[str, ...]) -> Outcomes:
    results: list[Result] = [run_check(CHECKS[name], context) for name in ids]
    return {result.check.id: (result.outcome, result.reason) for result in results}
