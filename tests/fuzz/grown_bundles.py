"""Transactions and batches grown from resources: links, cycles, duplicates, conditions, odd methods, addresses, nesting."""

from __future__ import annotations

import random
from typing import Any

from tests.fuzz.application import JSON, Request
from tests.fuzz.grown_queries import QueryGrower, encoded
from tests.fuzz.grown_resources import Barren, Grower, written

TYPES = (
    "Patient",
    "Observation",
    "Encounter",
    "Condition",
    "Appointment",
    "MedicationRequest",
    "List",
    "Basic",
    "Group",
    "Provenance",
)
METHODS = ("POST", "POST", "POST", "PUT", "PUT", "GET", "GET", "DELETE", "HEAD")
ODD_METHODS = ("PATCH", "OPTIONS", "post", "")
KINDS = ("transaction", "transaction", "batch")
ODD_KINDS = ("collection", "x", "history", "")
URLS = (
    "", "/", "Patient/../Observation", "http://localhost:8080/fhir/Patient/fuzz-1", "http://elsewhere.example/fhir/Patient/1",
    "Patient/fuzz-1/_history/1", "Patient/fuzz-1/$everything", "_history", "metadata", "Patient?_id=fuzz-1", "Patient?",
    "Patient/" + "x" * 80, "Nothing/1", "Patient/%00", "$validate", "Patient/_search", "?", "#", "//",
    "Patient/fuzz-1/_history",
)  # fmt: skip
HUGE = 300


class BundleGrower:
    """Grows Bundles: most can be carried out, and in some a few things are wrong."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self._grower = Grower(chance)
        self._queries = QueryGrower(chance)
        self._odd = 0.0

    def _pick(self, sound: tuple[str, ...], odd: tuple[str, ...]) -> str:
        return self.chance.choice(odd if self.chance.random() < self._odd else sound)

    def request(self) -> Request:
        return Request("POST", "/fhir", "", JSON, written(self.bundle()).encode())

    def bundle(self, depth: int = 0) -> dict[str, Any]:
        """A transaction or batch, whose entries point to each other."""
        self._odd = self.chance.choice((0.0, 0.0, 0.1))
        number = self.chance.choice((0, 1, 2, 3, 4, 5, 8))
        urls = [f"urn:uuid:61ebe359-bfdc-4613-8bf2-{self.chance.randrange(16**12):012x}" for _ in range(max(number, 1))]
        entries = [self._entry(urls, index, depth) for index in range(number)]
        if entries and self.chance.random() < 0.02:
            entries = [{k: v for k, v in entries[0].items() if k != "fullUrl"} for _ in range(HUGE)]
        kind = self._pick(KINDS, ODD_KINDS)
        bundle: dict[str, Any] = {"resourceType": "Bundle", "type": kind}
        return {**bundle, "entry": entries} if entries else bundle

    def _entry(self, urls: list[str], index: int, depth: int) -> dict[str, Any]:
        method = self._pick(METHODS, ODD_METHODS)
        type_name, own_id = self.chance.choice(TYPES), f"fuzz-{self.chance.randrange(9)}-{index}"
        entry: dict[str, Any] = {}
        if method == "POST" or self.chance.random() < self._odd:
            entry["fullUrl"] = urls[index] if self.chance.random() > self._odd else self.chance.choice(urls)
        if method.upper() in ("POST", "PUT") or self.chance.random() < self._odd:
            entry["resource"] = resource = self._resource(type_name, depth)
            type_name = resource["resourceType"]
            resource.pop("id", None)
            if method == "PUT":
                resource["id"] = own_id
            self._link(resource, urls)
        request: dict[str, Any] = {"method": method, "url": self._url(method, type_name, own_id)}
        if self.chance.random() < self._odd:
            name = self.chance.choice(("ifMatch", "ifNoneMatch", "ifNoneExist", "ifModifiedSince"))
            request[name] = self.chance.choice(
                ('W/"1"', "*", "identifier=urn:fuzz|1", "2020-01-01T00:00:00Z", "_id=fuzz-1")
            )
        if self.chance.random() >= self._odd / 3:
            entry["request"] = request
        return entry

    def _resource(self, type_name: str, depth: int) -> dict[str, Any]:
        if depth < 3 and self.chance.random() < 0.03:
            return self.bundle(depth + 1)
        try:
            return self._grower.sound(type_name)
        except Barren:
            return {"resourceType": "Basic", "code": {"text": "x"}}

    def _url(self, method: str, type_name: str, own_id: str) -> str:
        if self.chance.random() < self._odd:
            return self.chance.choice(URLS)
        if method == "POST":
            return type_name
        if method in ("PUT", "DELETE", "PATCH") and self.chance.random() < 0.8:
            return f"{type_name}/{own_id}"
        query = encoded(self._queries.query(type_name))
        return f"{type_name}?{query}" if method in ("GET", "HEAD") else f"{type_name}?identifier=urn:fuzz|{own_id}"

    def _link(self, resource: dict[str, Any], urls: list[str]) -> None:
        """Let some references point to entries of the Bundle, this one included, or to what a condition finds."""
        places: list[dict[str, Any]] = []

        def walk(node: Any) -> None:
            if isinstance(node, dict):
                if isinstance(node.get("reference"), str) and not node["reference"].startswith("#"):
                    places.append(node)
                for value in node.values():
                    walk(value)
            elif isinstance(node, list):
                for value in node:
                    walk(value)

        walk(resource)
        for place in places:
            if place["reference"].startswith("urn:") or self.chance.random() < self._odd:
                condition = f"{self.chance.choice(TYPES)}?identifier=urn:fuzz|{self.chance.randrange(3)}"
                place["reference"] = self._pick(tuple(urls), (condition, "urn:uuid:none"))
