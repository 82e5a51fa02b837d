"""$validate, and what meta.profile claims as it is checked on write.

https://hl7.org/fhir/R4/resource-operation-validate.html
"""

from __future__ import annotations

import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from fhir_server.store.held_terminology import LOOK_AGAIN_SECONDS
from tests.journeys.conftest import RunningServer

Json = dict[str, Any]

BORN = "http://example.org/StructureDefinition/born"
US_CORE_PATIENT = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient"


def born(url: str = BORN) -> Json:
    """A profile of Patient that needs a birth date."""
    elements = [
        {"id": "Patient", "path": "Patient", "min": 0, "max": "*"},
        {"id": "Patient.birthDate", "path": "Patient.birthDate", "min": 1, "max": "1"},
    ]
    return {
        "resourceType": "StructureDefinition",
        "url": url,
        "name": "Born",
        "status": "active",
        "kind": "resource",
        "abstract": False,
        "type": "Patient",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "derivation": "constraint",
        "differential": {"element": elements},
    }


def issues(answer: httpx.Response) -> list[tuple[str, str, str | None]]:
    """Severity, code and place of each issue of an OperationOutcome."""
    return [(i["severity"], i["code"], (i.get("expression") or [None])[0]) for i in answer.json()["issue"]]


def validated(client: httpx.Client, url: str, tree: Json) -> list[tuple[str, str, str | None]]:
    answer = client.post(url, json=tree)
    assert answer.status_code == 200, answer.text
    return issues(answer)


CLEAN = [("information", "informational", None)]


def parameters(*members: tuple[str, str, Any]) -> Json:
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": name, member: value} for name, member, value in members],
    }


def test_a_resource_is_validated_without_being_stored(client: httpx.Client) -> None:
    family = f"V{uuid4().hex[:8]}"
    patient = {"resourceType": "Patient", "name": [{"family": family}]}
    assert validated(client, "/Patient/$validate", patient) == CLEAN
    assert client.get("/Patient", params={"family": family, "_summary": "count"}).json()["total"] == 0


def test_all_faults_are_told_with_their_places(client: httpx.Client) -> None:
    tree = {"resourceType": "Patient", "gender": "x", "birthDate": "2001-02-30"}
    expected = [("error", "code-invalid", "Patient.gender"), ("error", "value", "Patient.birthDate")]
    assert validated(client, "/Patient/$validate", tree) == expected
    assert validated(client, "/Patient/$validate", parameters(("resource", "resource", tree))) == expected


def test_a_profile_may_be_named_in_the_query_and_among_the_parameters(client: httpx.Client) -> None:
    url = f"{BORN}-{uuid4().hex}"
    assert client.post("/StructureDefinition", json=born(url)).status_code == 201
    patient = {"resourceType": "Patient", "active": True}
    missing = [("error", "required", "Patient")]
    assert validated(client, f"/Patient/$validate?profile={url}", patient) == missing
    body = parameters(("resource", "resource", patient), ("profile", "valueUri", url))
    assert validated(client, "/Patient/$validate", body) == missing
    claiming = {**patient, "meta": {"profile": [url]}}
    assert validated(client, "/Patient/$validate", claiming) == missing
    assert validated(client, "/Patient/$validate", {**claiming, "birthDate": "2001"}) == CLEAN


def test_a_stored_resource_is_validated_by_its_address(client: httpx.Client) -> None:
    url = f"{BORN}-{uuid4().hex}"
    client.post("/StructureDefinition", json=born(url))
    stored = client.post("/Patient", json={"resourceType": "Patient", "active": True}).json()
    address = f"/Patient/{stored['id']}/$validate"
    assert issues(client.get(address)) == CLEAN
    assert issues(client.get(address, params={"profile": url, "mode": "profile"})) == [("error", "required", "Patient")]
    assert client.get(f"/Patient/{uuid4()}/$validate").status_code == 404


def test_a_profile_that_the_server_does_not_hold_is_told(client: httpx.Client) -> None:
    unknown = f"{BORN}-{uuid4().hex}"
    patient = {"resourceType": "Patient", "active": True}
    assert validated(client, f"/Patient/$validate?profile={unknown}", patient) == [("error", "not-found", "Patient")]
    claiming = {**patient, "meta": {"profile": [unknown]}}
    assert validated(client, "/Patient/$validate", claiming) == [
        ("warning", "not-found", "Patient.meta.profile[0]"),
        *CLEAN,
    ]


def test_the_mode_says_what_the_resource_is_to_be_fit_for(client: httpx.Client) -> None:
    stored = client.post("/Patient", json={"resourceType": "Patient", "active": True}).json()
    address = f"/Patient/{stored['id']}/$validate"
    assert validated(client, f"{address}?mode=update", stored) == CLEAN
    assert validated(client, f"{address}?mode=update", {**stored, "id": "other"}) == [("error", "value", "Patient.id")]
    assert validated(client, "/Patient/$validate?mode=create", {"resourceType": "Patient", "active": True}) == CLEAN
    assert issues(client.get(address, params={"mode": "delete"})) == CLEAN


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("mode=guess", {"resourceType": "Patient", "active": True}),
        ("mode=profile", {"resourceType": "Patient", "active": True}),
        ("mode=delete", {"resourceType": "Patient", "active": True}),
        ("", {"resourceType": "Group", "type": "person", "actual": True}),
        ("", {"resourceType": "Parameters"}),
        ("depth=3", {"resourceType": "Patient", "active": True}),
    ],
)
def test_a_request_that_cannot_be_understood_is_refused(client: httpx.Client, query: str, body: Json) -> None:
    answer = client.post(f"/Patient/$validate?{query}", json=body)
    assert answer.status_code == 400
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_a_profile_that_is_changed_is_soon_used_by_every_worker(client: httpx.Client) -> None:
    logical_id, patient = f"born-{uuid4().hex[:8]}", {"resourceType": "Patient", "gender": "female"}
    url = f"{BORN}-{logical_id}"
    profile = {"id": logical_id, **born(url)}
    client.put(f"/StructureDefinition/{logical_id}", json=profile)
    address = f"/Patient/$validate?profile={url}"
    assert validated(client, address, patient) == [("error", "required", "Patient")]
    profile["differential"]["element"][1] = {"id": "Patient.gender", "path": "Patient.gender", "max": "0"}
    client.put(f"/StructureDefinition/{logical_id}", json=profile)
    time.sleep(LOOK_AGAIN_SECONDS + 0.2)
    for _ in range(10):  # there are two workers
        assert validated(client, address, patient) == [("error", "structure", "Patient.gender")]
    client.delete(f"/StructureDefinition/{logical_id}")
    time.sleep(LOOK_AGAIN_SECONDS + 0.2)
    assert validated(client, address, patient) == [("error", "not-found", "Patient")]


@pytest.fixture(scope="module")
def enforcing(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Iterator[httpx.Client]:
    """A client of a server that enforces profiles and has US Core loaded."""
    folder = tmp_path_factory.mktemp("enforcing")
    with zipfile.ZipFile(shared / "fhir/us-core/us-core-610.zip") as content:
        content.extractall(folder / "us-core")
    server = RunningServer(folder / "data", 1, {"FHIR_PROFILES": "enforce"})
    try:
        assert "0 records rejected" in server.command("load", str(folder / "us-core"))
        with server.client() as client:
            yield client
    finally:
        server.stop()


def test_claims_are_enforced_where_the_server_is_told_to(enforcing: httpx.Client) -> None:
    assert enforcing.post("/StructureDefinition", json=born()).status_code == 201
    patient: Json = {"resourceType": "Patient", "meta": {"profile": [BORN]}, "active": True}
    refused = enforcing.post("/Patient", json=patient)
    assert (refused.status_code, issues(refused)) == (422, [("error", "required", "Patient")])
    assert enforcing.put("/Patient/a", json={**patient, "id": "a"}).status_code == 422
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"resource": patient, "request": {"method": "POST", "url": "Patient"}}],
    }
    answer = enforcing.post("/", json=bundle)
    assert (answer.status_code, issues(answer)) == (422, [("error", "required", "Bundle.entry[0].resource")])
    unknown = {**patient, "meta": {"profile": [BORN + "-unknown"]}}
    assert issues(enforcing.post("/Patient", json=unknown)) == [("error", "not-found", "Patient.meta.profile[0]")]
    created = enforcing.post("/Patient", json={**patient, "birthDate": "2001"})
    assert created.status_code == 201
    remove = [{"op": "remove", "path": "/birthDate"}]
    headers = {"Content-Type": "application/json-patch+json"}
    assert enforcing.patch(f"/Patient/{created.json()['id']}", json=remove, headers=headers).status_code == 422
    assert enforcing.post("/Patient", json={"resourceType": "Patient", "active": True}).status_code == 201


def test_us_core_loads_as_a_package_and_is_checked_against(enforcing: httpx.Client) -> None:
    assert issues(enforcing.get("/Patient/example/$validate"))[-1] == CLEAN[0]
    patient = enforcing.get("/Patient/example").json()
    assert US_CORE_PATIENT in patient["meta"]["profile"]
    del patient["name"], patient["id"]
    faults = [issue for issue in issues(enforcing.post("/Patient", json=patient)) if issue[0] == "error"]
    assert faults == [("error", "required", "Patient")]
