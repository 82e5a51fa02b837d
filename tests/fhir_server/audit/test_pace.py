"""When the taker works and when it leaves the machine to others."""

from __future__ import annotations

import pytest

from fhir_server.audit.pace import (
    LONGEST_REST_SECONDS,
    REST_FACTOR,
    SHORTEST_REST_SECONDS,
    SPELL_SECONDS,
    Pace,
    idle_seconds,
)


class Machine:
    """A machine of some cores, of which some are idle all the time, and its clock."""

    def __init__(self, cores: int, idle_cores: float | None) -> None:
        self.time, self.idle_cores = 100.0, idle_cores
        self.pace = Pace(lambda: self.time, self.idle, cores)

    def idle(self) -> float | None:
        return None if self.idle_cores is None else self.time * self.idle_cores

    def rest(self, seconds: float) -> float | None:
        self.time += seconds
        return self.pace.spell()

    def seconds_until_work(self) -> float:
        since = self.time
        while self.rest(0.1) is None:
            pass
        return self.time - since

    def work(self, seconds: float) -> None:
        self.time += seconds
        self.pace.worked()


@pytest.mark.parametrize(("cores", "idle"), [(1, 0.5), (2, 1.0), (16, 1.0)])
def test_it_works_while_a_core_is_idle(cores: int, idle: float) -> None:
    machine = Machine(cores, idle)
    for _ in range(3):
        assert machine.rest(0.1) == SPELL_SECONDS
        machine.work(SPELL_SECONDS)


@pytest.mark.parametrize(
    ("work", "rest"),
    [(0.0, SHORTEST_REST_SECONDS), (0.02, 0.02 * REST_FACTOR), (5.0, LONGEST_REST_SECONDS)],
)
def test_while_all_are_busy_it_rests_many_times_as_long_as_it_works(work: float, rest: float) -> None:
    machine = Machine(cores=2, idle_cores=0.2)
    machine.seconds_until_work()
    assert machine.pace.spell() == 0.0  # one batch
    machine.work(work)
    assert machine.seconds_until_work() == pytest.approx(rest, abs=0.11)


def test_where_the_system_does_not_tell_the_low_priority_must_do() -> None:
    assert Machine(cores=2, idle_cores=None).rest(0.1) == SPELL_SECONDS


def test_the_time_that_the_cores_were_idle_only_grows() -> None:
    before, after = idle_seconds(), idle_seconds()
    assert (before is None) == (after is None)
    assert before is None or after is None or 0 < before <= after
