"""The rules of Appointment, Encounter and MedicationRequest, on every way to change one."""

from __future__ import annotations

import json

import pytest

JSON_PATCH = {"Content-Type": "application/json-patch+json"}
PRESCRIPTION = {
    "resourceType": "MedicationRequest",
    "status": "active",
    "intent": "order",
    "doNotPerform": True,
    "medicationCodeableConcept": {"text": "aspirin"},
    "subject": {"display": "somebody"},
}


def stopped(logical_id: str, **more: object) -> dict:
    return {**PRESCRIPTION, "id": logical_id, "status": "stopped", **more}


@pytest.fixture
def prescription(client):
    return client.post("/MedicationRequest", json=PRESCRIPTION).json()["id"]


def test_however_it_is_asked_a_prescription_is_not_stopped_without_a_reason(client, prescription):
    url = f"/MedicationRequest/{prescription}"
    body = stopped(prescription)
    entry = {"resource": body, "request": {"method": "PUT", "url": url[1:]}}
    patch = json.dumps([{"op": "replace", "path": "/status", "value": "stopped"}])
    for answer in (
        client.put(url, json=body),
        client.put(f"/MedicationRequest?_id={prescription}", json=body),
        client.patch(url, content=patch, headers=JSON_PATCH),
        client.post("/", json={"resourceType": "Bundle", "type": "transaction", "entry": [entry]}),
    ):
        assert answer.status_code == 422, answer.text
        assert "statusReason" in json.dumps(answer.json())
        assert answer.json()["issue"][0]["code"] == "business-rule"
    assert client.get(url).json()["status"] == "active"
    assert client.put(url, json=stopped(prescription, statusReason={"text": "rash"})).status_code == 200


def test_what_is_created_may_be_in_any_state(client):
    assert client.post("/MedicationRequest", json={**PRESCRIPTION, "status": "stopped"}).status_code == 201


def test_after_a_deletion_everything_begins_anew(client, prescription):
    url = f"/MedicationRequest/{prescription}"
    client.delete(url)
    assert client.put(url, json=stopped(prescription)).status_code == 201


def test_an_order_not_to_give_something_says_so_in_every_summary(client, prescription):
    for asked in ("_summary=true", "_summary=data", "_elements=status"):
        (entry,) = client.get(f"/MedicationRequest?_id={prescription}&{asked}").json()["entry"]
        assert entry["resource"]["doNotPerform"] is True


@pytest.mark.parametrize("status", ["booked", "arrived", "fulfilled", "noshow", "pending", "checked-in"])
def test_an_appointment_has_a_start_unless_it_is_proposed_waiting_or_cancelled(client, status):
    appointment = {
        "resourceType": "Appointment",
        "status": status,
        "participant": [{"status": "accepted", "actor": {"display": "x"}}],
    }
    assert client.post("/Appointment", json=appointment).status_code == 422
    for other in ("proposed", "waitlist", "cancelled"):
        assert client.post("/Appointment", json={**appointment, "status": other}).status_code == 201


def test_a_group_that_only_warns_stores_with_a_warning(start_server):
    server = start_server(workers=1, FHIR_WARN_ONLY="MedicationRequest")
    with server.client() as client:
        logical_id = client.post("/MedicationRequest", json=PRESCRIPTION).json()["id"]
        told = {"Prefer": "return=OperationOutcome"}
        answer = client.put(f"/MedicationRequest/{logical_id}", json=stopped(logical_id), headers=told)
        assert answer.status_code == 200
        (issue,) = [each for each in answer.json()["issue"] if each["code"] == "business-rule"]
        assert issue["severity"] == "warning"
