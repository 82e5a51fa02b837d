"""A planted fault: what a wrong server does, and the checks that must find it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.conformance.wrong.server import Wrong


@dataclass(frozen=True, slots=True)
class Fault:
    """name: what the server does wrong, in a few words. checks: the ids of those that must fail. wrong: how it does it."""

    name: str
    checks: tuple[str, ...]
    wrong: Wrong


@dataclass(slots=True)
class Faults:
    """The faults of a module, in the order in which they were added by `@faults("name", "id.of_a_check", ...)`."""

    all: list[Fault] = field(default_factory=list)

    def __call__(self, name: str, *checks: str) -> Callable[[Wrong], Wrong]:
        """A decorator that makes a fault of a function."""

        def add(wrong: Wrong) -> Wrong:
            self.all.append(Fault(name, checks, wrong))
            return wrong

        return add

    def __iter__(self) -> Iterator[Fault]:
        return iter(self.all)
