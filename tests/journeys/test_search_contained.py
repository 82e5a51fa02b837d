"""Contained resources: looked for by `_contained`, and reached by chains through the reference to them."""

from __future__ import annotations

import pytest

from tests.journeys.conftest import RunningServer

ASPIRIN, ACETAMINOPHEN = "http://rx|1191", "http://rx|161"


def medication(local_id: str, code: str) -> dict:
    system, _, plain = code.partition("|")
    return {"resourceType": "Medication", "id": local_id, "code": {"coding": [{"system": system, "code": plain}]}}


def request(reference: str, *contained: dict) -> dict:
    return {
        "resourceType": "MedicationRequest",
        "contained": list(contained),
        "status": "active",
        "intent": "order",
        "medicationReference": {"reference": reference},
        "subject": {"reference": "Patient/1"},
    }


STORED = {
    "Medication/apart": medication("apart", ASPIRIN),
    "MedicationRequest/inside": request("#m", medication("m", ASPIRIN)),
    "MedicationRequest/other": request("#m", medication("m", ACETAMINOPHEN)),
    "MedicationRequest/outside": {k: v for k, v in request("Medication/apart").items() if k != "contained"},
    "MedicationStatement/taken": {
        "resourceType": "MedicationStatement",
        "contained": [medication("m", ASPIRIN)],
        "status": "active",
        "medicationReference": {"reference": "#m"},
        "subject": {"reference": "Patient/1"},
    },
}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    server = RunningServer(tmp_path_factory.mktemp("contained"), workers=1)
    with server.client() as client:
        for key, resource in STORED.items():
            client.put(f"/{key}", json={**resource, "id": key.partition("/")[2]}).raise_for_status()
        yield client
    server.stop()


def urls(client, query: str) -> list[str]:
    answer = client.get(query)
    assert answer.status_code == 200, answer.text
    base = f"{client.base_url}".rstrip("/")
    return [entry["fullUrl"].removeprefix(f"{base}/") for entry in answer.json().get("entry", [])]


def test_contained_resources_are_no_matches_unless_asked_for(client):
    assert urls(client, f"/Medication?code={ASPIRIN}") == ["Medication/apart"]
    assert urls(client, f"/Medication?code={ASPIRIN}&_contained=false") == ["Medication/apart"]


def test_contained_true_answers_the_containers_of_matches(client):
    found = urls(client, f"/Medication?code={ASPIRIN}&_contained=true")
    assert found == ["MedicationRequest/inside", "MedicationStatement/taken"]


def test_contained_both_answers_matches_and_containers(client):
    found = urls(client, f"/Medication?code={ASPIRIN}&_contained=both")
    assert found == ["Medication/apart", "MedicationRequest/inside", "MedicationStatement/taken"]


def test_contained_type_contained_answers_the_contained_resources_themselves(client):
    found = urls(client, f"/Medication?code={ASPIRIN}&_contained=both&_containedType=contained")
    assert found == ["Medication/apart", "MedicationRequest/inside#m", "MedicationStatement/taken#m"]
    bundle = client.get(f"/Medication?code={ASPIRIN}&_contained=true&_containedType=contained").json()
    assert {entry["resource"]["resourceType"] for entry in bundle["entry"]} == {"Medication"}


def test_pages_of_containers_go_across_types(client):
    first = client.get(f"/Medication?code={ASPIRIN}&_contained=true&_count=1").json()
    [link] = [link["url"] for link in first["link"] if link["relation"] == "next"]
    second = client.get(link).json()
    assert [entry["resource"]["id"] for page in (first, second) for entry in page["entry"]] == ["inside", "taken"]


def test_containers_are_counted(client):
    assert client.get(f"/Medication?code={ASPIRIN}&_contained=true&_summary=count").json()["total"] == 2


def test_a_chain_reaches_what_the_resource_contains(client):
    assert urls(client, f"/MedicationRequest?medication.code={ASPIRIN}") == [
        "MedicationRequest/inside",
        "MedicationRequest/outside",
    ]
    assert urls(client, f"/MedicationRequest?medication:Medication.code={ACETAMINOPHEN}") == ["MedicationRequest/other"]


def test_a_chain_does_not_reach_what_another_parameter_points_to(client):
    assert urls(client, f"/MedicationRequest?subject:Patient.identifier={ASPIRIN}") == []


@pytest.mark.parametrize(
    "more", ["_sort=code", "_include=Medication:manufacturer", "manufacturer.name=x", "_explain=true"]
)
def test_what_contained_searches_cannot_do_is_refused(client, more):
    answer = client.get(f"/Medication?code={ASPIRIN}&_contained=true&{more}")
    assert answer.status_code == 400
    assert "_contained" in answer.json()["issue"][0]["diagnostics"]
