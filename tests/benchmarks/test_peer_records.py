"""What a comparison stores in another server: kept track of, deleted in the end, and never at the cost of what was there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice

import pytest

from benchmarks.peer_records import NO_ANSWER, Records
from benchmarks.population import Resource, population, transaction
from benchmarks.target import Client, Target


class Handler(BaseHTTPRequestHandler):
    """A server that takes no transactions, names what it created by its address alone, and closes every connection."""

    held: set[str]
    writes: list[str]

    def do_GET(self) -> None:
        self._answer(200 if self._key in self.held else 404)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/fhir":
            return self._answer(405)
        self.held.add("Patient/new")
        return self._answer(201, {"Location": "http://elsewhere/fhir/Patient/new/_history/1"})

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.held.add(self._key)
        self.writes.append(self._key)
        self._answer(201)

    def do_DELETE(self) -> None:
        self.held.discard(self._key)
        self.writes.append(self._key)
        self._answer(204)

    @property
    def _key(self) -> str:
        return self.path.removeprefix("/fhir/")

    def _answer(self, status: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


@pytest.fixture
def handler() -> type[Handler]:
    return type("Peer", (Handler,), {"held": {"Patient/theirs"}, "writes": []})


@pytest.fixture
def records(handler: type[Handler]) -> Iterator[Records]:
    """The records of a server that this test started."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=lambda: server.serve_forever(0.01))
        thread.start()
        with Client(Target("peer", "127.0.0.1", server.server_port)) as client:
            yield Records(client)
        server.shutdown()
        thread.join()


def some_records() -> Iterator[Resource]:
    return islice(population(1), 30)


def test_a_population_is_stored_one_by_one_where_transactions_are_refused_and_deleted_the_last_first(records, handler):
    expected = [f"{record['resourceType']}/{record['id']}" for record in some_records()]
    stored = records.store_population(some_records())
    assert stored["resources"] == len(expected)
    assert handler.writes == expected
    handler.writes.clear()
    assert records.delete() == {"stored": len(expected), "left": []}
    assert handler.writes == expected[::-1]
    assert handler.held == {"Patient/theirs"}


def test_a_server_that_has_the_population_already_is_left_alone(records, handler):
    handler.held.add("Patient/demo-patient-00000")
    assert "already" in records.store_population(some_records())["refused"]
    assert records.delete() == {"stored": 0, "left": []}
    assert handler.writes == []


def test_what_is_created_is_found_again_by_its_address(records, handler):
    assert records.create(b"{}").status == 201
    assert records.stored == ["Patient/new"]
    records.delete()
    assert handler.held == {"Patient/theirs"}


def test_a_refusal_is_an_answer_and_so_is_none(records):
    assert records.transact(transaction(1)).status == 405
    with Client(Target("peer", "127.0.0.1", 1)) as nowhere:
        assert Records(nowhere).ask("GET", "/Patient/1").status == NO_ANSWER
