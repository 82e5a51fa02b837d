"""Removing old versions for good, over HTTP, on a server of its own because it acts on whole types."""

from __future__ import annotations

import pytest

from tests.running_server import RunningServer

pytestmark = pytest.mark.xdist_group("operations expunge")
TRUE = {"valueBoolean": True}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = RunningServer(tmp_path_factory.mktemp("expunge") / "data", workers=1)
    yield running
    running.stop()


def store(client, name, versions, is_deleted=False):
    for number in range(versions):
        body = {"resourceType": "Patient", "id": name, "multipleBirthInteger": number}
        assert client.put(f"/Patient/{name}", json=body).status_code in (200, 201)
    if is_deleted:
        assert client.delete(f"/Patient/{name}").status_code == 204


def expunge(client, place, **parameters):
    body = {"resourceType": "Parameters", "parameter": [{"name": n, **value} for n, value in parameters.items()]}
    answer = client.post(f"/{place}/$expunge", json=body)
    assert answer.status_code == 200, answer.text
    [count] = answer.json()["parameter"]
    assert count["name"] == "count"
    return count["valueInteger"]


def versions(client, name):
    """Versions and stated total of a history."""
    answer = client.get(f"/Patient/{name}/_history")
    if answer.status_code == 404:
        return None
    found = answer.json()
    assert found["total"] == len(found["entry"])
    return [entry["response"]["etag"][3:-1] for entry in found["entry"]]


def test_old_versions_go_and_the_current_one_stays(client):
    store(client, "a", 4)
    assert expunge(client, "Patient/a", expungePreviousVersions=TRUE, limit={"valuePositiveInt": 2}) == 2
    assert versions(client, "a") == ["4", "3"]
    assert expunge(client, "Patient/a", expungePreviousVersions=TRUE) == 1
    assert versions(client, "a") == ["4"]
    assert client.get("/Patient/a").json()["multipleBirthInteger"] == 3
    assert client.get("/Patient/a/_history/2").status_code == 404
    store(client, "a", 1)
    assert versions(client, "a") == ["5", "4"]
    assert expunge(client, "Patient/a", expungeDeletedResources=TRUE) == 0


def test_a_deleted_resource_goes_as_a_whole_only_where_that_is_asked(client):
    store(client, "b", 2, is_deleted=True)
    assert expunge(client, "Patient/b", expungePreviousVersions=TRUE) == 2
    assert versions(client, "b") == ["3"]
    assert client.get("/Patient/b").status_code == 410
    assert expunge(client, "Patient/b", expungeDeletedResources=TRUE) == 1
    assert client.get("/Patient/b").status_code == 404
    store(client, "b", 1)
    assert versions(client, "b") == ["1"]


def test_a_limit_is_kept_to_across_the_versions_of_a_deleted_resource(client):
    store(client, "c", 4, is_deleted=True)
    two = {"valuePositiveInt": 2}
    found = [expunge(client, "Patient/c", expungeDeletedResources=TRUE, limit=two) for _ in range(3)]
    assert found == [2, 2, 1]
    assert versions(client, "c") is None


def test_a_whole_type_is_gone_through(client):
    for name in ("d", "e"):
        store(client, name, 3)
    store(client, "f", 2, is_deleted=True)
    client.put("/Practitioner/d", json={"resourceType": "Practitioner", "id": "d"})
    client.put("/Practitioner/d", json={"resourceType": "Practitioner", "id": "d", "gender": "male"})
    assert expunge(client, "Patient", expungeDeletedResources=TRUE) >= 3
    assert client.get("/Patient/f").status_code == 404
    assert expunge(client, "Patient", expungePreviousVersions=TRUE) >= 4
    assert versions(client, "d") == versions(client, "e") == ["3"]
    assert expunge(client, "Patient", expungePreviousVersions=TRUE, expungeDeletedResources=TRUE) == 0
    assert client.get("/Practitioner/d/_history").json()["total"] == 2


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/Patient/g/$expunge", 400),
        ("/Patient/g/$expunge?expungePreviousVersions=false", 400),
        ("/Patient/g/$expunge?expungePreviousVersions=true&limit=0", 400),
        ("/Patient/g/$expunge?expungePreviousVersions=maybe", 400),
        ("/Patient/g/$expunge?expungeEverything=true", 400),
        ("/Patient/never/$expunge?expungePreviousVersions=true", 404),
        ("/AuditEvent/$expunge?expungePreviousVersions=true", 403),
    ],
)
def test_what_is_not_clear_or_must_be_kept_is_refused(client, path, status):
    store(client, "g", 2)
    assert client.post(path).status_code == status
    assert len(versions(client, "g")) >= 2
