"""What a search costs: asked by `_explain`, and refused where it is too much."""

from __future__ import annotations

import pytest

from tests.journeys.conftest import RunningServer

MOST = 100
PATIENTS = 300


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    server = RunningServer(tmp_path_factory.mktemp("costs"), workers=1, settings={"FHIR_MAX_EXAMINED": str(MOST)})
    with server.client() as client:
        entries = [
            {
                "request": {"method": "POST", "url": "Patient"},
                "resource": {
                    "resourceType": "Patient",
                    "gender": "female" if number % 2 else "male",
                    "active": number < PATIENTS // 2,
                    "birthDate": f"{1920 + number % 100}-01-01",
                    "identifier": [{"system": "urn:x", "value": str(number)}],
                },
            }
            for number in range(PATIENTS)
        ]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        assert client.post("", json=bundle).status_code == 200
        yield client
    server.stop()


CHEAP = [
    "identifier=urn:x|7",  # one condition selects few
    "gender=female",  # the first page is found at once
    "gender=female&active=true&identifier=urn:x|7",
    "birthdate=gt2018&gender=female",
    "_summary=count",
    "gender=female&_summary=count",
    "gender:not=male&_count=10",
    "_sort=birthdate&_count=10",
]
COSTLY = [
    "gender=female&gender=male",  # each selects many, and nothing is both
    "gender:not=male,female",
    "gender=female&active=true&_total=accurate",
    "gender=female&active=true&_summary=count",
    "_sort=gender,birthdate",
]


@pytest.mark.parametrize("query", CHEAP)
def test_a_search_that_reads_little_is_answered_whatever_the_size_of_its_type(client, query):
    answer = client.get(f"/Patient?{query}")
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("query", COSTLY)
def test_a_search_that_would_read_too_much_is_refused_with_a_hint(client, query):
    answer = client.get(f"/Patient?{query}")
    assert answer.status_code == 400
    [issue] = answer.json()["issue"]
    assert issue["code"] == "too-costly"
    assert f"more than {MOST}" in issue["diagnostics"]
    assert "add a parameter" in issue["diagnostics"]


def test_an_administrator_can_allow_any_cost(tmp_path):
    server = RunningServer(tmp_path / "allowed", workers=1, settings={"FHIR_MAX_EXAMINED": "0"})
    try:
        with server.client() as client:
            for _ in range(3):
                client.post("/Patient", json={"resourceType": "Patient", "gender": "male"})
            assert client.get("/Patient?gender:not=male").json()["total"] == 0
    finally:
        server.stop()


def explained(client, query: str) -> dict:
    answer = client.get(f"/Patient?{query}&_explain=true")
    assert answer.status_code == 200, answer.text
    assert answer.json()["resourceType"] == "Parameters"
    return answer.json()


def value(parameters: list[dict], name: str) -> object:
    return next(v for item in parameters if item["name"] == name for k, v in item.items() if k != "name")


def test_explain_shows_the_plan_the_index_and_what_was_examined(client):
    told = explained(client, "identifier=urn:x|7")["parameter"]
    assert value(told, "matches") == 1
    assert value(told, "documentsExamined") == 1
    [step] = [item["part"] for item in told if item["name"] == "step"]
    assert value(step, "type") == "Patient"
    assert value(step, "index") == "entries"
    assert "IXSCAN" in value(step, "plan")
    assert "identifier|urn:x|7" in value(step, "command")


def test_explain_shows_every_read_of_a_search_across_types(client):
    told = explained(client, "organization.name=x&_include=Patient:organization")["parameter"]
    types = [value(item["part"], "type") for item in told if item["name"] == "step"]
    assert "Organization" in types
    assert "Patient" in types


def test_explain_takes_true_or_false_and_a_search_within_one_type(client):
    assert client.get("/Patient?_explain=yes").status_code == 400
    assert client.get("/Patient?_explain=false").json()["resourceType"] == "Bundle"
    assert client.get("/?_type=Patient&_explain=true").status_code == 400
