"""Operations under an access token: nothing of anybody else's is told, found or changed.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

from __future__ import annotations

from itertools import product

import httpx
import pytest

from fhir_server.authorization import make_auth_services
from fhir_server.embedded_mongodb import EmbeddedMongoDB
from fhir_server.settings import Settings
from fhir_server.store.database import connected
from smart_auth.people.user_commands import add_user, sub_of
from smart_auth.tokens.by_hand import issue_token
from tests.running_server import RunningServer

pytestmark = pytest.mark.xdist_group("operations fence")
PASSWORD = "correct horse battery"
GENDERS = "http://hl7.org/fhir/ValueSet/administrative-gender"


def observation(patient, category):
    return {
        "resourceType": "Observation", "id": f"{patient}-{category}", "status": "final", "code": {"text": "x"},
        "meta": {"tag": [{"system": "urn:t", "code": f"{patient}-{category}"}]},
        "category": [{"coding": [{"system": "urn:c", "code": category}]}], "subject": {"reference": f"Patient/{patient}"},
        "encounter": {"reference": f"Encounter/{patient}"}, "performer": [{"reference": "Practitioner/doctor"}],
    }  # fmt: skip


def encounter(patient):
    return {
        "resourceType": "Encounter", "id": patient, "status": "finished", "class": {"code": "AMB"},
        "subject": {"reference": f"Patient/{patient}"},
    }  # fmt: skip


def patient(name, other):
    return {
        "resourceType": "Patient", "id": name, "name": [{"family": "Schneider", "given": ["Anna"]}],
        "birthDate": "1970-02-03", "identifier": [{"system": "urn:mrn", "value": name}],
        "meta": {"tag": [{"system": "urn:t", "code": name}]},
        "link": [{"other": {"reference": f"Patient/{other}"}, "type": "seealso"}],
    }  # fmt: skip


RECORDS = [
    {"resourceType": "Practitioner", "id": "doctor"},
    {"resourceType": "Patient", "id": "one"},
    patient("two", "one") | {"link": []},
    patient("one", "two"),
    *(encounter(name) for name in ("one", "two")),
    *(observation(*pair) for pair in product(("one", "two"), ("lab", "vital"))),
    # About one patient, and it names the other's record.
    observation("one", "shared") | {"encounter": {"reference": "Encounter/two"}},
    {"resourceType": "CodeSystem", "id": "cs", "url": "urn:cs", "status": "active", "content": "complete",
     "concept": [{"code": "secret"}]},
    {"resourceType": "ValueSet", "id": "vs", "url": "urn:vs", "status": "active",
     "compose": {"include": [{"system": "urn:cs"}]}},
]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = RunningServer(tmp_path_factory.mktemp("fence"), workers=1, settings={"FHIR_AUTH": "on"})
    yield server
    server.stop()


@pytest.fixture(scope="module")
def holder(server):
    """Makes clients that hold a token: of a scope, for a patient, or for a user."""
    settings = Settings.from_environ(server.environ)
    opened = []
    with (
        EmbeddedMongoDB.attach_or_start(server.data_dir, purpose="test") as mongodb,
        connected(mongodb.uri, settings.database) as database,
    ):
        auth = make_auth_services(settings, database)
        add_user(auth, name="root", password=PASSWORD, display="Root", role="administrator", fhir_user=None)

        def make(scope, patient=None, user=None):
            sub = None if user is None else sub_of(auth, user)
            token = issue_token(auth, scope, sub, patient)["access_token"]
            headers = {"Authorization": f"Bearer {token}"}
            opened.append(server.client())
            opened[-1].headers.update(headers)
            return opened[-1]

        yield make
        for client in opened:
            client.close()


@pytest.fixture(scope="module")
def system(holder):
    client = holder("system/*.cruds")
    for resource in RECORDS:
        resource = {name: value for name, value in resource.items() if value != []}
        answer = client.put(f"/{resource['resourceType']}/{resource['id']}", json=resource)
        assert answer.status_code in (200, 201), answer.text
    return client


@pytest.fixture(scope="module")
def one(holder, system):
    return holder("patient/*.cruds", "one")


def keys(answer):
    assert answer.status_code == 200, answer.text
    resources = [entry["resource"] for entry in answer.json().get("entry", [])]
    return {f"{resource['resourceType']}/{resource['id']}" for resource in resources}


def meta(code="x"):
    tags = [{"system": "urn:t", "code": code}]
    return {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": tags}}]}


OWN = {"Patient/one", "Encounter/one", "Observation/one-lab", "Observation/one-vital", "Observation/one-shared"}


def test_everything_is_ones_own_and_the_directory(one):
    assert keys(one.get("/Patient/one/$everything")) == OWN | {"Practitioner/doctor"}
    for path in ("/Patient/two/$everything", "/Encounter/two/$everything"):
        hidden, missing = one.get(path), one.get(path.replace("two", "none"))
        assert hidden.status_code == missing.status_code == 404
        assert hidden.text.replace("two", "none") == missing.text


def test_everything_holds_no_more_than_the_scopes_do(holder, system):
    narrow = holder("patient/Patient.rs patient/Observation.rs?category=urn:c|lab", "one")
    assert keys(narrow.get("/Patient/one/$everything")) == {"Patient/one", "Observation/one-lab"}
    assert narrow.get("/Encounter/one/$everything").status_code == 403
    assert holder("patient/Observation.rs", "one").get("/Patient/one/$everything").status_code == 403
    assert holder("patient/Patient.r", "one").get("/Patient/one/$everything").status_code == 403
    assert holder("patient/Patient.s", "one").get("/Patient/one/$everything").status_code == 403


def test_everything_stays_out_of_the_record_of_another_patient_for_everybody(system):
    found = keys(system.get("/Patient/one/$everything"))
    assert found == OWN | {"Practitioner/doctor"}
    # Who was seen there is part of an encounter; what belongs to others and only refers to it, is found by its reference.
    assert keys(system.get("/Encounter/one/$everything")) == {
        *("Encounter/one", "Observation/one-lab", "Observation/one-vital", "Patient/one", "Practitioner/doctor")
    }


def test_pages_are_fenced_too(one):
    found, url = set(), "/Patient/one/$everything?_count=1"
    while url:
        answer = one.get(url)
        found |= keys(answer)
        url = next((link["url"] for link in answer.json()["link"] if link["relation"] == "next"), None)
    assert found == OWN | {"Practitioner/doctor"}


def test_a_match_is_never_somebody_else(one, holder, system):
    described = {
        "resourceType": "Patient",
        "name": [{"family": "Schneider", "given": ["Anna"]}],
        "birthDate": "1970-02-03",
    }
    assert keys(system.post("/Patient/$match", json=described)) == {"Patient/one", "Patient/two"}
    # Whoever refers to their patient is in the patient's compartment, and two does not.
    assert keys(one.post("/Patient/$match", json=described)) == {"Patient/one"}
    identifier = {"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "two"}]}
    assert keys(one.post("/Patient/$match", json=identifier)) == set()
    assert holder("patient/Patient.r", "one").post("/Patient/$match", json=described).status_code == 403


def test_meta_tells_the_labels_of_what_may_be_read(one, holder):
    for place in ("/Observation/$meta", "/$meta"):
        answer = one.get(place)
        assert "one-lab" in answer.text
        assert "two" not in answer.text
    assert one.get("/Observation/one-lab/$meta").status_code == 200
    hidden, missing = one.get("/Observation/two-lab/$meta"), one.get("/Observation/no-lab/$meta")
    assert hidden.status_code == missing.status_code == 404
    assert hidden.text.replace("two", "no") == missing.text
    narrow = holder("patient/Observation.s", "one")
    assert [narrow.get(path).status_code for path in ("/Observation/$meta", "/$meta", "/Patient/$meta")] == [403] * 3


def test_labels_are_changed_where_an_update_may_be(one, holder, system):
    for name in ("$meta-add", "$meta-delete"):
        assert one.post(f"/Observation/one-lab/{name}", json=meta()).status_code == 200
        assert one.post(f"/Observation/two-lab/{name}", json=meta("two-lab")).status_code == 404
        assert holder("patient/*.rs", "one").post(f"/Observation/one-lab/{name}", json=meta()).status_code == 403
    assert "two-lab" in system.get("/Observation/two-lab/$meta").text
    blind = holder("patient/Observation.u", "one").post("/Observation/one-lab/$meta-add", json=meta("blind"))
    assert blind.status_code == 200
    assert blind.content == b""


def test_expunging_is_for_administrators(one, holder, system):
    paths = ("/Patient/$expunge", "/Patient/one/$expunge", "/Observation/two-lab/$expunge")
    for client, path in product((one, system), paths):
        assert client.post(f"{path}?expungePreviousVersions=true").status_code == 403
    assert system.get("/Patient/one/_history/1").status_code == 200
    root = holder("user/*.cruds", user="root")
    assert root.post("/Patient/one/$expunge?expungePreviousVersions=true").status_code == 200
    assert system.get("/Patient/one/_history/1").status_code == 404
    assert root.post("/AuditEvent/$expunge?expungePreviousVersions=true").status_code == 403


def test_the_terminology_of_r4_is_everybodys_and_what_is_stored_is_not(one, holder, system):
    places = ("/ValueSet/$expand?url={}", "/ValueSet/$validate-code?code=secret&url={}")
    for place in places:
        assert system.get(place.format("urn:vs")).status_code == 200
        assert one.get(place.format(GENDERS)).status_code == 200
        assert one.get(place.format("urn:vs")).status_code == 403
        # As it would be if nothing were stored by that name.
        assert one.get(place.format("urn:vs")).text == one.get(place.format("urn:none")).text
    assert one.get("/ValueSet/vs/$expand").status_code == 403
    for query in ("$lookup?system={}&code=secret", "$validate-code?url={}&code=secret"):
        assert system.get("/CodeSystem/" + query.format("urn:cs")).status_code == 200
        assert one.get("/CodeSystem/" + query.format("urn:cs")).status_code == 403
    sent = {"resourceType": "ValueSet", "status": "draft", "compose": {"include": [{"valueSet": ["urn:vs"]}]}}
    assert system.post("/ValueSet/$expand", json=sent).status_code == 200
    refused = one.post("/ValueSet/$expand", json=sent)
    assert refused.status_code == 422
    assert "secret" not in refused.text


def test_only_versions_are_told_without_a_token(server, system):
    with httpx.Client(base_url=server.base_url) as nobody:
        assert nobody.get("/$versions").status_code == 200
        for path in ("/Patient/one/$everything", "/$meta", f"/ValueSet/$expand?url={GENDERS}", "/Patient/one/$meta"):
            assert nobody.get(path).status_code == 401
        for path in ("/Patient/$match", "/Patient/$expunge", "/Patient/one/$meta-add"):
            assert nobody.post(path).status_code == 401


def test_a_batch_opens_nothing_that_is_closed_otherwise(one):
    urls = ("Patient/one/$everything", "Patient/two/$everything", "Observation/two-lab/$meta", "$meta")
    entries = [{"request": {"method": "GET", "url": url}} for url in urls]
    entries.append({"request": {"method": "POST", "url": "Patient/one/$expunge?expungePreviousVersions=true"}})
    answer = one.post("/", json={"resourceType": "Bundle", "type": "batch", "entry": entries})
    statuses = [entry["response"]["status"][:3] for entry in answer.json()["entry"]]
    assert statuses == ["200", "404", "404", "200", "403"]
    assert "two-" not in answer.text.replace("two-lab/$meta", "").replace("two-lab'", "")
