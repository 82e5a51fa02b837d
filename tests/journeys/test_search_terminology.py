"""Searches by what codes mean, over HTTP. https://hl7.org/fhir/R4/search.html#modifiers"""

from __future__ import annotations

import time
from uuid import uuid4

import pytest

from fhir_server.store.held_terminology import LOOK_AGAIN_SECONDS

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"


@pytest.fixture
def stored(client):
    """A patient's conditions by code; a code system, a value set of what lies below one of its codes, and their URLs."""
    mark = uuid4().hex
    system, url = f"http://x.example/CodeSystem/{mark}", f"http://x.example/ValueSet/{mark}"
    patient = client.post("/Patient", json={"resourceType": "Patient"}).json()["id"]
    concepts = [{"code": "diabetes", "concept": [{"code": "type-1"}, {"code": "type-2"}]}, {"code": "asthma"}]
    created = client.post(
        "/CodeSystem",
        json={
            "resourceType": "CodeSystem", "url": system, "status": "active", "content": "complete", "concept": concepts,
        },
    )  # fmt: skip
    assert created.status_code == 201, created.text
    filter_ = {"property": "concept", "op": "is-a", "value": "diabetes"}
    value_set = {
        "resourceType": "ValueSet",
        "url": url,
        "status": "active",
        "compose": {"include": [{"system": system, "filter": [filter_]}]},
    }
    value_set["id"] = client.post("/ValueSet", json=value_set).json()["id"]
    for code, status in (("diabetes", "active"), ("type-1", "relapse"), ("type-2", "resolved"), ("asthma", "active")):
        condition = {
            "resourceType": "Condition",
            "subject": {"reference": f"Patient/{patient}"},
            "code": {"coding": [{"system": system, "code": code}]},
            "clinicalStatus": {"coding": [{"system": CLINICAL, "code": status}]},
        }
        assert client.post("/Condition", json=condition).status_code == 201
    return patient, system, value_set


def codes(client, stored, query):
    answer = client.get(f"/Condition?patient={stored[0]}&{query}")
    assert answer.status_code == 200, answer.text
    return sorted(e["resource"]["code"]["coding"][0]["code"] for e in answer.json().get("entry", []))


def test_conditions_are_found_by_a_stored_value_set_and_by_the_hierarchy_of_their_codes(client, stored):
    _, system, value_set = stored
    below = ["diabetes", "type-1", "type-2"]
    assert codes(client, stored, f"code:in={value_set['url']}") == below
    assert codes(client, stored, f"code:in=ValueSet/{value_set['id']}") == below
    assert codes(client, stored, f"code:in={client.base_url}ValueSet/{value_set['id']}") == below
    assert codes(client, stored, f"code:not-in={value_set['url']}") == ["asthma"]
    assert codes(client, stored, f"code:below={system}|diabetes") == below
    assert codes(client, stored, "code:below=diabetes") == below
    assert codes(client, stored, f"code:above={system}|type-1") == ["diabetes", "type-1"]
    assert codes(client, stored, f"clinical-status:below={CLINICAL}|active") == ["asthma", "diabetes", "type-1"]
    assert codes(client, stored, "clinical-status:in=http://hl7.org/fhir/ValueSet/condition-clinical") == [
        *("asthma", "diabetes", "type-1", "type-2")
    ]


def test_patients_are_found_by_the_meaning_of_what_they_have(client, stored):
    patient, _, value_set = stored
    answer = client.get(f"/Patient?_id={patient}&_has:Condition:patient:code:in={value_set['url']}")
    assert [entry["resource"]["id"] for entry in answer.json()["entry"]] == [patient]


def test_every_worker_knows_a_changed_value_set_within_the_stated_time(client, stored):
    value_set = stored[2]
    path = f"/ValueSet/{value_set['id']}"
    for _ in range(8):  # so that each worker has been asked
        codes(client, stored, f"code:in={value_set['url']}")
    value_set["compose"]["include"][0]["filter"][0]["value"] = "asthma"
    assert client.put(path, json=value_set).status_code == 200
    time.sleep(LOOK_AGAIN_SECONDS)
    for _ in range(8):
        assert codes(client, stored, f"code:in={value_set['url']}") == ["asthma"]
    assert client.delete(path).status_code in (200, 204)
    time.sleep(LOOK_AGAIN_SECONDS)
    for _ in range(8):
        assert client.get(f"/Condition?code:in={value_set['url']}").status_code == 400


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("code:in=http://x.example/ValueSet/none", "http://x.example/ValueSet/none"),
        ("code:below=http://x.example/none|1", "http://x.example/none"),
        (f"clinical-status:above={CLINICAL}|gone", "gone"),
        ("code:in=http://hl7.org/fhir/ValueSet/condition-code", "http://snomed.info/sct"),
    ],
)
def test_what_is_not_known_is_refused_by_name(client, query, named):
    answer = client.get(f"/Condition?{query}")
    assert answer.status_code == 400
    assert named in answer.json()["issue"][0]["diagnostics"]
