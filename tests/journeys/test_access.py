"""What access tokens open and what they do not, over HTTP against a server with authorization."""

from __future__ import annotations

import subprocess
import sys
from itertools import product

import httpx
import pytest

from tests.journeys.conftest import RunningServer

PATIENTS = ("one", "two")


def observation(patient: str, category: str, note: str = "x") -> dict:
    return {
        "resourceType": "Observation",
        "id": f"{patient}-{category}",
        "status": "final",
        "category": [{"coding": [{"system": "urn:c", "code": category}]}],
        "code": {"text": note},
        "subject": {"reference": f"Patient/{patient}"},
    }


RECORDS = [
    *({"resourceType": "Patient", "id": patient, "name": [{"family": f"Family-{patient}"}]} for patient in PATIENTS),
    *(observation(patient, category) for patient, category in product(PATIENTS, ("lab", "vital"))),
    {"resourceType": "Practitioner", "id": "doctor", "name": [{"family": "Doctor"}]},
    {"resourceType": "AuditEvent", "id": "event", "type": {"code": "rest"}, "recorded": "2026-01-01T00:00:00Z",
     "agent": [{"requestor": True}], "source": {"observer": {"display": "x"}}},
]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = RunningServer(tmp_path_factory.mktemp("access"), settings={"FHIR_AUTH": "on"})
    yield server
    server.stop()


@pytest.fixture(scope="module")
def token(server):
    def made(scope: str, patient: str | None = None) -> str:
        command = [sys.executable, "-m", "fhir_server.cli", "token", "--scope", scope]
        command += ["--patient", patient] if patient else []
        done = subprocess.run(command, env=server.environ, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    return made


@pytest.fixture(scope="module")
def system(server, token):
    with client_with(server, token("system/*.cruds")) as client:
        for resource in RECORDS:
            answer = client.put(f"/{resource['resourceType']}/{resource['id']}", json=resource)
            assert answer.status_code == (403 if resource["resourceType"] == "AuditEvent" else 201), answer.text
        yield client


@pytest.fixture(scope="module")
def one(server, token, system):
    with client_with(server, token("patient/*.cruds", "one")) as client:
        yield client


def client_with(server, token: str) -> httpx.Client:
    client = server.client()
    client.headers["Authorization"] = f"Bearer {token}"
    return client


def ids(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 200, answer.text
    return {entry["resource"]["id"] for entry in answer.json().get("entry", [])}


def test_without_a_token_nothing_but_the_statement_is_answered(server, system):
    with httpx.Client(base_url=server.base_url) as client:
        assert client.get("/metadata").status_code == 200
        for method, path in (("GET", "/Patient/one"), ("GET", "/Patient"), ("POST", "/Patient"), ("GET", "/_history")):
            answer = client.request(method, path)
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="fhir"')
            assert answer.json()["issue"][0]["code"] == "login"
    with client_with(server, "wrong") as client:
        answer = client.get("/Patient/one")
        assert answer.status_code == 401
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_a_patient_scope_opens_one_compartment_and_the_directory(one):
    assert ids(one.get("/Patient")) == {"one"}
    assert ids(one.get("/Observation")) == {"one-lab", "one-vital"}
    assert ids(one.get("/Patient/one/*")) == {"one", "one-lab", "one-vital"}
    assert ids(one.get("/Practitioner")) == {"doctor"}
    assert one.get("/Observation?_summary=count").json()["total"] == 2


def test_what_is_filtered_looks_like_what_is_missing(one):
    for path in ("/Patient/{}", "/Patient/{}/_history", "/Patient/{}/_history/1"):
        hidden, missing = one.get(path.format("two")), one.get(path.format("none"))
        assert hidden.status_code == missing.status_code == 404
        assert hidden.text.replace("two", "none") == missing.text
    body = {"resourceType": "Patient", "gender": "male"}
    hidden = one.put("/Observation/two-lab", json={**observation("one", "lab"), "id": "two-lab"})
    assert hidden.status_code == 404
    assert one.delete("/Observation/two-lab").status_code == one.delete("/Observation/none").status_code
    assert one.post("/Patient", json=body).status_code == 403


def test_chains_reverse_chains_includes_and_sorts_do_not_reach_beyond(one, server, token):
    assert ids(one.get("/Observation?subject:Patient.name=family-two")) == set()
    assert ids(one.get("/Patient?_has:Observation:subject:code=x&_id=two")) == set()
    assert ids(one.get("/Practitioner?_revinclude=Observation:subject")) == {"doctor"}
    assert ids(one.get("/Observation?_include=Observation:subject&_sort=-_id")) == {"one-lab", "one-vital", "one"}
    with client_with(server, token("patient/Observation.rs", "one")) as narrow:
        assert ids(narrow.get("/Observation?_include=Observation:subject")) == {"one-lab", "one-vital"}
        assert narrow.get("/Observation?subject:Patient.name=family-one").status_code == 403
        assert narrow.get("/Patient/one").status_code == 403
        assert 'error="insufficient_scope"' in narrow.get("/Patient").headers["WWW-Authenticate"]


def test_writes_must_stay_within_before_and_after(one, system):
    moved = one.put("/Observation/one-lab", json={**observation("two", "lab"), "id": "one-lab"})
    assert moved.status_code == 403
    created = one.post("/Observation", json={k: v for k, v in observation("two", "lab").items() if k != "id"})
    assert created.status_code == 403
    assert ids(system.get("/Observation?subject=Patient/two")) == {"two-lab", "two-vital"}
    changed = one.put("/Observation/one-lab", json={**observation("one", "lab", "changed"), "id": "one-lab"})
    assert changed.status_code == 200


def test_what_is_in_somebody_elses_record_as_well_is_not_written(one, system):
    shared = observation("one", "lab") | {"id": "shared", "performer": [{"reference": "Patient/two"}]}
    assert one.put("/Observation/shared", json=shared).status_code == 403
    assert system.put("/Observation/shared", json=shared).status_code == 201
    assert one.get("/Observation/shared").status_code == 200
    # Who may see it is told the truth, and not that it is not there or is gone.
    assert one.put("/Observation/shared", json=observation("one", "lab") | {"id": "shared"}).status_code == 403
    assert one.delete("/Observation/shared").status_code == 403
    assert system.delete("/Observation/shared").status_code == 204
    linked = {
        "resourceType": "Patient",
        "id": "new",
        "link": [{"other": {"reference": "Patient/one"}, "type": "seealso"}],
    }
    assert one.put("/Patient/new", json=linked).status_code == 403


def test_ones_own_record_can_be_updated_by_a_condition(one):
    body = {"resourceType": "Patient", "name": [{"family": "Family-one"}], "gender": "female"}
    assert one.put("/Patient?_id=one", json=body).status_code == 200
    assert one.put("/Patient?_id=two", json=body).status_code == 403


def test_nothing_is_told_of_what_was_deleted_elsewhere(one, system):
    system.put("/Observation/gone", json=observation("two", "lab") | {"id": "gone"})
    system.delete("/Observation/gone")
    answers = []
    for name in ("gone", "never-was"):
        entry = {"request": {"method": "DELETE", "url": f"Observation/{name}"}}
        answer = one.post("", json={"resourceType": "Bundle", "type": "transaction", "entry": [entry]})
        answers.append(answer.json()["entry"][0]["response"])
    assert answers[0] == answers[1]


def test_where_no_type_may_be_searched_neither_may_everything(server, token, system):
    with client_with(server, token("patient/*.r", "one")) as client:
        for path in ("/_history", "/Patient/one/*"):
            assert client.get(path).status_code == 403


def test_bundle_entries_are_fenced_one_by_one(one, system):
    entries = [
        {"request": {"method": "GET", "url": "Patient/two"}},
        {"request": {"method": "GET", "url": "Observation?subject=Patient/two"}},
        {"request": {"method": "POST", "url": "Observation"}, "resource": observation("two", "lab")},
    ]
    batch = one.post("", json={"resourceType": "Bundle", "type": "batch", "entry": entries}).json()
    assert [entry["response"]["status"][:3] for entry in batch["entry"]] == ["404", "200", "403"]
    assert batch["entry"][1]["resource"]["total"] == 0
    transaction = one.post("", json={"resourceType": "Bundle", "type": "transaction", "entry": entries[2:]})
    assert transaction.status_code == 403
    assert ids(system.get("/Observation?subject=Patient/two")) == {"two-lab", "two-vital"}


def test_a_constraint_holds_for_reads_searches_histories_and_writes(server, token, system):
    with client_with(server, token("patient/Observation.cruds?category=urn:c|lab", "one")) as client:
        assert ids(client.get("/Observation")) == {"one-lab"}
        assert client.get("/Observation/one-vital").status_code == 404
        assert client.get("/Observation/one-lab").status_code == 200
        assert ids(client.get("/Observation/_history")) == {"one-lab"}
        assert client.post("/Observation", json=observation("one", "vital")).status_code == 403
        assert ids(client.get("/Observation?_include=*")) == {"one-lab"}


def test_a_condition_sees_only_what_its_token_may_see(one, system):
    body = {k: v for k, v in observation("one", "imaging").items() if k != "id"}
    answer = one.post("/Observation", json=body, headers={"If-None-Exist": "subject=Patient/two"})
    assert answer.status_code == 201
    system.delete(f"/Observation/{answer.json()['id']}")


def test_letters_are_kept_apart(server, token, system):
    with client_with(server, token("system/Patient.s system/Observation.r")) as client:
        assert ids(client.get("/Patient")) == {"one", "two"}
        assert client.get("/Patient/one").status_code == 403
        assert client.get("/Observation/one-lab").status_code == 200
        assert client.get("/Observation").status_code == 403
        assert client.delete("/Observation/one-lab").status_code == 403


def test_only_administrators_may_administer_and_see_the_audit(one, system):
    for client in (one, system):
        assert client.post("/$reindex").status_code == 403
        assert client.get("/AuditEvent").status_code == 403
        assert client.get("/Patient?_explain=true").status_code == 403


def test_the_discovery_document_is_public(server, system):
    answer = httpx.get(f"{server.base_url}/.well-known/smart-configuration")
    assert answer.status_code == 200
    assert answer.json()["token_endpoint"] == f"{server.site}/auth/token"
