"""The value sets and code systems that a server stores, as each of its workers sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from flask.testing import FlaskClient
from pymongo.collection import Collection

from fhir_server.app import create_app
from fhir_server.services import services_for
from fhir_server.settings import Settings
from fhir_server.store import held_terminology
from fhir_server.store.bounded_cache import BoundedCache
from fhir_server.store.database import Database
from fhir_server.store.held_terminology import LOOK_AGAIN_SECONDS, HeldTerminology
from resources.terminology import CannotExpand, TerminologyFault

GENDER = "http://hl7.org/fhir/ValueSet/administrative-gender"


class Clock:
    """Seconds, as a test wants them to pass."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Watched(Database):
    """A database that notes down which collections of current versions are gone to."""

    reads: ClassVar[list[str]] = []

    def current(self, type_name: str) -> Collection[dict[str, Any]]:
        self.reads.append(type_name)
        return super().current(type_name)


@pytest.fixture
def client(database: Database) -> FlaskClient:
    return create_app(services_for(Settings.from_environ({"FHIR_LOG_LEVEL": "critical"}), database)).test_client()


@pytest.fixture
def put(client: FlaskClient) -> Callable[..., None]:
    """Stores a resource of a type under an id."""

    def store(type_name: str, logical_id: str, **members: Any) -> None:
        tree = {"resourceType": type_name, "id": logical_id, "status": "active", **members}
        answer = client.put(f"/fhir/{type_name}/{logical_id}", json=tree)
        assert answer.status_code in (200, 201), answer.text

    return store


def including(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"include": list(rules)}


def listed(*codes: str) -> dict[str, Any]:
    return including({"system": "urn:a", "concept": [{"code": code} for code in codes]})


def codes(terminology: HeldTerminology, name: str) -> list[str] | None:
    expansion = terminology.value_set(name)
    return None if expansion is None else [entry.code for entry in expansion.entries]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watched(database: Database) -> Watched:
    return Watched(database.client, database.mongo)


@pytest.fixture
def worker(watched: Watched, clock: Clock) -> HeldTerminology:
    return HeldTerminology(watched, clock)


def test_a_value_set_is_known_by_its_url_and_its_address_as_soon_as_it_is_stored(worker, put) -> None:
    assert codes(worker, "urn:set") is None
    assert codes(worker, "ValueSet/s") is None
    put("ValueSet", "s", url="urn:set", version="1", compose=listed("x"))
    assert codes(worker, "urn:set") == codes(worker, "urn:set|1") == codes(worker, "ValueSet/s") == ["x"]
    assert codes(worker, "urn:set|2") is None
    assert codes(worker, "Patient/s") is None
    assert codes(worker, "ValueSet/s/_history/1") is None


def test_what_another_worker_changes_is_noticed_within_the_stated_time(worker, put, clock) -> None:
    put("ValueSet", "s", url="urn:set", compose=listed("x"))
    assert codes(worker, "urn:set") == ["x"]
    put("ValueSet", "s", url="urn:set", compose=listed("y"))
    clock.now += LOOK_AGAIN_SECONDS
    assert codes(worker, "urn:set") == ["y"]


def test_a_change_of_what_a_set_is_made_from_is_noticed_too(worker, put, clock) -> None:
    system = {"url": "urn:a", "content": "complete", "concept": [{"code": "x"}]}
    put("CodeSystem", "c", **system)
    put("ValueSet", "inner", url="urn:inner", compose=including({"system": "urn:a"}))
    put("ValueSet", "outer", url="urn:outer", compose=including({"valueSet": ["urn:inner"]}))
    assert codes(worker, "urn:outer") == ["x"]
    put("CodeSystem", "c", **system | {"concept": [{"code": "x"}, {"code": "y"}]})
    clock.now += LOOK_AGAIN_SECONDS
    assert codes(worker, "urn:outer") == ["x", "y"]
    put("ValueSet", "inner", url="urn:inner", compose=listed("z"))
    clock.now += LOOK_AGAIN_SECONDS
    assert codes(worker, "urn:outer") == ["z"]


def test_what_is_deleted_is_no_longer_known(worker, put, client, clock) -> None:
    put("ValueSet", "s", url="urn:set", compose=listed("x"))
    assert codes(worker, "urn:set") == codes(worker, "ValueSet/s") == ["x"]
    client.delete("/fhir/ValueSet/s")
    clock.now += LOOK_AGAIN_SECONDS
    assert codes(worker, "urn:set") is None
    assert codes(worker, "ValueSet/s") is None


def test_a_held_set_goes_before_that_of_r4_and_when_it_is_gone_r4s_counts_again(worker, put, client, clock) -> None:
    assert len(codes(worker, GENDER) or ()) == 4
    put("ValueSet", "gender", url=GENDER, compose=listed("x"))
    clock.now += LOOK_AGAIN_SECONDS
    assert codes(worker, GENDER) == ["x"]
    client.delete("/fhir/ValueSet/gender")
    clock.now += LOOK_AGAIN_SECONDS
    assert len(codes(worker, GENDER) or ()) == 4


def test_a_refusal_is_repeated_until_what_was_missing_is_there(worker, put, clock) -> None:
    put("ValueSet", "s", url="urn:set", compose=including({"system": "urn:a"}))
    for _ in range(2):
        with pytest.raises(CannotExpand, match="'urn:a' is not held here"):
            worker.value_set("urn:set")
    put("CodeSystem", "c", url="urn:a", content="complete", concept=[{"code": "x"}])
    clock.now += LOOK_AGAIN_SECONDS
    assert codes(worker, "urn:set") == ["x"]


def test_nothing_is_read_before_it_is_asked_and_little_when_asked_again(worker, put, clock, watched) -> None:
    put("CodeSystem", "c", url="urn:a", content="complete", concept=[{"code": "x"}])
    put("ValueSet", "s", url="urn:set", compose=including({"system": "urn:a"}))
    watched.reads.clear()
    assert codes(worker, "urn:set") == ["x"]
    assert sorted(watched.reads) == ["CodeSystem", "CodeSystem", "ValueSet", "ValueSet"]  # a look and a read of each
    watched.reads.clear()
    assert codes(worker, "urn:set") == ["x"]
    assert watched.reads == []
    clock.now += LOOK_AGAIN_SECONDS
    assert codes(worker, "urn:set") == ["x"]
    assert sorted(watched.reads) == ["CodeSystem", "ValueSet"]  # a look at each


def test_the_context_of_a_request_reads_nothing_of_it(watched) -> None:
    services = services_for(Settings.from_environ({}), watched)
    watched.reads.clear()
    assert services.context().terminology is services.terminology
    assert watched.reads == []


def test_a_code_is_found_in_held_systems_and_in_those_of_r4_that_none_replaces(worker, put, clock) -> None:
    clinical = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    put("CodeSystem", "c", url="urn:a", content="complete", concept=[{"code": "a", "concept": [{"code": "relapse"}]}])
    assert {"urn:a", clinical} <= {system.url for system in worker.systems_with("relapse")}
    assert worker.ancestors("urn:a", "relapse") == {"relapse", "a"}
    put("CodeSystem", "r", url=clinical, content="complete", concept=[{"code": "other"}])
    clock.now += LOOK_AGAIN_SECONDS
    assert clinical not in {system.url for system in worker.systems_with("relapse")}


def test_with_very_many_systems_a_code_alone_is_refused(worker, put, monkeypatch) -> None:
    monkeypatch.setattr(held_terminology, "MAX_SEARCHED_SYSTEMS", 1)
    for name in ("c", "d"):
        put("CodeSystem", name, url=f"urn:{name}", content="complete", concept=[{"code": "x"}])
    with pytest.raises(TerminologyFault, match="say which one"):
        worker.systems_with("x")


def test_a_cache_holds_what_was_used_last_up_to_its_weight() -> None:
    cache: BoundedCache[str, int] = BoundedCache(3)
    cache.put("a", 1)
    cache.put("b", 2)
    cache.put("c", 3)
    assert cache.get("a") == 1
    cache.put("d", 4)
    assert [cache.get(key) for key in "abcd"] == [1, None, 3, 4]
    cache.put("heavy", 5, weight=4)
    assert cache.get("heavy") is None
    cache.put("a", 6, weight=3)
    assert [cache.get(key) for key in "acd"] == [6, None, None]
    cache.drop("a")
    cache.drop("a")
    assert cache.get("a") is None
