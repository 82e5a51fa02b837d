"""create, read, vread, update, delete. https://hl7.org/fhir/R4/http.html"""

from __future__ import annotations

import time
from email.utils import formatdate, parsedate_to_datetime
from uuid import uuid4

import pytest

FHIR = {"Content-Type": "application/fhir+json"}


def patient(**members):
    return {"resourceType": "Patient", "active": True, **members}


@pytest.fixture
def created(client):
    """A patient that was just created: the answer to its POST."""
    answer = client.post("/Patient", json=patient())
    assert answer.status_code == 201
    return answer


def diagnostics(answer):
    assert answer.json()["resourceType"] == "OperationOutcome"
    return " ".join(issue["diagnostics"] for issue in answer.json()["issue"])


def test_a_create_answers_with_the_place_version_and_content_of_the_new_resource(created, server):
    body = created.json()
    assert created.headers["Location"] == f"{server.base_url}/Patient/{body['id']}/_history/1"
    assert created.headers["ETag"] == 'W/"1"'
    assert body["meta"]["versionId"] == "1"
    modified = parsedate_to_datetime(created.headers["Last-Modified"])
    assert body["meta"]["lastUpdated"].startswith(modified.strftime("%Y-%m-%dT%H:%M:%S"))
    assert created.headers["Content-Type"] == "application/fhir+json; charset=utf-8"


def test_a_create_ignores_the_id_that_the_body_brings(client):
    wanted = str(uuid4())
    assert client.post("/Patient", json=patient(id=wanted)).json()["id"] != wanted
    assert client.get(f"/Patient/{wanted}").status_code == 404


def test_a_read_and_a_vread_give_the_same_bytes_and_headers(client, created):
    read = client.get(f"/Patient/{created.json()['id']}")
    vread = client.get(created.headers["Location"])
    assert read.content == vread.content == created.content
    for name in ("ETag", "Last-Modified"):
        assert read.headers[name] == vread.headers[name] == created.headers[name]


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("_elements=birthDate", {"active", "birthDate"}),
        ("_summary=true", {"active", "birthDate"}),
        ("_summary=text", {"active", "text"}),
        ("_summary=data", {"active", "birthDate", "maritalStatus"}),
    ],
)
def test_a_read_and_a_vread_can_ask_for_a_part_which_says_that_it_is_one(client, query, kept):
    text = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">X</div>'}
    sent = patient(birthDate="1970-01-01", maritalStatus={"text": "single"}, text=text)
    whole = client.post("/Patient", json=sent)
    for path in (f"/Patient/{whole.json()['id']}", f"/Patient/{whole.json()['id']}/_history/1"):
        answer = client.get(f"{path}?{query}&_pretty=true")
        assert answer.headers["ETag"] == whole.headers["ETag"]
        part = answer.json()
        assert set(part) - {"resourceType", "id", "meta"} == kept
        assert [tag["code"] for tag in part["meta"]["tag"]] == ["SUBSETTED"]
        assert client.get(f"{path}?_summary=false").json() == whole.json()
    assert client.get(f"/Patient/{whole.json()['id']}?_elements=shoeSize").status_code == 400


def test_every_old_version_stays_readable(client, created):
    place = f"/Patient/{created.json()['id']}"
    for gender in ("male", "female"):
        client.put(place, json=patient(id=created.json()["id"], gender=gender))
    versions = [client.get(f"{place}/_history/{version}").json() for version in (1, 2, 3)]
    assert [v.get("gender") for v in versions] == [None, "male", "female"]
    assert [v["meta"]["versionId"] for v in versions] == ["1", "2", "3"]


@pytest.mark.parametrize("version", ["2", "0", "-1", "x", "1.0", "01", "99999999999999999999", "٣"])
def test_a_version_that_never_was_is_not_found(client, created, version):
    answer = client.get(f"/Patient/{created.json()['id']}/_history/{version}")
    assert answer.status_code == 404
    assert answer.json()["issue"][0]["code"] == "not-found"


@pytest.mark.parametrize("path", ["/Patient/{}", "/Patient/a_b", "/Patient/" + "x" * 65, "/Patient/{}/_history"])
def test_what_never_was_is_not_found(client, path):
    answer = client.get(path.format(uuid4()))
    assert answer.status_code == 404
    assert answer.json()["issue"][0]["code"] == "not-found"


@pytest.mark.parametrize(
    "path", ["/Patients/1", "/patient/1", "/Nothing", "/Patient/1/2/3", "/Patient/$nothing", "/$x"]
)
def test_an_unknown_address_is_told_as_an_outcome(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert "There is nothing at this address" in diagnostics(answer)


def test_an_update_makes_the_next_version(client, created):
    body = patient(id=created.json()["id"], gender="other")
    answer = client.put(f"/Patient/{body['id']}", json=body)
    assert answer.status_code == 200
    assert answer.headers["ETag"] == 'W/"2"'
    assert "Location" not in answer.headers
    assert client.get(f"/Patient/{body['id']}").content == answer.content


def test_an_update_of_what_is_not_there_creates_it_under_the_id_of_the_client(client, server):
    body = patient(id=str(uuid4()))
    answer = client.put(f"/Patient/{body['id']}", json=body)
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{server.base_url}/Patient/{body['id']}/_history/1"


@pytest.mark.parametrize("body_id", [None, "another", 7])
def test_an_update_whose_body_has_not_the_id_of_the_address_is_refused(client, body_id):
    body = patient() if body_id is None else patient(id=body_id)
    answer = client.put(f"/Patient/{uuid4()}", json=body)
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"] == ["Patient.id"]


def test_a_body_of_another_type_is_refused(client):
    answer = client.post("/Observation", json=patient())
    assert answer.status_code == 400
    assert "'Patient'" in diagnostics(answer)


def test_an_invalid_resource_is_refused_with_every_fault_and_its_place(client):
    answer = client.post("/Patient", json=patient(gender="x", birthDate="yesterday", unknown=1))
    assert answer.status_code == 422
    places = {issue["expression"][0] for issue in answer.json()["issue"]}
    assert {"Patient.gender", "Patient.birthDate"} <= places
    assert "'unknown'" in diagnostics(answer)


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_write_without_a_body_is_refused(client, method):
    answer = client.request(method, "/Patient" if method == "POST" else f"/Patient/{uuid4()}")
    assert answer.status_code == 400
    assert "no body" in diagnostics(answer)


def test_a_put_that_changes_nothing_but_white_space_makes_no_new_version(client, created):
    body = patient(id=created.json()["id"])
    text = b'{ "resourceType":\n"Patient",\t"active" : true, "id":"%s" }' % body["id"].encode()
    answer = client.put(f"/Patient/{body['id']}", content=text, headers=FHIR)
    assert answer.status_code == 200
    assert answer.headers["ETag"] == 'W/"1"'
    assert answer.content == created.content
    assert client.get(f"/Patient/{body['id']}/_history").json()["total"] == 1


def test_a_put_of_what_was_read_makes_no_new_version(client, created):
    answer = client.put(f"/Patient/{created.json()['id']}", content=created.content, headers=FHIR)
    assert answer.headers["ETag"] == 'W/"1"'


def test_a_number_with_another_precision_is_a_change(client):
    body = '{"resourceType":"Observation","id":"%s","status":"final","code":{"text":"x"},"valueQuantity":{"value":%s}}'
    logical_id = str(uuid4())
    tags = [
        client.put(f"/Observation/{logical_id}", content=body % (logical_id, value), headers=FHIR).headers["ETag"]
        for value in ("1.0", "1.00", "1.00")
    ]
    assert tags == ['W/"1"', 'W/"2"', 'W/"2"']


def test_a_deleted_resource_is_gone_but_its_versions_stay(client, created):
    place = f"/Patient/{created.json()['id']}"
    answer = client.delete(place)
    assert answer.status_code == 204
    assert answer.headers["ETag"] == 'W/"2"'
    assert answer.content == b""
    for gone in (place, f"{place}/_history/2"):
        answer = client.get(gone)
        assert answer.status_code == 410
        assert answer.headers["ETag"] == 'W/"2"'
        assert answer.json()["issue"][0]["code"] == "deleted"
    assert client.get(f"{place}/_history/1").content == created.content


def test_a_second_delete_changes_nothing(client, created):
    place = f"/Patient/{created.json()['id']}"
    assert [client.delete(place).headers["ETag"] for _ in range(2)] == ['W/"2"', 'W/"2"']
    assert client.get(f"{place}/_history").json()["total"] == 2


def test_deleting_what_never_was_is_no_error(client):
    answer = client.delete(f"/Patient/{uuid4()}")
    assert answer.status_code == 204
    assert "ETag" not in answer.headers


def test_a_resource_that_comes_back_after_its_deletion_continues_its_versions(client, created):
    place = f"/Patient/{created.json()['id']}"
    client.delete(place)
    answer = client.put(place, json=patient(id=created.json()["id"]))
    assert answer.status_code == 201
    assert answer.headers["ETag"] == 'W/"3"'
    assert answer.headers["Location"].endswith("/_history/3")
    assert client.get(place).status_code == 200


def test_the_preferred_content_of_the_answer_is_returned(client):
    answers = {
        wanted: client.post("/Patient", json=patient(), headers={"Prefer": f"return={wanted}"})
        for wanted in ("minimal", "representation", "OperationOutcome", "nonsense")
    }
    assert {answer.status_code for answer in answers.values()} == {201}
    assert answers["minimal"].content == b""
    assert answers["representation"].json()["resourceType"] == "Patient"
    assert answers["OperationOutcome"].json()["resourceType"] == "OperationOutcome"
    assert answers["nonsense"].json()["resourceType"] == "Patient"
    assert all("Location" in answer.headers and "ETag" in answer.headers for answer in answers.values())


def test_a_delete_can_be_answered_with_an_outcome(client, created):
    answer = client.delete(f"/Patient/{created.json()['id']}", headers={"Prefer": "return=OperationOutcome"})
    assert answer.status_code == 200
    assert answer.headers["ETag"] == 'W/"2"'
    assert "is deleted" in diagnostics(answer)


def test_head_is_get_without_the_body_wherever_get_is(client, created):
    place = f"/Patient/{created.json()['id']}"
    search = f"/Patient?_id={created.json()['id']}"
    for path in (place, f"{place}/_history/1", f"{place}/_history", search, "/Patient/_history?_at=1970", "/metadata"):
        get = client.get(path)
        head = client.head(path)
        assert (head.status_code, head.content) == (200, b"")
        for name in ("ETag", "Last-Modified", "Content-Type", "Content-Length"):
            assert head.headers.get(name) == get.headers.get(name), (path, name)
    assert client.head(f"/Patient/{uuid4()}").status_code == 404


@pytest.mark.parametrize("tag", ['W/"1"', '"1"', "1", 'W/"7", W/"1"', "*", "W/1"])
def test_a_read_of_the_version_that_the_client_has_is_not_modified(client, created, tag):
    answer = client.get(f"/Patient/{created.json()['id']}", headers={"If-None-Match": tag})
    assert answer.status_code == 304
    assert answer.content == b""
    assert answer.headers["ETag"] == 'W/"1"'


@pytest.mark.parametrize("tag", ['W/"2"', '"11"', "nonsense"])
def test_a_read_of_another_version_than_the_client_has_gives_it(client, created, tag):
    assert client.get(f"/Patient/{created.json()['id']}", headers={"If-None-Match": tag}).status_code == 200


def test_a_read_is_not_modified_since_its_last_modification(client, created):
    place = f"/Patient/{created.json()['id']}"
    modified = created.headers["Last-Modified"]
    earlier = formatdate(parsedate_to_datetime(modified).timestamp() - 1, usegmt=True)
    status = [
        client.get(place, headers={"If-Modified-Since": since}).status_code
        for since in (modified, formatdate(time.time() + 60, usegmt=True), earlier, "no date")
    ]
    assert status == [304, 304, 200, 200]


def test_the_entity_tag_counts_more_than_the_date(client, created):
    headers = {"If-None-Match": 'W/"9"', "If-Modified-Since": created.headers["Last-Modified"]}
    assert client.get(f"/Patient/{created.json()['id']}", headers=headers).status_code == 200
