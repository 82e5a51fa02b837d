"""Profiles, tags and security labels, over HTTP. https://hl7.org/fhir/R4/resource-operation-meta.html"""

from __future__ import annotations

from uuid import uuid4

import pytest

TAG = {"system": "urn:tag", "code": "Follow-Up"}


@pytest.fixture
def key(client):
    """A patient of the test's own, in a spelling of its own."""
    key = f"Patient/{uuid4()}"
    body = (
        f'{{"resourceType":"Patient","id":"{key[8:]}","multipleBirthInteger":2,"name":[{{"family":"M\\u00fcller"}}]}}'
    )
    answer = client.put(f"/{key}", content=body, headers={"Content-Type": "application/fhir+json"})
    assert answer.status_code == 201
    return key


def asked(meta):
    return {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": meta}]}


def told(answer):
    assert answer.status_code == 200, answer.text
    [parameter] = answer.json()["parameter"]
    assert parameter["name"] == "return"
    return parameter["valueMeta"]


def test_the_meta_of_a_resource_is_told(client, key):
    assert told(client.get(f"/{key}/$meta")) == client.get(f"/{key}").json()["meta"]
    assert told(client.post(f"/{key}/$meta"))["versionId"] == "1"


def test_labels_are_added_and_taken_away_and_the_rest_keeps_its_spelling(client, key):
    before = client.get(f"/{key}").text
    answer = client.post(f"/{key}/$meta-add", json=asked({"tag": [TAG], "profile": ["http://x.example/p"]}))
    assert answer.headers["ETag"] == 'W/"2"'
    assert told(answer)["tag"] == [TAG]
    assert [
        entry["resource"]["id"]
        for entry in client.get(f"/Patient?_tag=urn:tag|follow-up&_id={key[8:]}").json()["entry"]
    ]
    assert told(client.post(f"/{key}/$meta-add", json=asked({"tag": [TAG]})))["versionId"] == "2"  # nothing is new
    gone = told(client.post(f"/{key}/$meta-delete", json=asked({"tag": [TAG], "profile": ["http://x.example/p"]})))
    assert set(gone) == {"versionId", "lastUpdated"}
    after = client.get(f"/{key}").text
    assert "M\\u00fcller" in after
    assert after.partition('"multipleBirthInteger"')[2] == before.partition('"multipleBirthInteger"')[2]
    assert len(client.get(f"/{key}/_history").json()["entry"]) == 3


def test_if_match_is_kept_to(client, key):
    answer = client.post(f"/{key}/$meta-add", json=asked({"tag": [TAG]}), headers={"If-Match": 'W/"7"'})
    assert answer.status_code == 412


def test_what_a_type_and_the_server_use_is_told_once(client, key):
    mark = uuid4().hex
    labels = {"tag": [{"system": mark, "code": "b"}, {"system": mark, "code": "A"}], "profile": [f"http://{mark}"]}
    client.post(f"/{key}/$meta-add", json=asked(labels))
    other = client.post("/Patient", json={"resourceType": "Patient", "meta": {"profile": [f"http://{mark}"]}})
    assert other.status_code == 201
    for place in ("/Patient", ""):
        found = told(client.get(f"{place}/$meta"))
        assert found["profile"].count(f"http://{mark}") == 1
        assert [tag["code"] for tag in found["tag"] if tag["system"] == mark] == ["A", "b"]
    assert mark not in client.get("/Observation/$meta").text


def test_types_without_labels_have_nothing_to_tell(client):
    assert client.get("/VisionPrescription/$meta").json() == {"resourceType": "Parameters"}


def test_what_is_not_there_has_no_meta_and_gets_none(client):
    for method, name in (("GET", "meta"), ("POST", "meta-add"), ("POST", "meta-delete")):
        answer = client.request(method, f"/Patient/{uuid4()}/${name}", json=None if method == "GET" else asked({}))
        assert answer.status_code in (400, 404)
    assert client.post(f"/Patient/{uuid4()}/$meta-add", json=asked({"tag": [TAG]})).status_code == 404


def test_a_change_needs_a_meta_and_a_post(client, key):
    assert client.post(f"/{key}/$meta-add").status_code == 400
    assert client.post(f"/{key}/$meta-add", json={"resourceType": "Patient"}).status_code == 400
    assert client.get(f"/{key}/$meta-add").status_code == 405
    assert client.get(f"/{key}/$meta?nonsense=1").status_code == 400


def test_it_can_be_asked_in_a_batch(client, key):
    requests = [{"request": {"method": "GET", "url": url}} for url in (f"{key}/$meta", "$meta", "Patient/$meta")]
    requests.append({"request": {"method": "POST", "url": f"{key}/$meta-add"}, "resource": asked({"tag": [TAG]})})
    requests.append({"request": {"method": "GET", "url": f"{key}/$meta-add"}})
    answer = client.post("/", json={"resourceType": "Bundle", "type": "batch", "entry": requests})
    statuses = [entry["response"]["status"][:3] for entry in answer.json()["entry"]]
    assert statuses == ["200", "200", "200", "200", "405"]
    assert told(client.get(f"/{key}/$meta"))["tag"] == [TAG]


def test_of_a_transaction_only_what_reads_one_snapshot_can_be_part(client, key):
    adding = {"request": {"method": "POST", "url": f"{key}/$meta-add"}, "resource": asked({"tag": [TAG]})}
    # MongoDB does not list its collections in a transaction.
    for entry in ({"request": {"method": "GET", "url": "$meta"}}, adding):
        answer = client.post("/", json={"resourceType": "Bundle", "type": "transaction", "entry": [entry]})
        assert answer.status_code == 400
        assert answer.json()["issue"][0]["code"] == "not-supported"
    assert "tag" not in told(client.get(f"/{key}/$meta"))


def test_labels_that_differ_in_anything_are_all_found_however_many_carry_them(client):
    mark = uuid4().hex
    labels = [{"system": f"{mark}|x", "code": f"c{number}"} for number in range(5)]
    for number in range(12):
        tags = [labels[number % 5], labels[(number + 1) % 5]]
        body = {"resourceType": "Basic", "code": {"text": "x"}, "meta": {"tag": tags, "security": [{"code": mark}]}}
        assert client.post("/Basic", json=body).status_code == 201
    found = told(client.get("/Basic/$meta"))
    assert [tag for tag in found["tag"] if tag["system"].startswith(mark)] == labels
    assert found["security"].count({"code": mark}) == 1
