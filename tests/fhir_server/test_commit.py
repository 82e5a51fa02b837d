"""Updates and those who read meanwhile: a replaced version that is seen twice, and others in the way."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from fhir_server.app import create_app
from fhir_server.services import Services, services_for
from fhir_server.settings import Settings
from fhir_server.store.commit import MOST_BYTES_IN_GROUP, ConflictError, commit_new, commit_together, insert
from fhir_server.store.database import Database
from fhir_server.store.histories import HistoryQuery, Position, find_history
from fhir_server.store.reads import read, read_version
from fhir_server.store.transaction import transact
from resources.change import Change, Stored
from resources.problem import Problem, problem

FIRST = {"resourceType": "Patient", "id": "a", "gender": "female"}
SECOND = {"resourceType": "Patient", "id": "a", "gender": "other"}
THIRD = {"resourceType": "Patient", "id": "a", "gender": "unknown"}


@pytest.fixture
def services(database: Database) -> Services:
    return services_for(Settings.from_environ({"FHIR_LOG_LEVEL": "critical"}), database)


@pytest.fixture
def client(services: Services) -> FlaskClient:
    return create_app(services).test_client()


def versions(client: FlaskClient, query: str = "") -> list[tuple[str, str]]:
    """(version, verb) of the history of Patient/a, newest first."""
    bundle = client.get(f"/fhir/Patient/a/_history{query}").get_json()
    return [(e["response"]["etag"][3:-1], e["request"]["method"]) for e in bundle.get("entry", [])]


def show_twice(database: Database) -> None:
    """What a reader sees of Patient/a that looks at its current version before an update and at its history after it."""
    current = database.current("Patient").find_one({"_id": "a"})
    assert current is not None
    left: dict[str, Any] = {"_id": {"i": "a", "v": current["v"]}, "u": current["t"] + 5}
    left |= {name: current[name] for name in ("t", "m", "e", "raw") if name in current}
    database.history("Patient").insert_one(left)


@pytest.fixture
def twice(client: FlaskClient, database: Database) -> FlaskClient:
    """A server whose Patient/a (version 2) is current and in the history as well."""
    assert client.put("/fhir/Patient/a", json=FIRST).status_code == 201
    assert client.put("/fhir/Patient/a", json=SECOND).status_code == 200
    show_twice(database)
    return client


def test_a_twice_update_did_not_happen(twice):
    answer = twice.get("/fhir/Patient/a")
    assert answer.headers["ETag"] == 'W/"2"'
    assert answer.get_json()["gender"] == "other"
    assert twice.get("/fhir/Patient/a/_history/2").get_data() == answer.get_data()
    assert twice.get("/fhir/Patient/a/_history/3").status_code == 404


@pytest.mark.parametrize("level", ["/fhir/Patient/a/_history", "/fhir/Patient/_history", "/fhir/_history"])
def test_histories_show_every_version_once_after_a_twice_update(twice, level):
    bundle = twice.get(level).get_json()
    assert [entry["response"]["etag"] for entry in bundle["entry"]] == ['W/"2"', 'W/"1"']
    pages = [twice.get(f"{level}?_count=1").get_json()]
    while link := next((x["url"] for x in pages[-1]["link"] if x["relation"] == "next"), None):
        pages.append(twice.get(link.removeprefix("http://localhost:8080")).get_json())
    assert [p["entry"][0]["response"]["etag"] for p in pages if p.get("entry")] == ['W/"2"', 'W/"1"']
    assert twice.get("/fhir/Patient/a/_history").get_json()["total"] == 2


def test_the_version_of_a_twice_update_is_still_current_at_any_later_moment(twice):
    assert versions(twice, "?_at=2999") == [("2", "PUT")]


def test_the_update_after_a_twice_one_goes_on_counting(twice, database):
    assert twice.put("/fhir/Patient/a", json=THIRD, headers={"If-Match": 'W/"2"'}).status_code == 200
    assert versions(twice) == [("3", "PUT"), ("2", "PUT"), ("1", "PUT")]
    left = database.history("Patient").find_one({"_id": {"i": "a", "v": 2}})
    now = database.current("Patient").find_one({"_id": "a"})
    assert left is not None
    assert now is not None
    assert left["u"] == now["t"]  # it was replaced when it really was, not when the twice update meant to
    assert versions(twice, "?_at=2999") == [("3", "PUT")]


def test_the_transaction_after_a_twice_update_goes_on_counting(twice):
    entry = {"resource": THIRD, "request": {"method": "PUT", "url": "Patient/a"}}
    answer = twice.post("/fhir", json={"resourceType": "Bundle", "type": "transaction", "entry": [entry]})
    assert answer.get_json()["entry"][0]["response"]["etag"] == 'W/"3"'
    assert versions(twice) == [("3", "PUT"), ("2", "PUT"), ("1", "PUT")]


def test_a_twice_delete_did_not_happen_and_may_be_repeated(twice):
    assert twice.get("/fhir/Patient/a").status_code == 200
    assert twice.delete("/fhir/Patient/a").status_code == 204
    assert twice.get("/fhir/Patient/a").status_code == 410
    assert versions(twice) == [("3", "DELETE"), ("2", "PUT"), ("1", "PUT")]


def test_an_update_that_died_over_a_deleted_resource_leaves_it_deleted(client, database):
    client.put("/fhir/Patient/a", json=FIRST)
    client.delete("/fhir/Patient/a")
    show_twice(database)
    assert client.get("/fhir/Patient/a").status_code == 410
    assert client.get("/fhir/Patient/a/_history/2").status_code == 410
    assert versions(client) == [("2", "DELETE"), ("1", "PUT")]
    assert client.put("/fhir/Patient/a", json=SECOND).status_code == 201
    assert versions(client) == [("3", "PUT"), ("2", "DELETE"), ("1", "PUT")]


def commit(database: Database, change: Change) -> None:
    """Commit one change, and try no second time."""
    database.prepare({"Patient"})
    with database.client.start_session() as session, session.start_transaction():
        commit_together(database.within(session), [change])


def stored(version: int, moment: int) -> Stored:
    return Stored("Patient", "a", version, moment, b'{"resourceType":"Patient","id":"a"}', "PUT", version > 1)


def test_the_slower_of_two_updates_conflicts_and_leaves_every_version_as_it_was(database):
    one, two, three = stored(1, 1000), stored(2, 2000), stored(3, 3000)
    commit(database, Change(one, None))
    commit(database, Change(two, one))
    commit(database, Change(three, two))
    with pytest.raises(ConflictError):
        commit(database, Change(stored(2, 2500), one))
    assert [read_version(database, "Patient", "a", number) for number in (1, 2, 3)] == [one, two, three]
    assert find_history(database, HistoryQuery("Patient", "a", 10)).versions == [three, two, one]


def test_a_second_creation_of_one_id_conflicts(database):
    commit(database, Change(stored(1, 1000), None))
    with pytest.raises(ConflictError):
        commit(database, Change(stored(1, 2000), None))
    assert read(database, "Patient", "a") == stored(1, 1000)


def test_a_transaction_whose_work_raises_leaves_nothing(database):
    database.prepare({"Patient"})

    def work(within: Database) -> None:
        commit_together(within, [Change(stored(1, 1000), None)])
        assert read(within, "Patient", "a") is not None
        raise problem(422, "invalid", "The second entry is wrong.")

    with pytest.raises(Problem):
        transact(database, work)
    assert read(database, "Patient", "a") is None


def test_a_transaction_that_conflicts_is_carried_out_again_on_what_is_stored_then(database):
    commit(database, Change(stored(1, 1000), None))
    seen: list[int] = []

    def work(within: Database) -> int:
        before = read(within, "Patient", "a")
        assert before is not None
        seen.append(before.version)
        if len(seen) == 1:  # somebody else is quicker
            commit(database, Change(stored(2, 2000), before))
        commit_together(within, [Change(stored(before.version + 1, 3000), before)])
        return before.version + 1

    assert transact(database, work) == 3
    assert seen == [1, 2]
    assert find_history(database, HistoryQuery("Patient", "a", 10)).versions == [
        stored(3, 3000),
        stored(2, 2000),
        stored(1, 1000),
    ]


def test_a_transaction_that_never_gets_through_ends_with_a_503_that_says_when_to_try_again(database, monkeypatch):
    monkeypatch.setattr("fhir_server.store.transaction.GIVE_UP_AFTER_SECONDS", 0.1)
    tries: list[int] = []

    def work(_: Database) -> None:
        tries.append(1)
        raise ConflictError

    with pytest.raises(Problem) as caught:
        transact(database, work)
    assert caught.value.status == 503
    assert caught.value.headers["Retry-After"]
    assert len(tries) > 1


@pytest.mark.parametrize("query", [HistoryQuery("Patient", None, 10), HistoryQuery(None, None, 10)])
def test_a_page_of_a_history_reads_no_more_than_the_page(database, query):
    for number in range(60):
        one = Stored("Patient", f"p{number}", 1, 1000 + number // 7, b"{}", "POST", False)
        commit(database, Change(one, None))
        commit(database, Change(Stored("Patient", one.id, 2, 2000 + number // 7, b"{}", "PUT"), one))
    database.mongo.command("profile", 2)
    found: list[Stored] = []
    page = find_history(database, query)
    found += page.versions
    while page.has_more:
        last = page.versions[-1]
        page = find_history(database, replace(query, after=Position(last.last_updated, last.type, last.id)))
        found += page.versions
    database.mongo.command("profile", 0)
    assert len({(version.id, version.version) for version in found}) == len(found) == 120
    assert [v.last_updated for v in found] == sorted((v.last_updated for v in found), reverse=True)
    finds = list(database.mongo["system.profile"].find({"op": "query", "ns": {"$regex": "Patient"}}))
    assert finds
    # One more than the page, and at most the others of its last moment.
    assert [f["docsExamined"] for f in finds if f.get("hasSortStage") or f["docsExamined"] > 10 + 1 + 7] == []


def test_of_new_resources_that_come_at_once_only_the_one_whose_id_is_taken_is_refused(database):
    stored = [Stored("Patient", f"n{number}", 1, 1, b'{"resourceType":"Patient"}', "POST") for number in range(40)]
    commit_new(database, Change(stored[7], None))

    def attempt(each: Stored) -> bool:
        try:
            commit_new(database, Change(each, None))
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        taken = [each.id for each, is_stored in zip(stored, pool.map(attempt, stored), strict=True) if not is_stored]
    assert taken == ["n7"]
    assert database.current("Patient").count_documents({}) == len(stored)


@pytest.mark.parametrize("odd", [{"t": 2**70}, {"m": object()}, {"\0": 1}])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_what_the_driver_refuses_to_send_is_nobody_elses_fault(database, odd, at):
    documents: list[dict[str, Any]] = [{"_id": f"n{number}", "raw": b"{}"} for number in range(3)]
    documents[at] |= odd
    database.prepare({"Patient"})
    faults = insert(database.current("Patient"), documents)
    assert list(faults) == [at]
    assert database.current("Patient").distinct("_id") == [f"n{number}" for number in range(3) if number != at]


def test_what_is_large_goes_alone_whoever_comes_with_it(database):
    large = [Stored("Patient", f"l{number}", 1, 1, b"x" * (MOST_BYTES_IN_GROUP + 1), "POST") for number in range(5)]
    small = [Stored("Patient", f"s{number}", 1, 1, b"{}", "POST") for number in range(5)]
    database.mongo.command("profile", 2)
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda each: commit_new(database, Change(each, None)), [*large, *small]))
    database.mongo.command("profile", 0)
    inserts = list(database.mongo["system.profile"].find({"op": "insert", "ns": {"$regex": "Patient"}}))
    assert sum(each["ninserted"] for each in inserts) == 10
    assert sum(each["ninserted"] == 1 for each in inserts) >= len(large)
