"""When the taker may work: while a core is idle, and a little now and then in any case.

A low priority alone is not enough, because half of the work is MongoDB's, which has the priority of everybody.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

REST_SECONDS = 0.1
# Work for this long after a rest in which a core was idle; then look again.
SPELL_SECONDS = 0.2
# However busy the machine is, a batch now and then: it rests for so many times as long as that took, within these bounds.
REST_FACTOR = 50
SHORTEST_REST_SECONDS, LONGEST_REST_SECONDS = 0.5, 2.0
# Time of one core, a second, that must be left over; on a single core less than half of it.
IDLE_CORES, IDLE_SHARE = 0.8, 0.4

_STAT = Path("/proc/stat")
_TICKS_A_SECOND = 100


def idle_seconds() -> float | None:
    """How long all cores together have been idle since some moment; None where the system does not tell.

    https://man7.org/linux/man-pages/man5/proc_stat.5.html
    """
    try:
        with _STAT.open("rb") as file:
            _, _, _, _, idle, waiting, *_ = file.readline().split()
        return (int(idle) + int(waiting)) / _TICKS_A_SECOND
    except (OSError, ValueError):
        return None


@dataclass(slots=True)
class Pace:
    """Decides after each rest how long to work.

    now: a clock in seconds that only goes forward. idle: see `idle_seconds`. cores: of the machine.
    """

    now: Callable[[], float]
    idle: Callable[[], float | None]
    cores: int
    _began: float = field(init=False)
    _overdue: float = field(init=False)
    _rest: tuple[float, float | None] = field(init=False)

    def __post_init__(self) -> None:
        self._began = self.now()
        self.worked()

    def spell(self) -> float | None:
        """Asked after a rest: how many seconds to work, 0 for one batch; None to rest on."""
        self._began = now = self.now()
        if self._is_idle(now):
            return SPELL_SECONDS
        if now >= self._overdue:
            return 0.0
        self._rest = now, self.idle()
        return None

    def worked(self) -> None:
        """To be told when the work is done and another rest begins."""
        now = self.now()
        rest = (now - self._began) * REST_FACTOR
        self._overdue = now + min(max(rest, SHORTEST_REST_SECONDS), LONGEST_REST_SECONDS)
        self._rest = now, self.idle()

    def _is_idle(self, now: float) -> bool:
        (since, before), idle = self._rest, self.idle()
        if idle is None or before is None:
            return True  # then the priority must do
        return idle - before >= (now - since) * min(IDLE_CORES, self.cores * IDLE_SHARE)


def step_back() -> None:
    """Let everybody else go first, where the system knows how."""
    with suppress(OSError):
        os.nice(19)
    with suppress(OSError, AttributeError):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
