"""Malformed HTTP on the wire: the real server refuses it or hangs up, stays up, and answers the next client."""

from __future__ import annotations

import os
import random
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import pytest

SEED = int(os.environ.get("FUZZ_SEED", "4001"))
REQUESTS = 500
# A request that was spoilt may look unfinished to the server, which then waits for the rest: this long we wait with it.
PATIENCE_SECONDS = 0.3
# Far beyond what a hang-up takes; a server that never lets go fails the test by it.
HANG_SECONDS = 60

BODY = b'{"resourceType":"Patient","name":[{"text":"raw"}]}'
HOST = b"Host: localhost\r\n"
JSON = b"Content-Type: application/fhir+json\r\n"
SOUND = [
    b"GET /fhir/Patient?_id=a HTTP/1.1\r\n" + HOST + b"Accept: application/fhir+json\r\n\r\n",
    b"POST /fhir/Patient HTTP/1.1\r\n" + HOST + JSON + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY,
    b"POST /fhir/Patient HTTP/1.1\r\n" + HOST + JSON + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(BODY) + BODY
    + b"\r\n0\r\n\r\n",
    b"PUT /fhir/Patient/a HTTP/1.1\r\n" + HOST + JSON + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
]  # fmt: skip
JUNK = [
    b"\x00", b"\r", b"\n", b"\r\n\r\n", b"\xff\xfe", b" ", b"\t", b":", b"%00", b"%zz", b"\x7f", "é".encode(), b"A" * 9000,
    b"Content-Length: 5\r\n", b"Content-Length: -1\r\n", b"Content-Length: 99999999999999999999\r\n", b"HTTP/9.9",
    b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip, chunked\r\n", b"Host: evil.example\r\n",
    b"ffffffffffffffff\r\n",
    b"X: " + b"y" * 70_000 + b"\r\n", b"X: y\r\n" * 200, b" folded: x\r\n",
    b"Connection: upgrade\r\nUpgrade: h2c\r\n", b"-5\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET http://x/ HTTP/1.1\r\n\r\n",
]  # fmt: skip


def spoilt(number: int) -> bytes:
    """A sound request, broken in a few places."""
    chance = random.Random(SEED * REQUESTS + number)
    request = chance.choice(SOUND)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(request) + 1)
        match chance.randrange(4):
            case 0:
                request = request[:at]
            case 1:
                request = request[:at] + request[at + chance.randint(1, 4) :]
            case _:
                request = request[:at] + chance.choice(JUNK) + request[at:]
    return request


def answer_to(port: int, request: bytes) -> bytes:
    """All that the server answers until it hangs up, which it must once the client has nothing more to say."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=HANG_SECONDS) as connection:
        try:
            connection.sendall(request)
            connection.settimeout(PATIENCE_SECONDS)
            with suppress(TimeoutError):
                received = connection.recv(65536)
            connection.settimeout(HANG_SECONDS)
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65536):
                received += piece
        except TimeoutError:
            raise
        except OSError:
            pass  # it has hung up on us already
    return received


def test_no_malformed_request_makes_the_server_fail_or_hang(server, client):
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda number: answer_to(server.port, spoilt(number)), range(REQUESTS)))
    statuses = [re.findall(rb"^HTTP/1\.[01] (\d{3})", answer, re.MULTILINE) for answer in answers]
    faults = [
        f"FUZZ_SEED {SEED}, request {number}: {found} for {spoilt(number)[:500]!r}"
        for number, found in enumerate(statuses)
        if any(status >= b"500" and status not in (b"501", b"503", b"505") for status in found)
    ]
    assert faults == []
    assert sum(bool(found) for found in statuses) > REQUESTS // 4  # had all been cut off, nothing would be shown
    assert client.get("/metadata").status_code == 200
    assert client.post("/Patient", content=BODY, headers={"Content-Type": "application/fhir+json"}).status_code == 201


def test_a_body_without_end_is_refused_and_cut_off(start_server):
    server = start_server(FHIR_MAX_BODY_MB="1")
    head = b"POST /fhir/Patient HTTP/1.1\r\n" + HOST + JSON + b"Transfer-Encoding: chunked\r\n\r\n"
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    sent = 0
    with socket.create_connection(("127.0.0.1", server.port), timeout=HANG_SECONDS) as connection:
        connection.sendall(head)
        try:
            while sent < 100 * len(chunk) * 16:
                sent += connection.send(chunk)
        except ConnectionError:
            pass
        answer = b""
        with suppress(ConnectionError):  # what was answered is lost where the connection is reset
            answer = connection.recv(65536)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 413")
    assert sent < 50_000_000
    with server.client() as client:
        assert client.get("/metadata").status_code == 200


@pytest.mark.parametrize("length", [2_000_000, 10**11])
def test_a_body_that_claims_to_be_too_large_is_refused(start_server, length):
    server = start_server(FHIR_MAX_BODY_MB="1")
    head = b"POST /fhir/Patient HTTP/1.1\r\n" + HOST + JSON + b"Content-Length: %d\r\n\r\n" % length
    answer = answer_to(server.port, head + b"{" + b" " * 1_999_999)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 413")
    with server.client() as client:
        assert client.get("/metadata").status_code == 200


def test_clients_that_send_their_heads_slowly_keep_nobody_else_waiting(server):
    slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(200)]
    try:
        for connection in slow:
            connection.sendall(b"GET /fhir/metadata HTTP/1.1\r\nHost: loc")
        assert httpx.get(f"{server.base_url}/metadata", timeout=HANG_SECONDS).status_code == 200
    finally:
        for connection in slow:
            connection.close()
