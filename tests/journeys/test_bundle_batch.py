"""Batch Bundles: every entry for itself. https://hl7.org/fhir/R4/http.html#brules"""

from __future__ import annotations

import json
from dataclasses import replace
from uuid import uuid4

import pytest
from flask import Flask
from pymongo.errors import AutoReconnect

from fhir_server.call import Answer, Call
from fhir_server.interactions import batch
from fhir_server.services import services_for
from fhir_server.settings import Settings
from resources.bundle import parse_bundle
from search.catalogue import STANDARD

SYSTEM = "urn:test:batch"


def entry(method, url, resource=None, **members):
    made = {"request": {"method": method, "url": url}, **members}
    return {**made, "resource": resource} if resource else made


@pytest.fixture
def post(client):
    """Posts a batch of the given entries; the entries of its answer."""

    def post(*entries, prefer="return=minimal"):
        body = {"resourceType": "Bundle", "type": "batch", "entry": list(entries)}
        answer = client.post("/", json=body, headers={"Prefer": prefer})
        assert answer.status_code == 200, answer.text
        assert answer.json()["type"] == "batch-response"
        assert len(answer.json()["entry"]) == len(entries)
        return answer.json()["entry"]

    return post


def status(made):
    return int(made["response"]["status"][:3])


def test_each_entry_fails_or_succeeds_for_itself(post, client):
    new = str(uuid4())
    patient = {"resourceType": "Patient", "id": new}
    deleted = client.post("/Patient", json={"resourceType": "Patient"}).json()["id"]
    client.delete(f"/Patient/{deleted}")
    entries = {
        "created": (entry("PUT", f"Patient/{new}", patient), 201),
        "invalid": (entry("POST", "Patient", {"resourceType": "Patient", "gender": "x"}), 422),
        "found": (entry("GET", f"Patient/{new}"), 200),
        "seen": (entry("HEAD", f"Patient/{new}"), 200),
        "searched": (entry("GET", f"Patient?_id={new}"), 200),
        "missing": (entry("GET", "Patient/none-there"), 404),
        "deleted": (entry("GET", f"Patient/{deleted}"), 410),
        "unknown_type": (entry("GET", "Nothing/1"), 404),
        "unknown_resource": (entry("POST", "Nothing", {"resourceType": "Nothing"}), 400),
        "unknown_parameter": (entry("GET", "Patient?nonsense=1"), 400),
        "wrong_method": (entry("DELETE", "metadata"), 404),
        "no_such_method": (entry("PUT", "_history", patient), 405),
        "method": (entry("PUT", "_history", {"resourceType": "Parameters"}), 405),
        "another_id": (entry("PUT", "Patient/another", patient), 400),
        "history": (entry("GET", "Patient/_history?_count=1"), 200),
        "all_history": (entry("GET", "_history?_count=1"), 200),
        "gone": (entry("DELETE", f"Patient/{uuid4()}"), 204),
    }
    answers = dict(zip(entries, post(*(made for made, _ in entries.values())), strict=True))
    assert {name: status(made) for name, made in answers.items()} == {name: code for name, (_, code) in entries.items()}
    for name, made in answers.items():
        assert ("outcome" in made["response"]) == (status(made) >= 400), name
    assert answers["found"]["resource"]["id"] == new
    assert answers["history"]["resource"]["type"] == "history"
    assert "resource" not in answers["seen"]
    assert "resource" not in answers["created"]
    assert answers["created"]["response"]["etag"] == 'W/"1"'
    invalid = answers["invalid"]["response"]["outcome"]["issue"][0]
    assert invalid["expression"] == ["Bundle.entry[1].resource.gender"]
    assert invalid["diagnostics"].startswith("Bundle.entry[1] (POST Patient): ")


def test_deletes_come_before_creates_and_updates_before_reads(post, client):
    logical_id = client.post("/Patient", json={"resourceType": "Patient"}).json()["id"]
    read, put, delete = post(
        entry("GET", f"Patient/{logical_id}"),
        entry("PUT", f"Patient/{logical_id}", {"resourceType": "Patient", "id": logical_id}),
        entry("DELETE", f"Patient/{logical_id}"),
    )
    assert (status(delete), status(put), status(read)) == (204, 201, 200)
    assert read["resource"]["meta"]["versionId"] == "3"


def test_the_preferred_content_comes_with_each_entry(post):
    made = post(entry("POST", "Patient", {"resourceType": "Patient"}), prefer="return=representation")[0]
    assert made["resource"]["resourceType"] == "Patient"
    made = post(entry("POST", "Patient", {"resourceType": "Patient"}), prefer="return=OperationOutcome")[0]
    assert made["response"]["outcome"]["issue"][0]["severity"] == "information"


def test_a_reference_to_another_entry_is_the_fault_of_its_entry(post):
    full_url = f"urn:uuid:{uuid4()}"
    basic = {"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": full_url}}
    first, second = post(
        entry("POST", "Patient", {"resourceType": "Patient"}, fullUrl=full_url), entry("POST", "Basic", basic)
    )
    assert (status(first), status(second)) == (201, 400)


def test_a_conditional_reference_is_resolved_against_the_store(post, client):
    value = str(uuid4())
    patient = {"resourceType": "Patient", "identifier": [{"system": SYSTEM, "value": value}]}
    basic = {
        "resourceType": "Basic",
        "code": {"text": "x"},
        "subject": {"reference": f"Patient?identifier={SYSTEM}|{value}"},
    }
    assert status(post(entry("POST", "Basic", basic))[0]) == 412
    logical_id = client.post("/Patient", json=patient).json()["id"]
    made = post(entry("POST", "Basic", basic), prefer="return=representation")[0]
    assert made["resource"]["subject"] == {"reference": f"Patient/{logical_id}"}


def test_conditional_entries_work_as_alone(post):
    value = str(uuid4())
    patient = {"resourceType": "Patient", "identifier": [{"system": SYSTEM, "value": value}]}
    query = f"identifier={SYSTEM}|{value}"
    create = {"request": {"method": "POST", "url": "Patient", "ifNoneExist": query}, "resource": patient}
    assert [status(made) for made in post(create, create)] == [201, 200]
    assert [status(made) for made in post(entry("PUT", f"Patient?{query}", {**patient, "active": True}))] == [200]
    match = {"request": {"method": "GET", "url": f"Patient?{query}"}}
    logical_id = post(match)[0]["resource"]["entry"][0]["resource"]["id"]
    stale = {"request": {"method": "DELETE", "url": f"Patient/{logical_id}", "ifMatch": 'W/"1"'}}
    known = {"request": {"method": "GET", "url": f"Patient/{logical_id}", "ifNoneMatch": 'W/"2"'}}
    assert [status(made) for made in post(stale, known)] == [412, 304]
    assert [status(made) for made in post(entry("DELETE", f"Patient?{query}"))] == [204]


def test_an_address_may_be_absolute_or_begin_with_a_slash(post, client, server):
    logical_id = client.post("/Patient", json={"resourceType": "Patient"}).json()["id"]
    places = [f"{server.base_url}/Patient/{logical_id}", f"/Patient/{logical_id}", f"Patient/{logical_id}"]
    assert [status(made) for made in post(*(entry("GET", place) for place in places))] == [200, 200, 200]


def test_an_unforeseen_fault_is_that_of_its_entry_alone(monkeypatch):
    """What the entries before it stored stays stored, so the client must get their answers."""
    faults = {"1": RuntimeError("a defect"), "2": AutoReconnect("no database")}

    def perform(call, _services):
        if call.id in faults:
            raise faults[call.id]
        return Answer(204)

    monkeypatch.setattr(batch, "perform", perform)
    bundle = parse_bundle(
        json.dumps(
            {"resourceType": "Bundle", "type": "batch", "entry": [entry("DELETE", f"Patient/{n}") for n in range(4)]}
        )
    )
    with Flask("batch").test_request_context():
        services = replace(services_for(Settings.from_environ({}), None), catalogue=lambda: STANDARD)
        answer = batch.batch_response(bundle, Call("bundle", "POST"), services)
    made = json.loads(answer.content)["entry"]
    assert [status(each) for each in made] == [204, 500, 503, 204]
    assert "a defect" not in answer.content.decode()
