"""kill -9 of the server, and of its MongoDB, in the middle of writes: what was acknowledged is there, and nothing half."""

from __future__ import annotations

import os
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from fhir_server.embedded_mongodb.data_dir import DataDir

WRITERS = 4
LINKED = 5


class Writer:
    """One client that creates, updates and sends transactions as fast as it can, and keeps what it was told.

    acknowledged: address of a version → the content it was answered with. attempted: the texts of transactions, each of
    which all its resources carry as an identifier. max_version: id of an updated resource → the last acknowledged version.
    """

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self.acknowledged: dict[str, bytes] = {}
        self.attempted: list[str] = []
        self.committed: list[str] = []
        self.updated: dict[str, int] = {}
        self.unexpected: list[str] = []

    def run(self, stop: threading.Event) -> None:
        own = str(uuid.uuid4())
        number = 0
        with httpx.Client(base_url=self._base_url, timeout=30) as client:
            while not stop.is_set():
                number += 1
                try:
                    self._create(client, number)
                    self._update(client, own, number)
                    self._send_transaction(client)
                except httpx.TransportError:
                    time.sleep(0.02)

    def _create(self, client: httpx.Client, number: int) -> None:
        self._keep(client.post("/Patient", json={"resourceType": "Patient", "name": [{"text": f"number {number}"}]}))

    def _update(self, client: httpx.Client, own: str, number: int) -> None:
        body = {"resourceType": "Patient", "id": own, "name": [{"text": f"number {number}"}]}
        answer = client.put(f"/Patient/{own}", json=body)
        if self._keep(answer):
            self.updated[own] = int(answer.json()["meta"]["versionId"])

    def _send_transaction(self, client: httpx.Client) -> None:
        key = str(uuid.uuid4())
        self.attempted.append(key)
        answer = client.post("/", json=linked(key))
        if answer.status_code == 200:
            self.committed.append(key)
        else:
            self._note(answer)

    def _keep(self, answer: httpx.Response) -> bool:
        if answer.status_code not in (200, 201):
            self._note(answer)
            return False
        content = answer.json()
        url = f"/{content['resourceType']}/{content['id']}/_history/{content['meta']['versionId']}"
        self.acknowledged[url] = answer.content
        return True

    def _note(self, answer: httpx.Response) -> None:
        if answer.status_code != 503 or "Retry-After" not in answer.headers:
            self.unexpected.append(f"{answer.status_code} {answer.text[:500]}")


def linked(key: str) -> dict[str, Any]:
    """A transaction of a patient and resources that refer to it and to each other, all identified by the key."""
    identifier = [{"system": "urn:test", "value": key}]
    patient = f"urn:uuid:{uuid.uuid4()}"
    encounters = [f"urn:uuid:{uuid.uuid4()}" for _ in range(LINKED - 1)]
    entries: list[dict[str, Any]] = [
        {
            "fullUrl": patient,
            "resource": {"resourceType": "Patient", "identifier": identifier},
            "request": {"method": "POST", "url": "Patient"},
        }
    ]
    for number, full_url in enumerate(encounters):
        encounter = {
            "resourceType": "Encounter",
            "identifier": identifier,
            "status": "planned",
            "class": {"code": "AMB"},
            "subject": {"reference": patient},
            "partOf": {"reference": encounters[number - 1]},
        }
        entries.append({"fullUrl": full_url, "resource": encounter, "request": {"method": "POST", "url": "Encounter"}})
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


@contextmanager
def writing(base_url: str) -> Iterator[list[Writer]]:
    """Several writers at work for the length of a `with` block."""
    stop = threading.Event()
    writers = [Writer(base_url) for _ in range(WRITERS)]
    threads = [threading.Thread(target=writer.run, args=(stop,)) for writer in writers]
    for thread in threads:
        thread.start()
    try:
        yield writers
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert not any(thread.is_alive() for thread in threads)


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def writes_of(writers: list[Writer]) -> int:
    return sum(len(writer.acknowledged) + len(writer.committed) for writer in writers)


def check(client: httpx.Client, writers: list[Writer]) -> None:
    """Whatever was acknowledged is there to the byte, versions have no gap, and no transaction is there by half."""
    for writer in writers:
        assert writer.unexpected == []
        for url, content in writer.acknowledged.items():
            assert client.get(url).content == content
        for own, version in writer.updated.items():
            entries = client.get(f"/Patient/{own}/_history?_count=1000").json()["entry"]
            found = [int(entry["response"]["etag"][3:-1]) for entry in entries]
            assert found == list(range(found[0], 0, -1))
            assert found[0] >= version
            assert client.get(f"/Patient/{own}").headers["ETag"] == f'W/"{found[0]}"'
        for key in writer.attempted:
            query = f"identifier=urn:test|{key}&_summary=count"
            patients = client.get(f"/Patient?{query}").json()["total"]
            encounters = client.get(f"/Encounter?{query}").json()["total"]
            whole = (1, LINKED - 1)
            assert (patients, encounters) in ([whole] if key in writer.committed else [whole, (0, 0)])
            if patients:
                check_links(client, key)


def check_links(client: httpx.Client, key: str) -> None:
    (patient,) = client.get(f"/Patient?identifier=urn:test|{key}").json()["entry"]
    encounters = client.get(f"/Encounter?identifier=urn:test|{key}").json()["entry"]
    assert {e["resource"]["subject"]["reference"] for e in encounters} == {f"Patient/{patient['resource']['id']}"}
    assert {e["resource"]["partOf"]["reference"] for e in encounters} == {
        f"Encounter/{e['resource']['id']}" for e in encounters
    }


def children_of(pid: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(status.parent.name))
    return found


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def mongod_of(data_dir: Path) -> int | None:
    """The pid of the server's MongoDB; None while it is being started."""
    state = DataDir.at(data_dir).read_state()
    return state.pid if state else None


def test_a_killed_server_leaves_no_worker_and_loses_nothing_that_it_acknowledged(start_server):
    writers: list[Writer] = []
    server = start_server()
    for _ in range(3):
        workers = [pid for pid in children_of(server.process.pid) if pid != mongod_of(server.data_dir)]
        assert len(workers) == 2
        with writing(server.base_url) as at_work:
            wait_for(lambda at_work=at_work: writes_of(at_work) > 100)
            with httpx.Client(base_url=server.base_url) as idle:
                idle.get("/metadata")  # a client that stays connected must not keep a worker alive
                server.kill()
                wait_for(lambda workers=workers: not any(runs(pid) for pid in workers), 20)
        writers += at_work
        server = start_server(server.data_dir)
    with server.client() as client:
        check(client, writers)


def test_a_killed_worker_is_replaced_and_nothing_that_it_acknowledged_is_lost(start_server):
    server = start_server()
    workers = {pid for pid in children_of(server.process.pid) if pid != mongod_of(server.data_dir)}
    with writing(server.base_url) as writers:
        wait_for(lambda: writes_of(writers) > 50)
        killed = min(workers)
        os.kill(killed, signal.SIGKILL)
        wait_for(lambda: len(set(children_of(server.process.pid)) - workers) == 2)  # mongod and the new worker
        before = writes_of(writers)
        wait_for(lambda: writes_of(writers) > before + 50)
    with server.client() as client:
        check(client, writers)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_database_that_ends_is_started_again_and_loses_nothing_that_was_acknowledged(start_server, how):
    server = start_server()
    with writing(server.base_url) as writers:
        for done in (100, 250):
            wait_for(lambda done=done: writes_of(writers) > done)
            mongod = mongod_of(server.data_dir)
            assert mongod is not None
            os.kill(mongod, how)
            wait_for(lambda mongod=mongod: mongod_of(server.data_dir) not in (None, mongod))
        before = writes_of(writers)
        wait_for(lambda: writes_of(writers) > before + 50)
    with server.client() as client:
        check(client, writers)


def test_while_the_database_is_away_the_server_says_so_and_recovers_by_itself(start_server, together):
    server = start_server()
    with server.client() as client:
        created = client.post("/Patient", json={"resourceType": "Patient"}).json()
        url = f"/Patient/{created['id']}"
        mongod = mongod_of(server.data_dir)
        assert mongod is not None
        os.kill(mongod, signal.SIGSTOP)  # hangs: the worst way to be away
        try:
            assert httpx.get(f"{server.site}/healthz").status_code == 200
            assert httpx.get(f"{server.site}/readyz").status_code == 503
            requests = [
                lambda: client.get(url),
                lambda: client.get("/Patient?_id=a"),
                lambda: client.get(f"{url}/_history"),
                lambda: client.put(url, json={**created, "active": True}),
                lambda: client.post("/Patient", json={"resourceType": "Patient"}),
                lambda: client.post("/", json=linked("hanging")),
            ]
            for answer in together(lambda number: requests[number](), len(requests)):
                assert answer.status_code == 503
                assert answer.headers["Retry-After"]
                assert answer.json()["resourceType"] == "OperationOutcome"
            assert httpx.get(f"{server.site}/healthz").status_code == 200
        finally:
            os.kill(mongod, signal.SIGCONT)
        wait_for(lambda: httpx.get(f"{server.site}/readyz").status_code == 200)
        assert client.get(url).status_code == 200
        assert client.put(url, json={**created, "gender": "other"}).status_code == 200
