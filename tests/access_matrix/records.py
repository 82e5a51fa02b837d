"""The records of a run: demo data, a few awkward resources beside it, and all of it as plain JSON with its history."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.access_matrix.compartments import Json
from tests.access_matrix.holders import ONE, THREE, TWO

OBSERVATION_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
PAGE = 1000


@dataclass
class Records:
    """All that is stored. versions: `Type/id` → (version, JSON or None for a deletion), newest first."""

    versions: dict[str, list[tuple[str, Json | None]]] = field(default_factory=dict)
    _of_type: dict[str, dict[str, Json]] = field(default_factory=dict)

    def current(self, key: str) -> Json | None:
        """A resource as it is now; None for what is deleted or never was."""
        return self.versions[key][0][1] if key in self.versions else None

    def of_type(self, type_name: str) -> dict[str, Json]:
        """The current resources of a type by their keys."""
        if type_name not in self._of_type:
            found = {key: self.current(key) for key in self.versions if key.startswith(f"{type_name}/")}
            self._of_type[type_name] = {key: resource for key, resource in found.items() if resource is not None}
        return self._of_type[type_name]


def reference(patient: str) -> Json:
    return {"reference": f"Patient/{patient}"}


def observation(name: str, patient: str, category: str = "laboratory", **members: Any) -> Json:
    """An Observation of the run's own."""
    return {
        "resourceType": "Observation",
        "id": f"awkward-{name}",
        "status": "final",
        "category": [{"coding": [{"system": OBSERVATION_CATEGORY, "code": category}]}],
        "code": {"text": name},
        "subject": reference(patient),
        **members,
    }


def awkward(base_url: str) -> list[Json]:
    """What demo data has none of, in the order of storing: several of one id are its versions."""
    clinical = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
    participants = [{"actor": reference(each), "status": "accepted"} for each in (ONE, TWO)]
    return [
        observation("came", TWO),
        observation("came", ONE),
        observation("left", ONE),
        observation("left", TWO),
        observation("recoded", ONE, "laboratory"),
        observation("recoded", ONE, "vital-signs"),
        observation("deleted", ONE),
        observation("performed", ONE, performer=[reference(TWO)]),
        observation("absolute", ONE, subject={"reference": f"{base_url}/Patient/{ONE}"}),
        observation("elsewhere", ONE, subject={"reference": f"https://elsewhere.example.org/fhir/Patient/{ONE}"}),
        observation("by-identifier", ONE, subject={"identifier": {"system": "urn:x", "value": ONE}}),
        {
            "resourceType": "AllergyIntolerance",
            "id": "awkward-recorded",
            "clinicalStatus": {"coding": [{"system": clinical, "code": "active"}]},
            "code": {"text": "dust"},
            "patient": reference(TWO),
            "recorder": reference(ONE),
        },
        {"resourceType": "Appointment", "id": "awkward-shared", "status": "proposed", "participant": participants},
        {"resourceType": "Patient", "id": "awkward-linked", "link": [{"other": reference(ONE), "type": "seealso"}]},
        {
            "resourceType": "List",
            "id": "awkward-list",
            "status": "current",
            "mode": "working",
            "subject": reference(ONE),
            "entry": [{"item": {"reference": f"Observation/awkward-{name}"}} for name in ("came", "left")],
        },
        {
            "resourceType": "Group",
            "id": "awkward-group",
            "type": "person",
            "actual": True,
            "member": [{"entity": reference(each)} for each in (ONE, THREE)],
        },
        {
            "resourceType": "Provenance",
            "id": "awkward-provenance",
            "target": [{"reference": "Observation/awkward-came"}, reference(TWO)],
            "recorded": "2026-01-01T00:00:00Z",
            "agent": [{"who": {"reference": "Practitioner/demo-practitioner-0000"}}],
        },
    ]


def store_awkward(client: httpx.Client, base_url: str) -> None:
    """Store the awkward resources by a client that may do everything."""
    for resource in awkward(base_url):
        answer = client.put(f"/{resource['resourceType']}/{resource['id']}", json=resource)
        assert answer.status_code in (200, 201), answer.text
    assert client.delete("/Observation/awkward-deleted").status_code == 204


def download(client: httpx.Client) -> Records:
    """Everything, with its history, by a client that may read everything."""
    records, address = Records(), f"/_history?_count={PAGE}"
    while address:
        bundle = client.get(address).raise_for_status().json()
        for entry in bundle.get("entry", []):
            resource = entry.get("resource")
            key = _key(entry)
            version = resource["meta"]["versionId"] if resource else entry["response"]["etag"].split('"')[1]
            records.versions.setdefault(key, []).append((version, resource))
        address = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), "")
    return records


def _key(entry: Json) -> str:
    parts = entry["fullUrl"].split("/") if "fullUrl" in entry else entry["request"]["url"].split("/")
    return "/".join(parts[-2:])


def clone(resource: Json, logical_id: str | None = None) -> Json:
    """The content of a resource under another id, or without one."""
    made = copy.deepcopy(resource)
    for name in ("id", "meta", "text"):
        made.pop(name, None)
    return made if logical_id is None else {**made, "id": logical_id}
