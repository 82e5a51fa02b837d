"""More than the server can take: it says so, keeps answering others, and forgets clients that go away."""

from __future__ import annotations

import socket
import threading
import uuid
from typing import Any

import httpx

from fhir_server.app import create_app
from fhir_server.services import Turnstile, services_for
from fhir_server.settings import Settings
from fhir_server.store.database import connect


def bundle(kind: str, entries: int) -> dict[str, Any]:
    entry = {"resource": {"resourceType": "Patient"}, "request": {"method": "POST", "url": "Patient"}}
    return {"resourceType": "Bundle", "type": kind, "entry": [entry] * entries}


def test_bundles_past_the_limit_wait_or_are_told_to_come_back_and_reads_go_on(start_server, together):
    server = start_server(workers=1, FHIR_MAX_CONCURRENT_BUNDLES="1")
    with server.client() as client:
        created = client.post("/Patient", json={"resourceType": "Patient"}).json()
        reads: list[int] = []
        stop = threading.Event()

        def read() -> None:
            with server.client() as other:
                while not stop.is_set():
                    reads.append(other.get(f"/Patient/{created['id']}").status_code)

        reader = threading.Thread(target=read)
        reader.start()
        try:
            answers = together(lambda _: client.post("/", json=bundle("transaction", 1000)), 16)
        finally:
            stop.set()
            reader.join(60)
        done = [answer for answer in answers if answer.status_code == 200]
        refused = [answer for answer in answers if answer.status_code == 503]
        assert len(done) + len(refused) == len(answers)
        assert len(done) > 1
        for answer in refused:
            assert int(answer.headers["Retry-After"]) > 0
            assert answer.json()["issue"][0]["code"] == "throttled"
        assert client.get("/Patient?_summary=count").json()["total"] == 1 + 1000 * len(done)
        assert set(reads) == {200}
        assert len(reads) > len(done)


def test_whoever_finds_the_queue_full_is_turned_away():
    turnstile = Turnstile(at_once=1, waiting=0)
    assert turnstile.acquire(timeout=0)
    assert not turnstile.acquire(timeout=0.01)
    turnstile.release()
    assert turnstile.acquire(timeout=0)


def test_whoever_waits_has_a_turn_when_another_is_done():
    turnstile = Turnstile(at_once=1, waiting=1)
    assert turnstile.acquire(timeout=0)
    passed: list[bool] = []
    waiting = threading.Thread(target=lambda: passed.append(turnstile.acquire(timeout=60)))
    waiting.start()
    turnstile.release()
    waiting.join(60)
    assert passed == [True]
    turnstile.release()
    assert turnstile.acquire(timeout=0)  # nobody is left in the queue or inside


def test_a_bundle_that_had_no_turn_is_told_when_to_come_back():
    database = connect("mongodb://127.0.0.1:1/?directConnection=true", "none")  # never reached
    services = services_for(Settings.from_environ({}), database)
    services.bundles = Turnstile(at_once=1, waiting=0)
    assert services.bundles.acquire(timeout=0)
    answer = create_app(services).test_client().post("/fhir", json=bundle("transaction", 1))
    database.close()
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json is not None
    assert answer.json["issue"][0]["code"] == "throttled"


def test_clients_that_go_away_in_the_middle_do_no_harm(server, client):
    key = uuid.uuid4().hex
    body = b'{"resourceType":"Patient","identifier":[{"system":"urn:left","value":"%s"}]}' % key.encode()
    head = (
        b"POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/fhir+json\r\nContent-Length: %d\r\n\r\n"
    )
    for number in range(60):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            whole = head % len(body) + body
            connection.sendall(whole if number % 3 == 0 else whole[: len(whole) * (number % 3) // 3])
    answer = client.get(f"/Patient?identifier=urn:left|{key}")
    assert answer.status_code == 200
    for entry in answer.json().get("entry", []):  # a request that was sent whole is carried out whole, or not at all
        assert entry["resource"]["identifier"] == [{"system": "urn:left", "value": key}]
    assert answer.json()["total"] <= 20
    assert client.post("/Patient", content=body, headers={"Content-Type": "application/fhir+json"}).status_code == 201
    assert httpx.get(f"{server.site}/readyz").status_code == 200
