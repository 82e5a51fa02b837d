"""Clients that send slowly, without end, or only half: others are served all the while."""

from __future__ import annotations

import multiprocessing
import signal
import socket
import threading
import time
from contextlib import ExitStack, suppress
from io import BytesIO
from typing import Any

import httpx
import pytest

from fhir_server.slow_bodies import Turns, Waiting, end_when_stuck
from tests.faults.site import Site, wait_for

pytestmark = pytest.mark.xdist_group("faults: processes")

SLOW = 64
BODY = b'{"resourceType":"Patient","name":[{"text":"slow"}]}'
HEAD = b"POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/fhir+json\r\nConnection: close\r\n"
# https://www.rfc-editor.org/rfc/rfc9113#name-frame-definitions
DATA, HEADERS, SETTINGS, END_HEADERS = 0, 1, 4, 4
H2_HEAD = {
    **{":method": "POST", ":scheme": "http", ":path": "/fhir/Patient", ":authority": "localhost"},
    "content-type": "application/fhir+json",
}
# Far beyond what any answer takes; it only keeps a hang from hanging the test run.
PATIENCE_SECONDS = 60


def test_many_clients_that_send_their_bodies_slowly_keep_nobody_waiting_and_are_served_in_the_end(site: Site) -> None:
    site.wait_until_ready()
    with ExitStack() as stack:
        connections = [stack.enter_context(connect(site)) for _ in range(SLOW)]
        for connection in connections:
            connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY[:1])
        for sent in (1, 2):
            time.sleep(0.5)
            for connection in connections:
                connection.sendall(BODY[sent : sent + 1])
            with httpx.Client(base_url=site.server.base_url, timeout=PATIENCE_SECONDS) as other:
                created = other.post("/Patient", json={"resourceType": "Patient"})
                assert created.status_code == 201
                assert other.get(f"/Patient/{created.json()['id']}").status_code == 200
            assert site.status_of("readyz") == 200
        for connection in connections:
            connection.sendall(BODY[3:])
        assert {connection.recv(12) for connection in connections} == {b"HTTP/1.1 201"}


def test_clients_that_fall_silent_in_the_middle_of_a_body_keep_nobody_waiting(site: Site) -> None:
    with ExitStack() as stack:
        for number in range(SLOW):
            connection = stack.enter_context(connect(site))
            if number % 2:  # half-open: connected, and never a word
                connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY[: number % len(BODY)])
        assert httpx.get(f"{site.server.base_url}/Patient?_id=a", timeout=PATIENCE_SECONDS).status_code == 200
    assert site.status_of("readyz") == 200


def test_one_connection_of_http_2_with_many_slow_bodies_is_closed_and_keeps_nobody_waiting(site: Site) -> None:
    with connect(site) as connection:
        with suppress(ConnectionError):  # it is not spoken, so the connection is closed at some time
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0))
            for number in range(SLOW):
                # Neither the length of the body nor that there is one stands in the head.
                head = b"".join(map(literal, H2_HEAD.items()))
                connection.sendall(
                    frame(HEADERS, END_HEADERS, 2 * number + 1, head) + frame(DATA, 0, 2 * number + 1, b"{")
                )
        assert httpx.get(f"{site.server.base_url}/Patient?_id=a", timeout=PATIENCE_SECONDS).status_code == 200
        connection.settimeout(PATIENCE_SECONDS)
        with suppress(ConnectionError):
            assert connection.recv(12) in (b"", b"HTTP/1.1 400")
    assert httpx.get(f"{site.server.base_url}/Patient?_id=a", timeout=PATIENCE_SECONDS).status_code == 200


def test_a_body_that_ends_too_early_is_not_taken_for_a_whole_one(site: Site) -> None:
    with connect(site) as connection:
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % (len(BODY) + 1) + BODY)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(12) in (b"", b"HTTP/1.1 400")


def test_a_head_without_end_is_refused_and_cut_off(site: Site) -> None:
    with connect(site) as connection:
        sent = 0
        with suppress(ConnectionError):
            connection.sendall(b"GET /fhir/metadata HTTP/1.1\r\nHost: localhost\r\n")
            while sent < 50_000_000:
                sent += connection.send(b"X-More: " + b"y" * 8000 + b"\r\n")
        assert sent < 50_000_000
    assert site.status_of("readyz") == 200


def connect(site: Site) -> socket.socket:
    return socket.create_connection(("127.0.0.1", site.server.port), timeout=PATIENCE_SECONDS)


def test_a_thread_that_waits_for_a_body_leaves_its_turn_to_others() -> None:
    slow, has_begun, may_end = SlowStream(), threading.Event(), threading.Event()
    slow.has_begun, slow.may_end = has_begun, may_end
    turns = Turns(lambda environ, _: [environ["wsgi.input"].read(5)], at_once=1)
    answers: list[Any] = []
    waiting = threading.Thread(target=lambda: answers.append(turns({"wsgi.input": slow, "CONTENT_LENGTH": "4"}, None)))
    waiting.start()
    assert has_begun.wait(PATIENCE_SECONDS)
    assert turns.waiting.now == 1
    assert turns({"wsgi.input": BytesIO(b"fast"), "CONTENT_LENGTH": "4"}, None) == [b"fast"]
    may_end.set()
    waiting.join(PATIENCE_SECONDS)
    assert answers == [[b"slow"]]
    assert turns.waiting.now == 0


class SlowStream(BytesIO):
    """A body that comes when the test lets it."""

    has_begun: threading.Event
    may_end: threading.Event

    def read(self, size: int | None = -1) -> bytes:
        self.has_begun.set()
        assert self.may_end.wait(PATIENCE_SECONDS)
        return b"slow"


def stuck(threads: int) -> None:
    """What a process does that has two threads, so many of which wait for bodies."""
    waiting = Waiting()
    for _ in range(threads):
        waiting.begin()
    end_when_stuck(waiting, 2, patience=0.05)
    time.sleep(PATIENCE_SECONDS if threads == 2 else 3)


@pytest.mark.parametrize(("threads", "code"), [(1, 0), (2, -signal.SIGKILL)])
def test_a_process_ends_itself_once_all_its_threads_wait_for_bodies(threads: int, code: int) -> None:
    process = multiprocessing.get_context("spawn").Process(target=stuck, args=(threads,))
    process.start()
    wait_for(lambda: process.exitcode is not None)
    assert process.exitcode == code


def frame(kind: int, flags: int, stream: int, content: bytes = b"") -> bytes:
    """A frame of HTTP/2."""
    return len(content).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + content


def literal(field: tuple[str, str]) -> bytes:
    """A header field that is not compressed. https://www.rfc-editor.org/rfc/rfc7541#section-6.2.2"""
    name, value = (text.encode() for text in field)
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value
