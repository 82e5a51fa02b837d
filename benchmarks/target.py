"""Whom requests go to: a FHIR base address, and a client that sends one request at a time."""

from __future__ import annotations

import gzip
import http.client
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson

FHIR_JSON = "application/fhir+json"
TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Target:
    """A FHIR server: what it is called in the tables, where it is, and the token that it wants, if any."""

    name: str
    host: str
    port: int
    base: str = "/fhir"
    token: str = field(default="", repr=False)

    @classmethod
    def at(cls, name: str, url: str, token: str = "") -> Target:
        """The server at an http address, such as http://127.0.0.1:8080/fhir. Raises ValueError for other addresses."""
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname is None:
            raise ValueError(
                f"{url!r} is no http:// address; TLS would be measured with the server, so it is not spoken."
            )
        return cls(name, parts.hostname, parts.port or 80, parts.path.rstrip("/"), token)

    @property
    def headers(self) -> dict[str, str]:
        """What every request carries."""
        headers = {"Host": f"{self.host}:{self.port}", "Accept": FHIR_JSON}
        return headers | ({"Authorization": f"Bearer {self.token}"} if self.token else {})

    def request(self, method: str, path: str, body: bytes = b"") -> bytes:
        """The bytes of a request for a path below the base."""
        headers = self.headers
        if body:
            headers |= {"Content-Type": FHIR_JSON, "Content-Length": str(len(body))}
        lines = [f"{method} {self.base}{path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass(frozen=True)
class Answer:
    """What came back, and after how many seconds."""

    status: int
    body: bytes
    seconds: float
    location: str = ""

    def tree(self) -> dict[str, Any]:
        """The body as JSON; an empty object if it is none."""
        try:
            tree = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return {}
        return tree if isinstance(tree, dict) else {}


class Client:
    """One connection, kept open as long as the server keeps it."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._connection = http.client.HTTPConnection(target.host, target.port, timeout=TIMEOUT_SECONDS)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        self._connection.close()

    def ask(self, method: str, path: str, body: bytes = b"") -> Answer:
        """Send a request for a path below the base. Raises OSError or HTTPException if no answer comes."""
        try:
            return self._ask(method, path, body)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self._connection.close()  # it had closed a connection that was idle: a new one is opened
            return self._ask(method, path, body)

    def _ask(self, method: str, path: str, body: bytes) -> Answer:
        headers = self.target.headers | ({"Content-Type": FHIR_JSON} if body else {})
        began = time.perf_counter()
        self._connection.request(method, self.target.base + path, body or None, headers)
        response = self._connection.getresponse()
        content = response.read()
        seconds = time.perf_counter() - began
        if response.headers.get("Content-Encoding") == "gzip":  # nobody asked for it, but some send it
            content = gzip.decompress(content)
        return Answer(response.status, content, seconds, response.headers.get("Location", ""))

    def expect(self, statuses: tuple[int, ...], method: str, path: str, body: bytes = b"") -> Answer:
        """Send a request that must be answered with one of the statuses. Raises UnexpectedStatus for others."""
        answer = self.ask(method, path, body)
        if answer.status not in statuses:
            raise UnexpectedStatus(
                f"{self.target.name} answered {answer.status} to {method} {path}: {answer.body[:300]!r}"
            )
        return answer


class UnexpectedStatus(Exception):
    """A server answered otherwise than it must for the figures to mean anything."""
