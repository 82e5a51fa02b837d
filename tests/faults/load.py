"""A mixed load on a few resources: readers and writers at once, each answer kept with its time, and checked in the end."""

from __future__ import annotations

import json
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf
from typing import Any

import httpx

from tests.faults.linearizability import NEVER, Sight, Span, Version, faults_of

CLIENTS = 6
RESOURCES = 4
# What no answer may take: the server's own limits are 15 s for the database and 20 s for a transaction.
BOUND_SECONDS = 60.0
JSON_PATCH = {"Content-Type": "application/json-patch+json"}


@dataclass
class Write:
    """One attempt to write: what it would leave in each of some resources, and when. versions: as answered, else empty."""

    token: str | None
    span: Span
    ids: tuple[str, ...]
    versions: dict[str, int] = field(default_factory=dict)


@dataclass
class Record:
    """What the clients of one load did and were told."""

    writes: list[Write] = field(default_factory=list)
    sights: dict[str, list[Sight]] = field(default_factory=dict)
    created: dict[str, bytes] = field(default_factory=dict)
    statuses: Counter[int | str] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)
    longest: float = 0.0

    @property
    def acknowledged(self) -> int:
        """How many writes were answered with success."""
        return sum(bool(write.versions) for write in self.writes) + len(self.created)


def patient(token: str, logical_id: str | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {"resourceType": "Patient", "name": [{"text": token}]}
    return body if logical_id is None else {**body, "id": logical_id}


def version_of(answer: httpx.Response) -> int:
    return int(answer.headers["ETag"][3:-1])


def token_of(resource: dict[str, Any]) -> str:
    return str(resource["name"][0]["text"])


class Client:
    """One client that does one thing after another, drawn by lot, until it is told to stop."""

    def __init__(self, name: str, base_url: str, ids: list[str], chance: random.Random, stop: threading.Event) -> None:
        self.name = name
        self._base_url, self._ids, self._chance, self._stopping = base_url, ids, chance, stop
        self.record = Record(sights={each: [] for each in ids})
        self._known: dict[str, int] = {}
        self._tokens = 0

    def run(self) -> None:
        actions = [
            (self._update, 8), (self._update_if_match, 3), (self._delete, 1), (self._patch, 2), (self._create, 2),
            (self._transaction, 2), (self._read, 8), (self._vread, 2), (self._history, 2), (self._search, 3),
        ]  # fmt: skip
        names, weights = [each for each, _ in actions], [weight for _, weight in actions]
        with httpx.Client(base_url=self._base_url, timeout=BOUND_SECONDS) as http:
            while not self._stopping.is_set():
                self._chance.choices(names, weights)[0](http, self._chance.choice(self._ids))

    def _send(self, http: httpx.Client, method: str, url: str, **more: Any) -> tuple[httpx.Response | None, Span]:
        """The answer, None where none came; and from when to when it took."""
        start = time.monotonic()
        try:
            answer = http.request(method, url, **more)
        except (httpx.TransportError, httpx.DecodingError) as error:
            took = time.monotonic() - start
            self.record.statuses["no answer"] += 1
            if isinstance(error, httpx.TimeoutException):
                self.record.unexpected.append(f"{method} {url} had no answer within {took:.0f} s")
            self._stopping.wait(0.02)
            return None, Span(start)
        span = Span(start, time.monotonic())
        self.record.longest = max(self.record.longest, span.end - span.start)
        self.record.statuses[answer.status_code] += 1
        if answer.status_code == 503 or answer.status_code == 507:
            if "Retry-After" not in answer.headers or answer.json()["resourceType"] != "OperationOutcome":
                self.record.unexpected.append(f"{method} {url}: 503 {dict(answer.headers)} {answer.text[:300]}")
            self._stopping.wait(0.05)
        elif answer.status_code not in (200, 201, 204, 404, 409, 410, 412):
            self.record.unexpected.append(f"{method} {url}: {answer.status_code} {answer.text[:300]}")
        return answer, span

    def _token(self) -> str:
        self._tokens += 1
        return f"{self.name}-{self._tokens}"

    def _write(self, http: httpx.Client, logical_id: str, method: str, token: str, **more: Any) -> None:
        answer, span = self._send(http, method, f"/Patient/{logical_id}", **more)
        if answer is None or answer.status_code >= 500:  # it may have been carried out, or may be yet
            self.record.writes.append(Write(token, Span(span.start), (logical_id,)))
        elif answer.is_success:
            assert token_of(answer.json()) == token
            self._known[logical_id] = version_of(answer)
            self.record.writes.append(Write(token, span, (logical_id,), {logical_id: version_of(answer)}))

    def _update(self, http: httpx.Client, logical_id: str) -> None:
        token = self._token()
        self._write(http, logical_id, "PUT", token, json=patient(token, logical_id))

    def _update_if_match(self, http: httpx.Client, logical_id: str) -> None:
        token, known = self._token(), self._known.get(logical_id, 1)
        headers = {"If-Match": f'W/"{known}"'}
        self._write(http, logical_id, "PUT", token, json=patient(token, logical_id), headers=headers)

    def _patch(self, http: httpx.Client, logical_id: str) -> None:
        token = self._token()
        patch = json.dumps([{"op": "replace", "path": "/name/0/text", "value": token}])
        self._write(http, logical_id, "PATCH", token, content=patch, headers=JSON_PATCH)

    def _create(self, http: httpx.Client, _: str) -> None:
        answer, _ = self._send(http, "POST", "/Patient", json=patient(self._token()))
        if answer is not None and answer.status_code == 201:
            self.record.created[f"/Patient/{answer.json()['id']}/_history/1"] = answer.content

    def _transaction(self, http: httpx.Client, _: str) -> None:
        ids, token = tuple(self._chance.sample(self._ids, 3)), self._token()
        entries = [
            {"resource": patient(token, each), "request": {"method": "PUT", "url": f"Patient/{each}"}} for each in ids
        ]
        answer, span = self._send(
            http, "POST", "/", json={"resourceType": "Bundle", "type": "transaction", "entry": entries}
        )
        if answer is None or answer.status_code >= 500:
            self.record.writes.append(Write(token, Span(span.start), ids))
        elif answer.is_success:
            etags = [entry["response"]["etag"] for entry in answer.json()["entry"]]
            versions = {each: int(etag[3:-1]) for each, etag in zip(ids, etags, strict=True)}
            self.record.writes.append(Write(token, span, ids, versions))

    def _delete(self, http: httpx.Client, logical_id: str) -> None:
        answer, span = self._send(http, "DELETE", f"/Patient/{logical_id}")
        if answer is None or answer.status_code >= 500:
            self.record.writes.append(Write(None, Span(span.start), (logical_id,)))
        elif answer.status_code == 204 and "ETag" in answer.headers:
            # Whether it was this one that deleted, or one before, it does not tell.
            self.record.writes.append(Write(None, Span(span.start), (logical_id,), {logical_id: version_of(answer)}))
            self._see(logical_id, span, version_of(answer), None, "a delete")
        elif answer.status_code == 204:
            self._see(logical_id, span, NEVER, None, "a delete")

    def _see(self, logical_id: str, span: Span, version: int, content: str | None, what: str) -> None:
        told = f"{what} by {self.name}, {span.start:.3f} to {span.end:.3f},"
        self.record.sights[logical_id].append(Sight(span, frozenset({version}), content, told))

    def _read(self, http: httpx.Client, logical_id: str) -> None:
        answer, span = self._send(http, "GET", f"/Patient/{logical_id}")
        if answer is None:
            return
        if answer.status_code == 200:
            self._known[logical_id] = version_of(answer)
            self._see(logical_id, span, version_of(answer), token_of(answer.json()), "a read")
        elif answer.status_code == 410:
            self._see(logical_id, span, version_of(answer), None, "a read")
        elif answer.status_code == 404:
            self._see(logical_id, span, NEVER, None, "a read")

    def _vread(self, http: httpx.Client, logical_id: str) -> None:
        """An old version may be read at any later moment, so this tells no more than that it had been written."""
        version = self._known.get(logical_id, 1)
        answer, span = self._send(http, "GET", f"/Patient/{logical_id}/_history/{version}")
        if answer is not None and answer.status_code == 200:
            self._see(logical_id, Span(-inf, span.end), version, token_of(answer.json()), "a vread")

    def _history(self, http: httpx.Client, logical_id: str) -> None:
        answer, span = self._send(http, "GET", f"/Patient/{logical_id}/_history?_count=1")
        if answer is None or answer.status_code not in (200, 404):
            return
        entries = answer.json().get("entry", []) if answer.status_code == 200 else []
        if not entries:
            self._see(logical_id, span, NEVER, None, "a history")
            return
        content = token_of(entries[0]["resource"]) if "resource" in entries[0] else None
        self._see(logical_id, span, int(entries[0]["response"]["etag"][3:-1]), content, "a history")

    def _search(self, http: httpx.Client, logical_id: str) -> None:
        answer, span = self._send(http, "GET", f"/Patient?_id={logical_id}")
        if answer is None or answer.status_code != 200:
            return
        found = [entry["resource"] for entry in answer.json().get("entry", [])]
        if found:
            self._see(logical_id, span, int(found[0]["meta"]["versionId"]), token_of(found[0]), "a search")
        else:  # deleted, or not there yet
            self.record.sights[logical_id].append(Sight(span, frozenset(), None, f"a search by {self.name}"))


class Load:
    """The clients at work, and the resources that they work on."""

    def __init__(self, seed: str) -> None:
        self.ids = [str(uuid.UUID(int=random.Random(f"{seed}/{n}").getrandbits(128))) for n in range(RESOURCES)]
        self._seed = seed
        self._clients: list[Client] = []

    @contextmanager
    def on(self, base_url: str) -> Iterator[Load]:
        """The load at work for the length of a `with` block; several blocks may follow each other."""
        stop = threading.Event()
        names = [f"client {len(self._clients) + number}" for number in range(CLIENTS)]
        clients = [Client(each, base_url, self.ids, random.Random(f"{self._seed}/{each}"), stop) for each in names]
        threads = [threading.Thread(target=client.run, daemon=True) for client in clients]
        for thread in threads:
            thread.start()
        self._clients += clients
        try:
            yield self
        finally:
            stop.set()
            for thread in threads:
                thread.join(2 * BOUND_SECONDS)
            assert not any(thread.is_alive() for thread in threads), "a client never had its answer"

    @property
    def acknowledged(self) -> int:
        return sum(client.record.acknowledged for client in self._clients)

    @property
    def statuses(self) -> Counter[int | str]:
        return sum((client.record.statuses for client in self._clients), Counter())

    def check(self, http: httpx.Client) -> None:
        """All that was acknowledged is there, versions have no gap, transactions are whole, and every answer is possible."""
        records = [client.record for client in self._clients]
        unexpected = [each for record in records for each in record.unexpected]
        assert not unexpected, f"{len(unexpected)} unexpected answers: {unexpected[:3]}"
        assert max(record.longest for record in records) < BOUND_SECONDS
        for record in records:
            for url, content in record.created.items():
                assert http.get(url).content == content, f"{url} was acknowledged and is lost"
        writes = [write for record in records for write in record.writes]
        tokens: dict[str, set[str]] = {}  # token → the resources that hold it
        for logical_id in self.ids:
            entries = history_of(http, logical_id)
            history = versions_of(logical_id, entries, writes)
            for version in history:
                if version.content is not None:
                    tokens.setdefault(version.content, set()).add(logical_id)
            absent = frozenset({NEVER, *(each.number for each in history if each.content is None)})
            sights = [sight for record in records for sight in record.sights[logical_id]]
            sights = [s if s.versions else Sight(s.span, absent, None, s.what) for s in sights]
            faults = faults_of(history, sights)
            assert not faults, f"Patient/{logical_id}: {faults}"
        for write in writes:
            if write.token is not None:
                there = tokens.get(write.token, set())
                assert there in ([set(write.ids)] if write.versions else [set(write.ids), set()]), f"half of {write}"


def history_of(http: httpx.Client, logical_id: str) -> list[dict[str, Any]]:
    """All entries of the history of a Patient, oldest first."""
    entries: list[dict[str, Any]] = []
    url: str | None = f"/Patient/{logical_id}/_history?_count=1000"
    while url is not None:
        answer = http.get(url)
        assert answer.status_code == 200, answer.text
        bundle = answer.json()
        entries += bundle.get("entry", [])
        url = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)
    return entries[::-1]


def versions_of(logical_id: str, entries: list[dict[str, Any]], writes: list[Write]) -> list[Version]:
    """The history with the spans in which its versions were written. Fails where one was written by nobody or is lost."""
    mine = [write for write in writes if logical_id in write.ids]
    by_token = {write.token: write for write in mine if write.token is not None}
    by_version = {write.versions[logical_id]: write for write in mine if write.versions and write.token is not None}
    deletes = [write.span.start for write in mine if write.token is None]
    history = []
    for entry in entries:
        number = int(entry["response"]["etag"][3:-1])
        if "resource" not in entry:
            assert deletes, f"version {number} of {logical_id} is a deletion that nobody asked for"
            history.append(Version(number, None, Span(min(deletes))))
            continue
        token = token_of(entry["resource"])
        assert token in by_token, f"version {number} of {logical_id} was written by nobody: {token}"
        claimed = by_version.pop(number, None)
        assert claimed is None or claimed.token == token, f"version {number} of {logical_id} was {claimed}, is {token}"
        assert by_token[token].versions.get(logical_id, number) == number, (
            f"{by_token[token]} is version {number} as well"
        )
        history.append(Version(number, token, by_token[token].span))
    assert by_version == {}, f"acknowledged and lost: {by_version}"
    return history
