"""A load generator: several keep-alive connections in one process, each with one request under way at a time.

It only counts and times; it reads an answer no further than its status and length, so that it costs the machine little.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median


@dataclass
class Result:
    """What a run measured: requests a second, seconds of each, and how often each status came."""

    seconds: float
    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    @property
    def median_ms(self) -> float:
        return median(self.latencies) * 1000

    @property
    def p99_ms(self) -> float:
        return sorted(self.latencies)[int(len(self.latencies) * 0.99)] * 1000


class _Connection:
    def __init__(self, host: str, port: int, requests: Iterator[bytes]) -> None:
        self.socket = socket.create_connection((host, port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._requests = requests
        self._received = b""
        self._needed: int | None = None
        self._sent_at = 0.0

    def send(self) -> None:
        self._received, self._needed = b"", None
        self._sent_at = time.perf_counter()
        self.socket.sendall(next(self._requests))

    def receive(self) -> tuple[int, float] | None:
        """Read what is there; status and seconds once the answer is complete."""
        chunk = self.socket.recv(1 << 18)
        if not chunk:
            raise ConnectionError("the server closed the connection")
        self._received += chunk
        if self._needed is None:
            head_end = self._received.find(b"\r\n\r\n")
            if head_end < 0:
                return None
            head = self._received[:head_end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 : head.find(b"\r\n", at) if b"\r\n" in head[at:] else None]) if at >= 0 else 0
            self._needed = head_end + 4 + length
        if len(self._received) < self._needed:
            return None
        return int(self._received[9:12]), time.perf_counter() - self._sent_at


def run(host: str, port: int, requests: Iterator[bytes], connections: int, seconds: float) -> Result:
    """Send requests, each made by `http_request`, for a time; answers that come after it are not counted."""
    selector = selectors.DefaultSelector()
    opened = [_Connection(host, port, requests) for _ in range(connections)]
    result = Result(seconds)
    try:
        for connection in opened:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send()
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            for key, _ in selector.select(timeout=1):
                answer = key.data.receive()
                if answer is None:
                    continue
                status, latency = answer
                result.latencies.append(latency)
                result.statuses[status] = result.statuses.get(status, 0) + 1
                key.data.send()
    finally:
        for connection in opened:
            connection.socket.close()
        selector.close()
    return result


def http_request(method: str, path: str, host: str, body: bytes = b"") -> bytes:
    """The bytes of a request."""
    head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nAccept: application/fhir+json\r\n"
    if body:
        head += f"Content-Type: application/fhir+json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body
