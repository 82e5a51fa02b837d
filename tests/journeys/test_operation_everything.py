"""The whole record of a patient or an encounter, over HTTP. https://hl7.org/fhir/R4/operation-patient-everything.html"""

from __future__ import annotations

from uuid import uuid4

import pytest

pytestmark = pytest.mark.xdist_group("operations everything")


class Record:
    """A patient with a year's observations, an encounter, and what these refer to; `mark` is in every id."""

    def __init__(self, client):
        self.client = client
        self.mark = uuid4().hex[:8]
        self.patient, self.encounter = f"Patient/{self.mark}", f"Encounter/{self.mark}"
        subject = {"reference": self.patient}
        doctor = {"reference": self.put("Practitioner", "doctor")}
        other = self.put("Patient", "other")
        self.put("Organization", "clinic", name="Clinic")
        managing = {"reference": f"Organization/{self.mark}-clinic"}
        self.put(
            "Patient", "", managingOrganization=managing, link=[{"other": {"reference": other}, "type": "seealso"}]
        )
        period = {"start": "2020-01-10", "end": "2020-01-12"}
        self.put("Encounter", "", status="finished", **{"class": {"code": "AMB"}}, subject=subject, period=period)
        visit = {"reference": self.encounter}
        for month in range(1, 7):
            self.put(
                "Observation", f"{month}", status="final", code={"text": "x"}, subject=subject, performer=[doctor],
                effectiveDateTime=f"2020-{month:02d}-15", **({"encounter": visit} if month == 1 else {}),
            )  # fmt: skip
        self.put("DetectedIssue", "nuts", status="final", patient=subject)  # without a date
        self.put("Observation", "theirs", status="final", code={"text": "x"}, subject={"reference": other})
        medicine = {"reference": self.put("Medication", "pill")}
        self.put(
            "MedicationRequest", "", status="active", intent="order", subject=subject, medicationReference=medicine
        )

    def put(self, type_name, local_name, **elements):
        key = f"{type_name}/{self.mark}-{local_name}".rstrip("-")
        resource = {"resourceType": type_name, "id": key.partition("/")[2], **elements}
        answer = self.client.put(f"/{key}", json=resource)
        assert answer.status_code in (200, 201), answer.text
        return key

    def keys(self, *names):
        return [f"{name}".replace("~", self.mark) for name in names]


@pytest.fixture(scope="module")
def record(server):
    """One that nobody changes."""
    with server.client() as client:
        yield Record(client)


@pytest.fixture
def own_record(client):
    return Record(client)


def keys(bundle, mode):
    found = [entry for entry in bundle.get("entry", ()) if entry["search"]["mode"] == mode]
    return [f"{entry['resource']['resourceType']}/{entry['resource']['id']}" for entry in found]


def walk(client, url):
    """The pages of a Bundle, one after the other."""
    while url:
        answer = client.get(url)
        assert answer.status_code == 200, answer.text
        yield answer.json()
        url = next((link["url"] for link in answer.json()["link"] if link["relation"] == "next"), None)


def everything(client, url):
    return [key for page in walk(client, url) for key in keys(page, "match")]


OBSERVATIONS = [f"Observation/~-{month}" for month in range(1, 7)]
WHOLE = ("Patient/~", "DetectedIssue/~-nuts", "Encounter/~", "MedicationRequest/~", *OBSERVATIONS)


def test_a_record_is_the_compartment_and_what_it_refers_to(client, record):
    [page] = walk(client, f"/{record.patient}/$everything")
    assert keys(page, "match") == record.keys(*WHOLE)
    # The other patient, whom the first refers to, is not part of it, nor what belongs to them.
    expected = record.keys("Medication/~-pill", "Organization/~-clinic", "Practitioner/~-doctor")
    assert sorted(keys(page, "include")) == expected
    assert page["type"] == "searchset"


@pytest.mark.parametrize("count", [1, 2, 3, 4, 10])
def test_pages_hold_each_resource_once_in_the_same_order(client, record, count):
    pages = list(walk(client, f"/{record.patient}/$everything?_count={count}"))
    assert [key for page in pages for key in keys(page, "match")] == record.keys(*WHOLE)
    assert all(len(keys(page, "match")) <= count for page in pages)
    assert "Practitioner/" in "".join(keys(pages[-1], "include"))


def test_writes_in_between_neither_repeat_nor_skip_anything(client, own_record):
    record = own_record
    pages = walk(client, f"/{record.patient}/$everything?_count=4")
    found = keys(next(pages), "match")
    client.delete(f"/Observation/{record.mark}-2")
    record.put("DetectedIssue", "milk", status="final", patient={"reference": record.patient})
    found += [key for page in pages for key in keys(page, "match")]
    assert found == [key for key in record.keys(*WHOLE) if not key.endswith("-2")]


def test_a_cursor_is_good_for_its_own_question_only(client, record):
    first = next(walk(client, f"/{record.patient}/$everything?_count=2"))
    url = next(link["url"] for link in first["link"] if link["relation"] == "next")
    for changed in (
        url.replace("_count=2", "_count=3"),
        url + "x",
        url.replace(record.patient, f"{record.patient}-other"),
    ):
        assert client.get(changed).status_code == 400


def test_start_and_end_bound_the_time_of_care(client, record):
    found = everything(client, f"/{record.patient}/$everything?start=2020-02&end=2020-04-15")
    dated = ("Observation/~-2", "Observation/~-3", "Observation/~-4")
    assert found == record.keys("Patient/~", "DetectedIssue/~-nuts", "MedicationRequest/~", *dated)
    found = everything(client, f"/{record.patient}/$everything?start=2020-01-12&end=2020-01-12")
    assert record.encounter in found
    assert client.get(f"/{record.patient}/$everything?start=2021&end=2020").status_code == 400


def test_since_asks_for_what_has_changed(client, record):
    moment = client.get(f"/Observation/{record.mark}-6").json()["meta"]["lastUpdated"]
    [page] = walk(client, f"/{record.patient}/$everything?_since={moment}")
    expected = record.keys("DetectedIssue/~-nuts", "MedicationRequest/~", "Observation/~-6")
    assert keys(page, "match") == expected
    assert keys(page, "include") == record.keys("Medication/~-pill")


def test_types_may_be_of_the_compartment_or_beyond_it(client, record):
    url = f"/{record.patient}/$everything"
    assert everything(client, f"{url}?_type=Encounter,Patient") == record.keys("Patient/~", "Encounter/~")
    assert everything(client, f"{url}?_type=Encounter&_type=Patient") == record.keys("Patient/~", "Encounter/~")
    [page] = walk(client, f"{url}?_type=Practitioner,Observation")
    assert keys(page, "match") == record.keys(*OBSERVATIONS)
    assert keys(page, "include") == record.keys("Practitioner/~-doctor")
    assert keys(next(walk(client, f"{url}?_type=Practitioner")), "include") == record.keys("Practitioner/~-doctor")
    assert "'Nonsense'" in client.get(f"{url}?_type=Nonsense").text


def test_an_encounter_brings_its_patient(client, record):
    [page] = walk(client, f"/{record.encounter}/$everything")
    assert keys(page, "match") == record.keys("Encounter/~", "Observation/~-1")
    assert sorted(keys(page, "include")) == record.keys("Patient/~", "Practitioner/~-doctor")
    assert client.get(f"/{record.encounter}/$everything?start=2020").status_code == 400


def test_it_can_be_posted_and_its_links_are_read_by_get(client, record):
    parameters = [{"name": "_count", "valueInteger": 4}, {"name": "_type", "valueCode": "Observation"}]
    answer = client.post(f"/{record.patient}/$everything", json={"resourceType": "Parameters", "parameter": parameters})
    assert answer.status_code == 200
    following = next(link["url"] for link in answer.json()["link"] if link["relation"] == "next")
    found = keys(answer.json(), "match") + everything(client, following)
    assert found == record.keys(*OBSERVATIONS)


def test_without_a_patient_there_is_nothing(client, record):
    assert client.get(f"/Patient/{uuid4()}/$everything").status_code == 404
    assert client.get("/Patient/not~an~id/$everything").status_code == 404
    client.put(f"/Patient/{record.mark}-gone", json={"resourceType": "Patient", "id": f"{record.mark}-gone"})
    client.delete(f"/Patient/{record.mark}-gone")
    assert client.get(f"/Patient/{record.mark}-gone/$everything").status_code == 410
    assert client.get(f"/Observation/{record.mark}-2/$everything").status_code == 404  # no operation of the type


@pytest.mark.parametrize("query", ["nonsense=1", "_count=0", "_count=x", "_count=1&_count=2", "start=x", "_since=x"])
def test_parameters_are_checked(client, record, query):
    answer = client.get(f"/{record.patient}/$everything?{query}")
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.json()["issue"][0]["diagnostics"]


def test_it_can_be_asked_in_a_batch_and_in_a_transaction(client, record):
    url = f"{record.patient}/$everything?_type=Encounter"
    for kind in ("batch", "transaction"):
        bundle = {"resourceType": "Bundle", "type": kind, "entry": [{"request": {"method": "GET", "url": url}}]}
        answer = client.post("/", json=bundle)
        assert answer.status_code == 200, answer.text
        [entry] = answer.json()["entry"]
        assert keys(entry["resource"], "match") == [record.encounter]
