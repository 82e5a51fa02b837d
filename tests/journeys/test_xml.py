"""Resources in XML, in and out. https://hl7.org/fhir/R4/xml.html"""

from __future__ import annotations

import json

import pytest
from lxml import etree

from resources.xml import json_from_xml

XML = {"Content-Type": "application/fhir+xml", "Accept": "application/fhir+xml"}
PATIENT = (
    '<?xml version="1.0" encoding="UTF-8"?><Patient xmlns="http://hl7.org/fhir"><text><status value="generated"/>'
    '<div xmlns="http://www.w3.org/1999/xhtml"><p>  two  blanks </p></div></text>'
    '<name><family value="Ωmega &amp; &quot;co&quot;"/><given value="A"/></name><birthDate value="1970-01"/></Patient>'
)
NAMESPACE = {"f": "http://hl7.org/fhir", "h": "http://www.w3.org/1999/xhtml"}


def tree(answer) -> etree._Element:
    assert answer.headers["Content-Type"].startswith("application/fhir+xml"), answer.text
    return etree.fromstring(answer.content)


def test_a_resource_written_in_xml_is_read_in_both_forms(client):
    created = client.post("/Patient", content=PATIENT.encode(), headers=XML)
    assert created.status_code == 201
    logical_id = tree(created).find("f:id", NAMESPACE).get("value")
    stored = client.get(f"/Patient/{logical_id}").json()
    assert stored["name"] == [{"family": 'Ωmega & "co"', "given": ["A"]}]
    assert "<p>  two  blanks </p>" in stored["text"]["div"]
    again = tree(client.get(f"/Patient/{logical_id}", headers={"Accept": "application/fhir+xml"}))
    assert again.find(".//h:p", NAMESPACE).text == "  two  blanks "
    assert json.loads(json_from_xml(etree.tostring(again))) == stored


@pytest.mark.parametrize(
    ("url", "accept"),
    [
        ("/Patient?_count=1&_format=xml", "application/fhir+json"),
        ("/Patient?_count=1&_format=application/fhir%2Bxml", "*/*"),
        ("/Patient?_count=1", "application/fhir+xml;q=0.9, application/fhir+json;q=0.5"),
        ("/metadata", "application/fhir+xml"),
        ("/Patient/_history?_count=1", "application/fhir+xml"),
    ],
)
def test_whoever_asks_for_xml_gets_it(client, url, accept):
    client.post("/Patient", json={"resourceType": "Patient"})
    answer = client.get(url, headers={"Accept": accept})
    assert answer.status_code == 200
    assert tree(answer).tag.endswith(("Bundle", "CapabilityStatement"))


def test_plain_xml_types_are_understood_too(client):
    for media_type in ("application/xml", "text/xml"):
        answer = client.post("/Patient", content=PATIENT.encode(), headers={"Content-Type": media_type})
        assert answer.status_code == 201
    answer = client.get("/metadata", headers={"Accept": "application/xml"})
    assert answer.headers["Content-Type"] == "application/xml; charset=utf-8"


def test_errors_are_told_in_xml_to_whom_asks_for_xml(client):
    outcome = tree(client.get("/Patient/none", headers=XML))
    assert outcome.find("f:issue/f:code", NAMESPACE).get("value") == "not-found"
    wrong = tree(client.get("/Patient?colour=%01red", headers=XML))
    assert "colour" in wrong.find("f:issue/f:diagnostics", NAMESPACE).get("value")


def test_a_transaction_in_xml_is_answered_in_xml(client):
    body = (
        '<Bundle xmlns="http://hl7.org/fhir"><type value="transaction"/><entry><resource><Patient><active value="true"/>'
        '</Patient></resource><request><method value="POST"/><url value="Patient"/></request></entry></Bundle>'
    )
    answer = client.post("/", content=body, headers=XML)
    assert answer.status_code == 200, answer.text
    assert tree(answer).find("f:entry/f:response/f:status", NAMESPACE).get("value").startswith("201")


@pytest.mark.parametrize(
    "body",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><Patient xmlns="http://hl7.org/fhir">&b;</Patient>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><Patient xmlns="http://hl7.org/fhir">&a;</Patient>',
        '<Patient xmlns="http://hl7.org/fhir">' + "<extension>" * 100_000,
        '<Patient xmlns="http://hl7.org/fhir"><gender value="male"/>',
        "{}",
    ],
)
def test_hostile_and_broken_xml_is_refused_and_nothing_stored(client, body):
    before = client.get("/Patient?_summary=count").json()["total"]
    answer = client.post("/Patient", content=body, headers=XML)
    assert answer.status_code == 400
    assert tree(answer).find("f:issue/f:severity", NAMESPACE).get("value") == "error"
    assert "root:" not in answer.text
    assert client.get("/Patient?_summary=count").json()["total"] == before


def test_faults_of_content_are_those_of_validation(client):
    body = '<Patient xmlns="http://hl7.org/fhir"><gender value="unsure"/><multipleBirthInteger value="two"/></Patient>'
    answer = client.post("/Patient", content=body, headers={"Content-Type": "application/fhir+xml"})
    assert answer.status_code == 422
    assert {"Patient.gender", "Patient.multipleBirth"} <= {
        place for issue in answer.json()["issue"] for place in issue.get("expression", ())
    }
