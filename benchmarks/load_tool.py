"""A load generator: several keep-alive connections in one process, each with one request under way at a time.

It only counts and times. A server that closes a connection after an answer gets a new one, as its clients would open.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median

from benchmarks.answer_reader import AnswerReader
from benchmarks.target import Target, UnexpectedStatus

TIMEOUT_SECONDS = 30
NO_ANSWER = 0  # stands for the status where the connection ended before one came


@dataclass
class Result:
    """What a run measured: seconds of the whole and of each request, and how often each status came; and from whom."""

    seconds: float
    name: str = ""
    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    @property
    def median_ms(self) -> float:
        return median(self.latencies) * 1000 if self.latencies else 0.0

    @property
    def p99_ms(self) -> float:
        return percentile(self.latencies, 0.99) * 1000 if self.latencies else 0.0

    def expect(self, *statuses: int) -> Result:
        """Itself, if no other statuses came. Raises UnexpectedStatus."""
        if not self.statuses or self.statuses.keys() - set(statuses):
            raise UnexpectedStatus(f"{self.name} answered {self.statuses}, of which only {statuses} were expected")
        return self


def percentile(values: list[float], share: float) -> float:
    """The value that a share of all are not above (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


class _Connection:
    def __init__(self, target: Target, requests: Iterator[bytes]) -> None:
        self._target, self._requests = target, requests
        self._sent_at = 0.0
        self.reader = AnswerReader()
        self.open()

    def open(self) -> None:
        self.socket = socket.create_connection((self._target.host, self._target.port), timeout=TIMEOUT_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self) -> None:
        self.reader = AnswerReader()
        request = next(self._requests)
        self._sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> tuple[int, float] | None:
        """Read what is there; status and seconds once the answer is complete."""
        try:
            data = self.socket.recv(1 << 18)
        except ConnectionResetError:
            data = b""
        is_complete = self.reader.feed(data) if data else self.reader.end()
        if is_complete:
            return self.reader.status, time.perf_counter() - self._sent_at
        return None if data else (NO_ANSWER, time.perf_counter() - self._sent_at)


def run(target: Target, requests: Iterator[bytes], connections: int, seconds: float) -> Result:
    """Send requests, each made by `Target.request`, for a time; answers that come after it are not counted, but one at
    the least is waited for.

    Raises OSError if the server takes no connection.
    """
    selector = selectors.DefaultSelector()
    opened = [_Connection(target, requests) for _ in range(connections)]
    result = Result(seconds, target.name)
    try:
        for connection in opened:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send()
        began = time.perf_counter()
        end = began + seconds
        while (now := time.perf_counter()) < end or (not result.latencies and now < began + TIMEOUT_SECONDS):
            for key, _ in selector.select(timeout=0.5):
                connection = key.data
                answer = connection.receive()
                if answer is None:
                    continue
                status, latency = answer
                result.latencies.append(latency)
                result.statuses[status] = result.statuses.get(status, 0) + 1
                if connection.reader.closes:
                    selector.unregister(connection.socket)
                    connection.socket.close()
                    connection.open()
                    selector.register(connection.socket, selectors.EVENT_READ, connection)
                connection.send()
        result.seconds = time.perf_counter() - began
    finally:
        for connection in opened:
            connection.socket.close()
        selector.close()
    return result
