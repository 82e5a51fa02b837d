"""Histories of an instance, a type and the system. https://hl7.org/fhir/R4/http.html#history"""

from __future__ import annotations

import time
from uuid import uuid4

import pytest

# Types that no other test writes, so that their histories hold only what is written here.
TYPE = "SubstanceProtein"
OTHER_TYPE = "SubstancePolymer"


@pytest.fixture
def patient(client):
    """A patient with four versions: created, updated, deleted, created again. Its id."""
    logical_id = str(uuid4())
    place = f"/Patient/{logical_id}"
    for members in ({}, {"gender": "male"}, None, {"gender": "female"}):
        if members is None:
            client.delete(place)
        else:
            client.put(place, json={"resourceType": "Patient", "id": logical_id, **members})
    return logical_id


def put(client, type_name=TYPE, logical_id=None):
    logical_id = logical_id or str(uuid4())
    body = {"resourceType": type_name, "id": logical_id, "language": "en", "implicitRules": f"urn:uuid:{uuid4()}"}
    return client.put(f"/{type_name}/{logical_id}", json=body)


def next_link(bundle):
    return next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)


def versions(bundle):
    return [entry["response"]["etag"] for entry in bundle.get("entry", ())]


def pages(client, url):
    while url:
        bundle = client.get(url).json()
        yield bundle
        url = next_link(bundle)


def key(entry):
    return entry["fullUrl"], entry["response"]["etag"]


def test_an_instance_history_tells_every_version_newest_first(client, server, patient):
    bundle = client.get(f"/Patient/{patient}/_history").json()
    assert (bundle["type"], bundle["total"]) == ("history", 4)
    assert versions(bundle) == ['W/"4"', 'W/"3"', 'W/"2"', 'W/"1"']
    assert [e["request"] for e in bundle["entry"]] == [
        {"method": method, "url": f"Patient/{patient}"} for method in ("PUT", "DELETE", "PUT", "PUT")
    ]
    assert [e["response"]["status"] for e in bundle["entry"]] == [
        "201 Created",
        "204 No Content",
        "200 OK",
        "201 Created",
    ]
    assert "resource" not in bundle["entry"][1]
    assert {e["fullUrl"] for e in bundle["entry"]} == {f"{server.base_url}/Patient/{patient}"}
    assert bundle["link"] == [{"relation": "self", "url": f"{server.base_url}/Patient/{patient}/_history"}]


def test_a_created_resource_is_told_as_a_post_to_its_type(client):
    logical_id = client.post("/Patient", json={"resourceType": "Patient"}).json()["id"]
    entry = client.get(f"/Patient/{logical_id}/_history").json()["entry"][0]
    assert entry["request"] == {"method": "POST", "url": "Patient"}


def test_each_version_in_a_history_is_what_a_vread_gives(client, patient):
    for entry in client.get(f"/Patient/{patient}/_history").json()["entry"]:
        version = entry["response"]["etag"].strip('W/"')
        answer = client.get(f"/Patient/{patient}/_history/{version}")
        assert (answer.json() if answer.status_code == 200 else None) == entry.get("resource")


def test_a_history_outlives_the_deletion(client, patient):
    client.delete(f"/Patient/{patient}")
    answer = client.get(f"/Patient/{patient}/_history")
    assert answer.status_code == 200
    assert versions(answer.json())[0] == 'W/"5"'


def test_pages_are_as_long_as_asked_and_end(client, patient):
    found = list(pages(client, f"/Patient/{patient}/_history?_count=3"))
    assert [versions(page) for page in found] == [['W/"4"', 'W/"3"', 'W/"2"'], ['W/"1"']]
    assert {page["total"] for page in found} == {4}


def test_a_count_of_nothing_gives_the_number_alone(client, patient):
    bundle = client.get(f"/Patient/{patient}/_history?_count=0").json()
    assert bundle["total"] == 4
    assert "entry" not in bundle
    assert next_link(bundle) is None
    assert client.get(f"/{TYPE}/_history?_count=0").status_code == 200


def test_since_leaves_out_what_is_older(client, patient):
    moments = [e["response"]["lastModified"] for e in client.get(f"/Patient/{patient}/_history").json()["entry"]]
    for newer, moment in enumerate(moments, 1):
        bundle = client.get(f"/Patient/{patient}/_history", params={"_since": moment}).json()
        assert len(bundle["entry"]) == newer
    assert "entry" not in client.get(f"/Patient/{patient}/_history?_since=2100").json()


def test_at_gives_what_was_current_then(client, patient):
    moments = [e["response"]["lastModified"] for e in client.get(f"/Patient/{patient}/_history").json()["entry"]]
    for version, moment in zip((4, 3, 2, 1), moments, strict=True):
        bundle = client.get(f"/Patient/{patient}/_history", params={"_at": moment}).json()
        assert versions(bundle) == [f'W/"{version}"']
    whole_day = client.get(f"/Patient/{patient}/_history", params={"_at": moments[0][:10]}).json()
    assert len(whole_day["entry"]) == 4
    assert "entry" not in client.get(f"/Patient/{patient}/_history?_at=1999").json()


def test_an_unescaped_plus_in_a_time_zone_is_understood(client, patient):
    assert len(client.get(f"/Patient/{patient}/_history?_since=2020-01-01T00:00:00+01:00").json()["entry"]) == 4


@pytest.mark.parametrize(
    "query",
    ["_count=x", "_count=-1", "_since=yesterday", "_at=2020-13", "nonsense=1", "_cursor=x", "_cursor=W10", "_count="],
)
def test_a_parameter_that_is_not_understood_is_refused_by_name(client, patient, query):
    answer = client.get(f"/Patient/{patient}/_history?{query}")
    assert answer.status_code == 400
    assert query.partition("=")[0].lstrip("_") in answer.json()["issue"][0]["diagnostics"]


def test_a_history_of_what_never_was_is_not_found(client):
    assert client.get(f"/Patient/{uuid4()}/_history").status_code == 404


@pytest.mark.parametrize(("scope", "types"), [(f"/{TYPE}", {TYPE}), ("", {TYPE, OTHER_TYPE})])
def test_paging_neither_repeats_nor_skips_while_others_write(client, scope, types):
    """Versions of before the walk appear once each, whatever is written, updated or deleted meanwhile."""
    began = put(client).json()["meta"]["lastUpdated"]
    ids = [logical_id for logical_id in (str(uuid4()) for _ in range(6)) for _ in range(2)]
    expected = set()
    for number, logical_id in enumerate(ids):
        for type_name in types:
            answer = put(client, type_name, logical_id)
            expected.add((str(answer.url), answer.headers["ETag"]))
            if number % 5 == 4:
                deleted = client.delete(f"/{type_name}/{logical_id}")
                expected.add((str(deleted.url), deleted.headers["ETag"]))
    seen = []
    for page in pages(client, f"{scope}/_history?_count=3&_since={began}"):
        seen += [key(entry) for entry in page.get("entry", ()) if entry["fullUrl"].split("/")[-2] in types]
        for type_name in types:
            put(client, type_name, ids[0])
            put(client, type_name)
            client.delete(f"/{type_name}/{ids[-1]}")
    assert len(seen) == len(set(seen))
    assert expected <= set(seen)


def test_a_type_history_is_in_the_order_of_time(client):
    for _ in range(3):
        put(client)
        time.sleep(0.002)
    moments = [e["response"]["lastModified"] for e in client.get(f"/{TYPE}/_history?_count=1000").json()["entry"]]
    assert moments == sorted(moments, reverse=True)


def test_a_system_history_tells_of_all_types(client):
    began = put(client).json()["meta"]["lastUpdated"]
    put(client, OTHER_TYPE)
    found = {
        entry["fullUrl"].split("/")[-2]
        for page in pages(client, f"/_history?_since={began}")
        for entry in page["entry"]
    }
    assert {TYPE, OTHER_TYPE} <= found


def test_the_history_of_a_type_that_was_never_written_is_empty(client):
    bundle = client.get("/SubstanceReferenceInformation/_history").json()
    assert bundle["type"] == "history"
    assert "entry" not in bundle
