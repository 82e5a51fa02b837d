"""Asking the server: the answer of a cell compared with what must come, and what was changed put back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.access_matrix.cells import NEW_ID, Ask, Expected, World
from tests.access_matrix.compartments import Json
from tests.access_matrix.plan import Cell

FHIR_JSON = "application/fhir+json"


@dataclass
class Asker:
    """One a thread, because of its connection. tokens: by their text. master: a token that may do everything."""

    base_url: str
    world: World
    tokens: dict[str, str]
    master: str
    made: int = 0
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))

    def difference(self, cell: Cell) -> str | None:
        """What differs from what must come, in a sentence; None if nothing does."""
        made = cell.make(self.world)
        assert made is not None, cell  # only such cells are planned
        ask, expected = self._with_new_id(made[0]), made[1]
        answer = self.send(ask, self.tokens[str(cell.token)])
        try:
            found = self._compare(cell, answer, expected)
        finally:
            self._put_back(answer, expected)
        return None if found is None else f"{cell}: {ask.method} {ask.path}: {found}"

    def _with_new_id(self, ask: Ask) -> Ask:
        if NEW_ID not in ask.path or ask.body is None:
            return ask
        self.made += 1
        new_id = f"{NEW_ID}-{self.made}"
        return replace(ask, path=ask.path.replace(NEW_ID, new_id), body={**ask.body, "id": new_id})

    def send(self, ask: Ask, token: str) -> httpx.Response:
        """The answer to a request."""
        headers = {"Authorization": f"Bearer {token}", "Accept": FHIR_JSON, **dict(ask.headers)}
        address = ask.path if ask.path.startswith("http") else self.base_url + ask.path
        if ask.form:
            return self.client.request(ask.method, address, data=dict(ask.form), headers=headers)
        if ask.body is None:
            return self.client.request(ask.method, address, headers=headers)
        body = json.dumps(ask.body).encode()
        return self.client.request(ask.method, address, content=body, headers={"Content-Type": FHIR_JSON, **headers})

    def _compare(self, cell: Cell, answer: httpx.Response, expected: Expected) -> str | None:
        if answer.status_code != expected.status:
            return f"the status is {answer.status_code} and not {expected.status}: {answer.text[:300]}"
        if expected.status >= 400 and answer.json().get("resourceType") != "OperationOutcome":
            return "the body is no OperationOutcome"
        if expected.total is not None and answer.json().get("total") != expected.total:
            return f"the total is {answer.json().get('total')} and not {expected.total}"
        if expected.entries is not None:
            statuses = tuple(int(entry["response"]["status"][:3]) for entry in answer.json()["entry"])
            if statuses != expected.entries:
                return f"the entries are answered {statuses} and not {expected.entries}"
        if expected.keys is not None:
            keys = self._keys(answer.json(), self.tokens[str(cell.token)]) if answer.content else []
            if self.world.rule.can(cell.token.holder, "s", "AuditEvent"):
                # The server adds to these while it is asked, so they cannot be compared; who may not see them, must not.
                keys = [key for key in keys if not key.startswith("AuditEvent/")]
            if sorted(keys) != sorted(expected.keys):
                too_many, too_few = sorted(set(keys) - expected.keys), sorted(expected.keys - set(keys))
                return f"too many are {too_many[:5]}, too few {too_few[:5]}, of {len(keys)}"
        return None

    def _keys(self, resource: Json, token: str) -> list[str]:
        if resource["resourceType"] != "Bundle":
            return [f"{resource['resourceType']}/{resource['id']}"]
        keys = [_key(entry, resource["type"]) for entry in resource.get("entry", [])]
        following = [link["url"] for link in resource["link"] if link["relation"] == "next"]
        return keys + (self._keys(self.send(Ask("GET", following[0]), token).json(), token) if following else [])

    def _put_back(self, answer: httpx.Response, expected: Expected) -> None:
        """Undo what was carried out, whether it should have been or not."""
        if answer.status_code >= 300 or answer.request.method == "GET":
            return
        for key in _written(answer):
            if key not in self.world.records.versions or self.world.records.current(key) is None:
                self.send(Ask("DELETE", f"/{key}"), self.master)
            elif key not in expected.restores:
                self._restore(key)
        for key in expected.restores:
            self._restore(key)

    def _restore(self, key: str) -> None:
        answer = self.send(Ask("PUT", f"/{key}", self.world.resource(key)), self.master)
        assert answer.status_code in (200, 201), answer.text


def _key(entry: Json, kind: str) -> str:
    parts = urlsplit(entry.get("fullUrl") or entry["request"]["url"]).path.split("/")
    key = "/".join(parts[-2:])
    if kind != "history":
        return key
    resource: dict[str, Any] = entry.get("resource", {})
    version = resource["meta"]["versionId"] if resource else entry["response"]["etag"].split('"')[1]
    return f"{key}@{version}"


def _written(answer: httpx.Response) -> list[str]:
    """`Type/id` of what an answer says was written."""
    places = [answer.headers.get("location", "")]
    if answer.content and answer.headers.get("content-type", "").startswith(FHIR_JSON):
        entries = answer.json().get("entry", []) if answer.json().get("resourceType") == "Bundle" else []
        places += [entry.get("response", {}).get("location", "") for entry in entries]
    return ["/".join(urlsplit(place).path.split("/_history")[0].split("/")[-2:]) for place in places if place]
