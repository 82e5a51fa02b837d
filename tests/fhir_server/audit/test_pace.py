"""When the taker works and when it leaves the machine to others."""

from __future__ import annotations

from fhir_server.audit.pace import OVERDUE_SECONDS, SPELL_SECONDS, Pace, idle_seconds


class Machine:
    """A machine of some cores, of which some are idle all the time, and its clock."""

    def __init__(self, cores: int, idle_cores: float | None) -> None:
        self.time, self.idle_cores = 100.0, idle_cores
        self.pace = Pace(lambda: self.time, self.idle, cores)

    def idle(self) -> float | None:
        return None if self.idle_cores is None else self.time * self.idle_cores

    def rest(self, seconds: float) -> float | None:
        self.pace.rests()
        self.time += seconds
        return self.pace.spell()


def test_it_works_while_a_core_is_idle() -> None:
    assert Machine(cores=2, idle_cores=1.0).rest(0.1) == SPELL_SECONDS
    assert Machine(cores=16, idle_cores=1.0).rest(0.1) == SPELL_SECONDS
    assert Machine(cores=1, idle_cores=0.5).rest(0.1) == SPELL_SECONDS


def test_it_rests_while_all_are_busy_but_does_a_batch_now_and_then() -> None:
    machine = Machine(cores=2, idle_cores=0.2)
    rests = [machine.rest(OVERDUE_SECONDS / 4) for _ in range(12)]
    assert [spell for spell in rests if spell is not None] == [0.0] * 3
    assert machine.rest(0.1) is None


def test_where_the_system_does_not_tell_the_low_priority_must_do() -> None:
    assert Machine(cores=2, idle_cores=None).rest(0.1) == SPELL_SECONDS


def test_the_time_that_the_cores_were_idle_only_grows() -> None:
    before, after = idle_seconds(), idle_seconds()
    assert (before is None) == (after is None)
    assert before is None or after is None or 0 < before <= after
