"""How much is measured: the values that all parts share."""

from __future__ import annotations

from dataclasses import dataclass, replace

WORKERS = 2
CONNECTIONS = 16
HOUR_OF_REQUESTS = 360_000  # a busy clinic: 100 requests a second


@dataclass(frozen=True)
class Plan:
    """How long and how often is measured.

    rounds: of every comparison, after one that warms up. seconds: of each measurement in a round. sizes: patients of the
    stores. times: requests of each kind that one client sends to each store. clients: numbers of connections.
    depths: pages of a search. versions: of an instance. starts: of the server, for each data directory.
    """

    rounds: int = 5
    seconds: float = 4.0
    sizes: tuple[int, ...] = (1000, 16000)
    times: int = 60
    clients: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64)
    depths: tuple[int, ...] = (1, 3, 10, 30, 100, 300, 500)
    walks: int = 3
    versions: tuple[int, ...] = (1, 10, 100, 1000)
    soak: int = 20_000
    starts: int = 3
    loads: tuple[str, ...] = ("v2.4", "v2.7")
    peer_patients: int = 1000

    def quick(self) -> Plan:
        """For a look at whether everything works: the figures mean little."""
        return replace(
            self,
            rounds=1,
            seconds=0.5,
            sizes=(50, 200),
            times=5,
            clients=(1, 4, 16),
            depths=(1, 3, 10),
            walks=1,
            versions=(1, 10),
            soak=500,
            starts=1,
            loads=(),
            peer_patients=20,
        )
