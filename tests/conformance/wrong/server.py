"""A deliberately wrong server: the real application, between which and the client a fault stands.

A fault sees each request before the real server does, and each answer before the client does. It may change either, ask
the real server something else, and remember what it saw.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode
from wsgiref.types import WSGIApplication

import httpx

BASE = "http://localhost:8080/fhir"
FHIR_JSON = "application/fhir+json"


@dataclass(frozen=True, slots=True)
class Ask:
    """A request. path: below the FHIR base, without slashes at its ends, and query: as sent. headers: by lower-case name."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def parts(self) -> list[str]:
        """`["Patient", "1", "_history", "2"]`."""
        return [part for part in self.path.split("/") if part]

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """The pairs of the query."""
        return parse_qsl(self.query, keep_blank_values=True)

    @property
    def tree(self) -> Any:
        """The body as JSON; None where it is none."""
        return _tree(self.body)

    def without(self, *headers: str) -> Ask:
        """The same without some headers, given by their lower-case names."""
        return replace(self, headers={name: value for name, value in self.headers.items() if name not in headers})

    def asking(self, parameters: list[tuple[str, str]]) -> Ask:
        """The same with another query."""
        return replace(self, query=urlencode(parameters))

    def without_parameters(self, *names: str) -> Ask:
        """The same without some parameters of the query, each with any modifier."""
        return self.asking([pair for pair in self.parameters if pair[0].partition(":")[0] not in names])

    def sending(self, tree: object) -> Ask:
        """The same with another body."""
        return replace(self, body=json.dumps(tree).encode())


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer. headers: by lower-case name, without those of its length and coding."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def tree(self) -> Any:
        """The body as JSON; None where it is none."""
        return _tree(self.body)

    @property
    def bundle(self) -> Any:
        """The body where it is a Bundle, or else None."""
        tree = self.tree
        return tree if isinstance(tree, dict) and tree.get("resourceType") == "Bundle" else None

    def without(self, *headers: str) -> Answer:
        """The same without some headers, given by their lower-case names."""
        return replace(self, headers={name: value for name, value in self.headers.items() if name not in headers})

    def having(self, **headers: str) -> Answer:
        """The same with some headers; in their names `_` stands for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers={**self.headers, **named})

    def saying(self, tree: object) -> Answer:
        """The same with another body."""
        return replace(self, body=json.dumps(tree).encode())

    def of_status(self, status: int) -> Answer:
        """The same with another status."""
        return replace(self, status=status)


class Real:
    """The real server as a fault sees it. memory: what the fault keeps from one request to the next."""

    def __init__(self, application: WSGIApplication) -> None:
        self._transport = httpx.WSGITransport(app=application)
        self.memory: dict[str, Any] = {}

    def __call__(self, ask: Ask) -> Answer:
        address = f"{BASE}/{ask.path}".rstrip("/") + (f"?{ask.query}" if ask.query else "")
        headers = {name: value for name, value in ask.headers.items() if name != "content-length"}
        request = httpx.Request(ask.method, address, headers=headers, content=ask.body)
        answer = self._transport.handle_request(request)
        answer.request = request
        kept = {name.lower(): value for name, value in answer.headers.items()}
        body = answer.read()
        for name in ("content-length", "content-encoding", "transfer-encoding"):
            kept.pop(name, None)
        return Answer(answer.status_code, kept, body)

    def get(self, path: str) -> Answer:
        """A request of the fault's own."""
        return self(Ask("GET", path, headers={"accept": FHIR_JSON, "host": "localhost:8080"}))


Wrong = Callable[[Ask, Real], Answer]
"""What a fault does with a request; `lambda ask, real: real(ask)` would be right."""


class WrongServer(httpx.BaseTransport):
    """What an HTTP client talks to in place of a network."""

    def __init__(self, application: WSGIApplication, wrong: Wrong) -> None:
        self._real = Real(application)
        self._wrong = wrong

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode().partition("?")[0].removeprefix(httpx.URL(BASE).path).strip("/")
        headers = {name.lower(): value for name, value in request.headers.items()}
        ask = Ask(request.method, path, request.url.query.decode("latin-1"), headers, request.read())
        answer = self._wrong(ask, self._real)
        return httpx.Response(answer.status, headers=dict(answer.headers), content=answer.body, request=request)


def _tree(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
