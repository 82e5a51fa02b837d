"""The kinds of hostile and of sound requests, each of which checks its own answers."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from resources.xml import xml_from_json
from tests.fuzz.application import JSON, Answer, Application, Request, fault_of
from tests.fuzz.grown_bundles import BundleGrower
from tests.fuzz.grown_queries import QueryGrower
from tests.fuzz.grown_resources import Barren, Grower, written
from tests.fuzz.mutated_requests import Mutator

XML = {"Content-Type": "application/fhir+xml"}
# What the server may refuse although R4's definitions allow it: a SearchParameter or another it cannot work with.
REFUSED_AT_WILL = ("SearchParameter",)


class FaultFound(AssertionError):
    """An answer that must not be, with the request that it was given to."""

    def __init__(self, request: Request, answer: Answer, fault: str) -> None:
        super().__init__(f"{fault}\n  {request.shown()}\n  {answer.content[:600]!r}")
        self.request, self.fault = request, fault


Watch = Callable[[Request, Answer], None]


class Session:
    """Sends requests of one seed's making and raises `FaultFound`; tells `watch` of each that was answered."""

    def __init__(self, application: Application, chance: random.Random, watch: Watch = lambda *_: None) -> None:
        self._application, self._chance, self._watch = application, chance, watch
        self._mutator = Mutator(chance)

    def send(self, request: Request, *expected: int) -> Answer:
        answer = self._application.send(request)
        self._watch(request, answer)
        fault = fault_of(request, answer)
        if fault is None and expected and answer.status not in expected:
            fault = f"status {answer.status} instead of {' or '.join(map(str, expected))}"
        if fault is not None:
            raise FaultFound(request, answer, fault)
        return answer

    def mutated(self) -> None:
        """A sound request, spoilt."""
        self.send(self._mutator.request())

    def query(self) -> None:
        """A search."""
        self.send(QueryGrower(self._chance).request())

    def bundle(self) -> None:
        """A Bundle of grown resources."""
        self.send(BundleGrower(self._chance).request())

    def spoilt_resource(self) -> None:
        """A grown resource, broken in a few places."""
        grown = self._sound()
        if grown is None:
            return
        tree = json.loads(written(grown))
        for _ in range(self._chance.randint(1, 3)):
            self._mutator.spoil_tree(tree)
        body = json.dumps(tree).encode()
        action = self._chance.choice(("", "", "/$validate"))
        self.send(Request("POST", f"/fhir/{grown['resourceType']}{action}", "", JSON, body))

    def sound_resource(self, type_name: str | None = None) -> None:
        """A grown resource that breaks no rule: it is found valid, kept, given back as it came, found, and read as XML."""
        grown = self._sound(type_name)
        if grown is None:
            return
        name = grown["resourceType"]
        body = written(grown).encode()
        if name != "Parameters":  # which would be taken for the operation's own
            self.send(Request("POST", f"/fhir/{name}/$validate", "", JSON, body), 200)
        created = self.send(
            Request("POST", f"/fhir/{name}", "", JSON, body), 201, *((422,) * (name in REFUSED_AT_WILL))
        )
        if created.status == 422:
            return
        logical_id = json.loads(created.content)["id"]
        read = Request("GET", f"/fhir/{name}/{logical_id}")
        self._expect_same(read, self.send(read, 200), grown)
        search = Request("GET", f"/fhir/{name}", f"_id={logical_id}")
        found = self.send(search, 200)
        bundle = json.loads(found.text(), parse_float=Decimal)
        if [entry["resource"]["id"] for entry in bundle.get("entry", ())] != [logical_id]:
            raise FaultFound(search, found, "is not found by _id")
        in_xml = Request("GET", f"/fhir/{name}/{logical_id}", "", {"Accept": "application/fhir+xml"})
        self._expect_same(in_xml, self.send(in_xml, 200), grown)
        again = Request("POST", f"/fhir/{name}", "", XML, xml_from_json(body.decode()).encode())
        self._expect_same(again, self.send(again, 201), grown)

    def _sound(self, type_name: str | None = None) -> dict[str, Any] | None:
        try:
            return Grower(self._chance).sound(type_name)
        except Barren:
            return None

    def _expect_same(self, request: Request, answer: Answer, grown: dict[str, Any]) -> None:
        """Raise unless an answer holds the resource as it was sent, to the byte, but for what the server adds."""
        is_xml = "xml" in request.headers.get("Accept", "") or request.headers == XML
        before, after = _content(written(grown), is_xml), _content(answer.text(), is_xml)
        if before != after:
            raise FaultFound(request, answer, f"is not given back as it came: {before[:1500]} became {after[:1500]}")


def _content(text: str, any_order: bool) -> str:
    """The content of a resource without what the server sets itself, numbers to the digit. any_order: of its members."""
    tree = json.loads(text, parse_float=lambda digits: f"number {digits}", parse_int=lambda digits: f"number {digits}")
    tree.pop("id", None)
    meta = {
        name: value
        for name, value in tree.pop("meta", {}).items()
        if name.lstrip("_") not in ("versionId", "lastUpdated")
    }
    return json.dumps([tree, meta], sort_keys=any_order, ensure_ascii=False)


KINDS: dict[str, tuple[int, Callable[[Session], None]]] = {
    "mutated": (10, Session.mutated),
    "query": (10, Session.query),
    "bundle": (4, Session.bundle),
    "spoilt resource": (5, Session.spoilt_resource),
    "sound resource": (1, Session.sound_resource),
}
"""Name → (how often beside the others, what it does)."""


def pick(chance: random.Random) -> str:
    """The name of the kind to go on with."""
    names = list(KINDS)
    return chance.choices(names, [KINDS[name][0] for name in names])[0]
