"""How operations are asked for, whichever they are. https://hl7.org/fhir/R4/operations.html#executing"""

from __future__ import annotations

from uuid import uuid4

import pytest

GENDERS = "http://hl7.org/fhir/ValueSet/administrative-gender"


def test_every_claimed_definition_can_be_read(client, server):
    [rest] = client.get("/metadata").json()["rest"]
    claimed = {each["definition"] for resource in rest["resource"] for each in resource["operation"]}
    claimed |= {each["definition"] for each in rest["operation"]}
    for url in claimed:
        definition = client.get(f"/OperationDefinition/{url.rpartition('/')[2]}").json()
        assert definition["url"] == url
        assert url.startswith((server.base_url, "http://hl7.org/fhir/OperationDefinition/"))
    assert client.get("/OperationDefinition/nonsense").status_code == 404


def test_a_definition_that_somebody_stores_goes_before_the_servers_own(client):
    own = client.get("/OperationDefinition/CodeSystem-lookup").json()
    assert client.put("/OperationDefinition/CodeSystem-lookup", json={**own, "title": "Ours"}).status_code == 201
    assert client.get("/OperationDefinition/CodeSystem-lookup").json()["title"] == "Ours"
    assert client.delete("/OperationDefinition/CodeSystem-lookup").status_code == 204
    assert client.get("/OperationDefinition/CodeSystem-lookup").json() == own


def test_xml_is_taken_and_given(client):
    body = (
        '<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="url"/>'
        f'<valueUri value="{GENDERS}"/></parameter><parameter><name value="code"/><valueCode value="male"/></parameter>'
        "</Parameters>"
    )
    xml = {"Content-Type": "application/fhir+xml", "Accept": "application/fhir+xml"}
    answer = client.post("/ValueSet/$validate-code", content=body, headers=xml)
    assert answer.status_code == 200
    assert '<name value="result"/><valueBoolean value="true"/>' in answer.text


def test_an_address_may_be_escaped_and_head_has_no_body(client):
    assert client.get(f"/ValueSet/%24expand?url={GENDERS}").status_code == 200
    answer = client.head(f"/ValueSet/$expand?url={GENDERS}")
    assert answer.status_code == 200
    assert answer.content == b""


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/Patient/$nonsense", 404),
        ("GET", "/Observation/$match", 404),
        ("GET", "/$expand", 404),
        ("PUT", "/$versions", 405),
        ("DELETE", "/Patient/$match", 405),
        ("GET", "/Patient/x/$expunge", 405),
        ("POST", "/Nonsense/$meta", 404),
    ],
)
def test_what_is_no_operation_of_the_place_is_not_answered(client, method, path, status):
    answer = client.request(method, path)
    assert answer.status_code == status
    assert ("Allow" in answer.headers) == (status == 405)


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("{", "application/fhir+json", 400),
        ("[]", "application/fhir+json", 400),
        ('{"resourceType":"Parameters","parameter":{}}', "application/fhir+json", 400),
        ('{"resourceType":"Parameters","parameter":[1]}', "application/fhir+json", 400),
        ('{"resourceType":"Parameters","parameter":[{}]}', "application/fhir+json", 400),
        ('{"resourceType":"Parameters","parameter":[{"name":1}]}', "application/fhir+json", 400),
        ('{"resourceType":"Parameters","parameter":[{"name":"resource"}]}', "application/fhir+json", 400),
        ('{"resourceType":"Parameters","parameter":[{"name":"resource","resource":1}]}', "application/fhir+json", 400),
        ('{"resourceType":"Parameters","parameter":[{"name":"resource","resource":{}}]}', "application/fhir+json", 400),
        ('{"resourceType":"Bundle","type":"batch"}', "application/fhir+json", 400),
        ("url=x", "application/x-www-form-urlencoded", 415),
    ],
)
@pytest.mark.parametrize(
    "path", ["/Patient/$match", "/ValueSet/$expand", "/ValueSet/$validate-code", "/Patient/$expunge"]
)
def test_a_body_that_makes_no_sense_is_refused(client, path, body, content_type, status):
    answer = client.post(path, content=body, headers={"Content-Type": content_type})
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_in_a_transaction_an_operation_answers_from_what_the_transaction_stores(client):
    system = f"urn:{uuid4()}"
    patient = {"resourceType": "Patient", "identifier": [{"system": system, "value": "1"}]}
    entries = [
        {"request": {"method": "POST", "url": "Patient/$match"}, "resource": patient},
        {"request": {"method": "POST", "url": "Patient"}, "resource": patient},
        {"request": {"method": "GET", "url": f"ValueSet/$expand?url={GENDERS}"}},
        {"request": {"method": "GET", "url": "$versions"}},
    ]
    answer = client.post("/", json={"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert answer.status_code == 200, answer.text
    found, stored, expanded, versions = answer.json()["entry"]
    assert found["resource"]["entry"][0]["resource"]["id"] == stored["response"]["location"].split("/")[-3]
    assert expanded["resource"]["expansion"]["total"] == 4
    assert versions["resource"]["resourceType"] == "Parameters"


def test_unknown_parameters_are_refused_unless_handling_is_lenient(client):
    assert client.get("/$versions?nonsense=1").status_code == 400
    assert client.get("/$versions?nonsense=1", headers={"Prefer": "handling=lenient"}).status_code == 200


def test_a_resource_that_is_not_there_has_no_operations(client):
    for path in ("Patient/{}/$everything", "Encounter/{}/$everything", "Patient/{}/$meta", "ValueSet/{}/$expand"):
        assert client.get("/" + path.format(uuid4())).status_code == 404
