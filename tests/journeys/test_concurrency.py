"""Fifty clients at once, on two worker processes: whoever wins, what is stored is what the answers say."""

from __future__ import annotations

import uuid
from collections import Counter
from itertools import pairwise
from typing import Any

import httpx

CLIENTS = 50


def patient(text: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "name": [{"text": text}], **more}


def identified(identifier: str, text: str) -> dict[str, Any]:
    return patient(text, identifier=[{"system": "urn:test", "value": identifier}])


def statuses(answers: list[httpx.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def history(client: httpx.Client, url: str) -> list[dict[str, Any]]:
    """All entries of the history of a resource, newest first."""
    bundle = client.get(f"{url}/_history", params={"_count": 200}).json()
    assert not any(link["relation"] == "next" for link in bundle["link"])
    return bundle["entry"]


def versions(client: httpx.Client, url: str) -> list[int]:
    return [int(entry["response"]["etag"][3:-1]) for entry in history(client, url)]


def transaction(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}


def count(client: httpx.Client, query: str) -> int:
    return client.get(f"/Patient?{query}&_summary=count").json()["total"]


def test_conditional_creates_of_one_identifier_leave_one_resource(client, together):
    key = str(uuid.uuid4())

    def create(number: int) -> httpx.Response:
        return client.post(
            "/Patient",
            json=identified(key, f"client {number}"),
            headers={"If-None-Exist": f"identifier=urn:test|{key}"},
        )

    answers = together(create, CLIENTS)
    assert statuses(answers) == {201: 1, 200: CLIENTS - 1}
    assert count(client, f"identifier=urn:test|{key}") == 1
    assert len({answer.json()["id"] for answer in answers}) == 1


def test_bundles_with_if_none_exist_leave_one_resource_that_all_their_links_point_to(client, together):
    key = str(uuid.uuid4())

    def send(number: int) -> httpx.Response:
        full_url = f"urn:uuid:{uuid.uuid4()}"
        create_patient = {"method": "POST", "url": "Patient", "ifNoneExist": f"identifier=urn:test|{key}"}
        encounter = {
            "resourceType": "Encounter",
            "identifier": [{"system": "urn:test:of", "value": key}],
            "status": "planned",
            "class": {"code": "AMB"},
            "subject": {"reference": full_url},
        }
        return client.post(
            "/",
            json=transaction(
                {"fullUrl": full_url, "resource": identified(key, f"client {number}"), "request": create_patient},
                {"resource": encounter, "request": {"method": "POST", "url": "Encounter"}},
            ),
        )

    answers = together(send, 20)
    assert set(statuses(answers)) <= {200, 503}
    stored = [answer for answer in answers if answer.status_code == 200]
    created = [answer for answer in stored if answer.json()["entry"][0]["response"]["status"].startswith("201")]
    assert len(created) == 1
    assert count(client, f"identifier=urn:test|{key}") == 1
    (found,) = client.get(f"/Patient?identifier=urn:test|{key}").json()["entry"]
    encounters = client.get(f"/Encounter?identifier=urn:test:of|{key}").json()["entry"]
    assert len(encounters) == len(stored)
    assert {entry["resource"]["subject"]["reference"] for entry in encounters} == {f"Patient/{found['resource']['id']}"}


def test_conditional_updates_of_one_identifier_leave_one_resource_with_every_version(client, together):
    key = str(uuid.uuid4())
    answers = together(
        lambda number: client.put(f"/Patient?identifier=urn:test|{key}", json=identified(key, f"client {number}")),
        CLIENTS,
    )
    assert statuses(answers) == {201: 1, 200: CLIENTS - 1}
    (only,) = {answer.json()["id"] for answer in answers}
    assert versions(client, f"/Patient/{only}") == list(range(CLIENTS, 0, -1))


def test_of_many_updates_with_the_same_if_match_one_succeeds(client, together):
    created = client.post("/Patient", json=patient("first")).json()

    def update(number: int) -> httpx.Response:
        body = patient(f"client {number}", id=created["id"])
        return client.put(f"/Patient/{created['id']}", json=body, headers={"If-Match": 'W/"1"'})

    answers = together(update, CLIENTS)
    assert statuses(answers) == {200: 1, 412: CLIENTS - 1}
    (winner,) = [answer for answer in answers if answer.status_code == 200]
    assert client.get(f"/Patient/{created['id']}").content == winner.content
    assert versions(client, f"/Patient/{created['id']}") == [2, 1]


def test_unconditional_updates_all_succeed_and_number_their_versions_without_gap_or_repeat(client, together):
    created = client.post("/Patient", json=patient("first")).json()
    url = f"/Patient/{created['id']}"
    answers = together(lambda number: client.put(url, json=patient(f"client {number}", id=created["id"])), CLIENTS)
    assert statuses(answers) == {200: CLIENTS}
    assert sorted(int(answer.json()["meta"]["versionId"]) for answer in answers) == list(range(2, CLIENTS + 2))
    entries = history(client, url)
    assert [int(entry["response"]["etag"][3:-1]) for entry in entries] == list(range(CLIENTS + 1, 0, -1))
    moments = [entry["resource"]["meta"]["lastUpdated"] for entry in entries]
    assert moments == sorted(set(moments), reverse=True)
    for answer in answers:  # every version is still exactly what its client was told
        assert client.get(f"{url}/_history/{answer.json()['meta']['versionId']}").content == answer.content


def test_updates_that_create_one_resource_create_it_once(client, together):
    new = str(uuid.uuid4())
    answers = together(lambda number: client.put(f"/Patient/{new}", json=patient(f"client {number}", id=new)), CLIENTS)
    assert statuses(answers) == {201: 1, 200: CLIENTS - 1}
    (first,) = [answer for answer in answers if answer.status_code == 201]
    assert first.json()["meta"]["versionId"] == "1"
    assert versions(client, f"/Patient/{new}") == list(range(CLIENTS, 0, -1))


def test_updates_that_demand_that_there_be_no_such_resource_succeed_once(client, together):
    new = str(uuid.uuid4())

    def update(number: int) -> httpx.Response:
        return client.put(f"/Patient/{new}", json=patient(f"client {number}", id=new), headers={"If-None-Match": "*"})

    assert statuses(together(update, CLIENTS)) == {201: 1, 412: CLIENTS - 1}


def test_deletes_and_updates_that_race_leave_a_history_that_tells_what_happened(client, together):
    created = client.post("/Patient", json=patient("first")).json()
    url = f"/Patient/{created['id']}"

    def act(number: int) -> httpx.Response:
        if number % 2:
            return client.delete(url)
        return client.put(url, json=patient(f"client {number}", id=created["id"]))

    answers = together(act, CLIENTS)
    assert set(statuses(answers)) <= {200, 201, 204}
    entries = history(client, url)
    assert [int(e["response"]["etag"][3:-1]) for e in entries] == list(range(len(entries), 0, -1))
    oldest_first = entries[::-1]
    for before, after in pairwise(oldest_first):
        if "resource" not in before:  # a deletion is followed by nothing but a new beginning
            assert after["response"]["status"].startswith("201")
        elif "resource" in after:
            assert after["response"]["status"].startswith("200")
    puts = [entry for entry in entries if entry["request"]["method"] == "PUT"]
    assert len(puts) == statuses(answers)[200] + statuses(answers)[201]
    assert sum(entry["response"]["status"].startswith("201") for entry in puts) == statuses(answers)[201]


def test_conditional_deletes_that_race_delete_once(client, together):
    key = str(uuid.uuid4())
    created = client.post("/Patient", json=identified(key, "first")).json()
    answers = together(lambda _: client.delete(f"/Patient?identifier=urn:test|{key}"), CLIENTS)
    assert statuses(answers) == {204: CLIENTS}
    assert versions(client, f"/Patient/{created['id']}") == [2, 1]


def test_transactions_over_the_same_resources_in_opposite_order_succeed_whole_or_not_at_all(client, together):
    ids = [str(uuid.uuid4()) for _ in range(10)]
    for new in ids:
        client.put(f"/Patient/{new}", json=patient("first", id=new))

    def send(number: int) -> httpx.Response:
        ordered = ids if number % 2 else ids[::-1]
        return client.post(
            "/",
            json=transaction(
                *(
                    {
                        "resource": patient(f"client {number}", id=each),
                        "request": {"method": "PUT", "url": f"Patient/{each}"},
                    }
                    for each in ordered
                )
            ),
        )

    answers = together(send, CLIENTS)
    assert set(statuses(answers)) <= {200, 503}
    assert all(answer.headers["Retry-After"] for answer in answers if answer.status_code == 503)
    done = statuses(answers)[200]
    assert done > 0
    tales = [[entry["resource"]["name"][0]["text"] for entry in history(client, f"/Patient/{each}")] for each in ids]
    assert tales == [tales[0]] * len(ids)  # the same transactions, in the same order, for every resource
    assert len(tales[0]) == done + 1


def test_the_same_transaction_with_fixed_ids_from_many_clients_creates_each_resource_once(client, together):
    ids = [str(uuid.uuid4()) for _ in range(5)]
    bundle = transaction(
        *({"resource": patient("same", id=e), "request": {"method": "PUT", "url": f"Patient/{e}"}} for e in ids)
    )
    answers = together(lambda _: client.post("/", json=bundle), 20)
    assert set(statuses(answers)) <= {200, 503}
    assert [versions(client, f"/Patient/{each}") for each in ids] == [[1]] * 5


def test_the_first_writes_of_a_type_may_come_from_everyone_at_once(client, together):
    """The collections of a type are made at its first write, which nobody must notice."""
    body = {"resourceType": "SubstancePolymer"}  # which no other test writes
    assert statuses(together(lambda _: client.post("/SubstancePolymer", json=body), CLIENTS)) == {201: CLIENTS}
    assert client.get("/SubstancePolymer?_summary=count").json()["total"] == CLIENTS
