"""PATCH of a resource, alone and in Bundles. https://hl7.org/fhir/R4/http.html#patch"""

from __future__ import annotations

import base64
import json
from uuid import uuid4

import pytest

JSON_PATCH = {"Content-Type": "application/json-patch+json"}
FHIR = {"Content-Type": "application/fhir+json"}
EXACT = '{"resourceType":"Observation","status":"final","code":{"text":"\\u00b5"},"valueQuantity":{"value":1.00}}'


@pytest.fixture
def observation(client):
    """The id of a new Observation with a decimal and an escape that must survive."""
    return client.post("/Observation", content=EXACT, headers=FHIR).json()["id"]


def replaced(path: str, value: object) -> str:
    return json.dumps([{"op": "replace", "path": path, "value": value}])


def parameters(kind: str, path: str, **value: object) -> dict:
    parts = [{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}]
    if value:
        parts.append({"name": "value", **value})
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}


def said(answer) -> str:
    return answer.json()["issue"][0]["diagnostics"]


def test_a_json_patch_leaves_a_new_version_in_which_the_rest_keeps_its_spelling(client, observation):
    answer = client.patch(f"/Observation/{observation}", content=replaced("/status", "amended"), headers=JSON_PATCH)
    assert answer.status_code == 200
    assert answer.headers["ETag"] == 'W/"2"'
    text = client.get(f"/Observation/{observation}").text
    assert '"code":{"text":"\\u00b5"},"valueQuantity":{"value":1.00}' in text
    assert '"status":"amended"' in text
    assert client.get(f"/Observation/{observation}/_history/1").json()["status"] == "final"


def test_a_fhirpath_patch_does_the_same_in_json_and_in_xml(client, observation):
    body = parameters("replace", "Observation.status", valueCode="amended")
    assert client.patch(f"/Observation/{observation}", json=body, headers=FHIR).json()["status"] == "amended"
    xml = (
        '<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="operation"/>'
        '<part><name value="type"/><valueCode value="replace"/></part>'
        '<part><name value="path"/><valueString value="Observation.status"/></part>'
        '<part><name value="value"/><valueCode value="corrected"/></part></parameter></Parameters>'
    )
    answer = client.patch(f"/Observation/{observation}", content=xml, headers={"Content-Type": "application/fhir+xml"})
    assert answer.json()["status"] == "corrected"
    assert '"value":1.00' in answer.text


def test_only_the_version_that_the_client_means_is_changed(client, observation):
    stale = {**JSON_PATCH, "If-Match": 'W/"7"'}
    assert (
        client.patch(f"/Observation/{observation}", content=replaced("/status", "amended"), headers=stale).status_code
        == 412
    )
    current = {**JSON_PATCH, "If-Match": 'W/"1"'}
    assert (
        client.patch(f"/Observation/{observation}", content=replaced("/status", "amended"), headers=current).status_code
        == 200
    )


def test_a_patch_that_changes_nothing_leaves_no_version(client, observation):
    answer = client.patch(f"/Observation/{observation}", content=replaced("/status", "final"), headers=JSON_PATCH)
    assert answer.status_code == 200
    assert answer.headers["ETag"] == 'W/"1"'


def test_a_condition_names_the_resource(client):
    code = str(uuid4())
    body = {"resourceType": "Patient", "identifier": [{"system": "urn:p", "value": code}], "active": True}
    url = f"/Patient?identifier=urn:p|{code}"
    patch = {"content": replaced("/active", False), "headers": JSON_PATCH}
    assert client.patch(url, **patch).status_code == 404
    client.post("/Patient", json=body)
    assert client.patch(url, **patch).json()["active"] is False
    client.post("/Patient", json=body)
    assert client.patch(url, **patch).status_code == 412
    assert client.patch("/Patient", **patch).status_code == 400


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (replaced("/status", "nonsense"), 422, "nonsense"),
        (replaced("/id", "other"), 422, "must not change the id"),
        ('[{"op":"remove","path":"/id"}]', 422, "must not change the id"),
        (replaced("/resourceType", "Patient"), 422, "must not change the resourceType"),
        (replaced("/category/0", {}), 422, "nothing at '/category'"),
        ('[{"op":"replace","path":"","value":{"resourceType":"Patient"}}]', 422, "must not change"),
        ('[{"op":"replace","path":"","value":7}]', 400, "object"),
        ('[{"op":"test","path":"/status","value":"amended"}]', 422, "another one"),
        ("{}", 400, "array"),
        ("[" * 100_000, 400, "deep"),
        ("", 400, "body"),
    ],
)
def test_what_cannot_be_done_is_refused_and_stores_nothing(client, observation, body, status, reason):
    answer = client.patch(f"/Observation/{observation}", content=body, headers=JSON_PATCH)
    assert answer.status_code == status, answer.text
    assert reason in said(answer)
    assert client.get(f"/Observation/{observation}").headers["ETag"] == 'W/"1"'


def test_other_formats_are_refused_with_those_that_are_taken(client, observation):
    answer = client.patch(f"/Observation/{observation}", content="x", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415
    assert "application/json-patch+json" in answer.headers["Accept-Patch"]


def test_what_is_not_there_cannot_be_changed(client, observation):
    patch = {"content": replaced("/status", "final"), "headers": JSON_PATCH}
    assert client.patch("/Observation/none", **patch).status_code == 404
    client.delete(f"/Observation/{observation}")
    assert client.patch(f"/Observation/{observation}", **patch).status_code == 410


def entry(url: str, resource: dict) -> dict:
    return {"resource": resource, "request": {"method": "PATCH", "url": url}}


def binary(patch: str) -> dict:
    data = base64.b64encode(patch.encode()).decode()
    return {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": data}


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_a_bundle_may_hold_patches_of_both_kinds(client, kind):
    one, other = (client.post("/Observation", content=EXACT, headers=FHIR).json()["id"] for _ in range(2))
    entries = [
        entry(f"Observation/{one}", binary(replaced("/status", "amended"))),
        entry(f"Observation/{other}", parameters("replace", "Observation.status", valueCode="corrected")),
    ]
    answer = client.post("/", json={"resourceType": "Bundle", "type": kind, "entry": entries})
    assert [each["response"]["status"][:3] for each in answer.json()["entry"]] == ["200", "200"]
    assert client.get(f"/Observation/{one}").json()["status"] == "amended"
    assert '"value":1.00' in client.get(f"/Observation/{other}").text


def test_a_transaction_with_a_patch_that_fails_stores_nothing(client, observation):
    new = {"resource": {"resourceType": "Patient"}, "request": {"method": "POST", "url": "Patient"}}
    failing = entry(f"Observation/{observation}", binary(replaced("/nothing", 1)))
    before = client.get("/Patient?_summary=count").json()["total"]
    answer = client.post("/", json={"resourceType": "Bundle", "type": "transaction", "entry": [new, failing]})
    assert answer.status_code == 422
    assert "Bundle.entry[1]" in json.dumps(answer.json())
    assert client.get("/Patient?_summary=count").json()["total"] == before


def test_a_patch_may_link_to_what_the_same_transaction_creates(client, observation):
    patient = {
        "fullUrl": "urn:uuid:0c5ff3ee-1f3a-4a53-8b3b-5b7ad7a4a6a1",
        "resource": {"resourceType": "Patient"},
        "request": {"method": "POST", "url": "Patient"},
    }
    link = json.dumps([{"op": "add", "path": "/subject", "value": {"reference": patient["fullUrl"]}}])
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [patient, entry(f"Observation/{observation}", binary(link))],
    }
    assert client.post("/", json=bundle).status_code == 200
    assert client.get(f"/Observation/{observation}").json()["subject"]["reference"].startswith("Patient/")


@pytest.mark.parametrize(
    "resource", [{"resourceType": "Patient"}, {"resourceType": "Binary", "contentType": "text/plain", "data": "eA=="}]
)
def test_an_entry_with_another_resource_is_refused(client, observation, resource):
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry(f"Observation/{observation}", resource)]}
    answer = client.post("/", json=bundle)
    assert answer.status_code == 400
    assert "A PATCH needs Parameters" in said(answer)


def test_thirty_patches_at_once_lose_nothing(client, together):
    logical_id = client.post("/Patient", json={"resourceType": "Patient", "name": [{"given": ["0"]}]}).json()["id"]

    def add(number: int) -> int:
        body = json.dumps([{"op": "add", "path": "/name/0/given/-", "value": str(number + 1)}])
        return client.patch(f"/Patient/{logical_id}", content=body, headers=JSON_PATCH).status_code

    assert together(add, clients=30) == [200] * 30
    given = client.get(f"/Patient/{logical_id}").json()["name"][0]["given"]
    assert sorted(map(int, given)) == list(range(31))
