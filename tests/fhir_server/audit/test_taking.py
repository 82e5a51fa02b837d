"""From the journal into the store: every line once, with the patients that it was about at the time."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient

from fhir_server.app import create_app
from fhir_server.audit.archive import archive
from fhir_server.audit.journal import Journal
from fhir_server.audit.records import Deed, RequestRecord, SecurityRecord, Who, line_of
from fhir_server.audit.tails import journal_files
from fhir_server.audit.taking import Taker
from fhir_server.services import Services, services_for
from fhir_server.settings import Settings
from fhir_server.store.database import Database
from smart_auth.store import AuthStore
from tests.fhir_server.audit.conftest import AT, WHO, request_record

BEGINS_ONLY = """
import sys
from pathlib import Path
from fhir_server.audit.journal import Journal
from fhir_server.audit.records import Deed, RequestRecord, Who, line_of
journal = Journal(Path(sys.argv[1]), lambda: "died")
for number in range(2):
    deed = Deed("create", 0, "Patient")
    begun = journal.begin(lambda key: line_of(RequestRecord(1, f"r{number}", Who(), (deed,), "begun", key)))
done = Deed("create", 201, "Patient", "one", 1)
journal.finish(begun[0], line_of(RequestRecord(2, "r1", Who(), (done,), "done", begun[1])))
"""


@pytest.fixture
def services(database: Database) -> Services:
    return services_for(Settings.from_environ({"FHIR_LOG_LEVEL": "critical", "FHIR_AUTH": "off"}), database)


@pytest.fixture
def client(services: Services) -> FlaskClient:
    return create_app(services).test_client()


@pytest.fixture
def take(folder: Path, services: Services, database: Database) -> Callable[[], None]:
    """Takes all that there is, by a taker that knows nothing of others before it."""

    def take() -> None:
        taker = Taker(folder, services, AuthStore(database.mongo))
        while taker.take(3):
            pass

    return take


def events(client: FlaskClient, query: str = "") -> list[dict[str, Any]]:
    bundle = client.get(f"/fhir/AuditEvent?_count=1000{query}").get_json()
    return [entry["resource"] for entry in bundle.get("entry", [])]


def named(event: dict[str, Any]) -> list[str]:
    return [e["what"]["reference"] for e in event["entity"] if "reference" in e.get("what", {})]


def observation(patient: str) -> dict[str, Any]:
    subject = {"reference": f"Patient/{patient}"}
    return {"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "x"}, "subject": subject}


def test_lines_become_resources_that_a_search_finds(
    journal: Journal, take: Callable[[], None], client: FlaskClient
) -> None:
    journal.append(line_of(request_record(Deed("read", 200, "Patient", "one", 3))))
    journal.append(line_of(SecurityRecord(AT, None, Who(sub="sub-1"), "sign-in", False, "wrong")))
    take()
    assert len(events(client)) == 2
    for query in ("patient=Patient/one", "entity=Patient/one", "subtype=read", "type=rest", "action=R", "altid=app-1",
                  "address=192.0.2.7", "agent:identifier=app-1", "date=2026-01-01"):  # fmt: skip
        (event,) = events(client, f"&{query}&subtype=read")
        assert client.get(f"/fhir/AuditEvent/{event['id']}").get_json() == event
    (event,) = events(client, "&subtype=sign-in&outcome=4")
    assert event["outcomeDesc"] == "wrong"


def test_lines_that_are_taken_again_are_stored_once(
    journal: Journal, folder: Path, take: Callable[[], None], client: FlaskClient
) -> None:
    for number in range(10):
        journal.append(line_of(request_record(request=f"r{number}")))
    take()
    before = events(client)
    assert len(before) == 10
    (path,) = journal_files(folder)
    for left in (0, 1):  # the note was lost, or is behind
        path.with_suffix(".taken").write_text(str(left))
        journal.append(line_of(request_record(request=f"later-{left}")))
        take()
    after = events(client)
    assert len(after) == 12
    assert [event for event in after if event in before] == before


def test_a_file_is_removed_when_it_is_complete_and_everything_is_stored(
    folder: Path, journal: Journal, take: Callable[[], None], client: FlaskClient
) -> None:
    subprocess.run([sys.executable, "-c", BEGINS_ONLY, str(folder)], check=True)
    journal.append(line_of(request_record()))
    take()
    assert [path.name for path in journal_files(folder)] == ["journal-0001.journal"]
    unfinished = events(client, "&outcome=8")
    assert [event["outcomeDesc"].partition(" had")[0] for event in unfinished] == ["The server ended before it"]
    assert [named(event) for event in events(client, "&outcome=0&subtype=create")] == [["Patient/one/_history/1"]]
    assert len(events(client)) == 3


def test_what_has_begun_waits_for_its_end_and_is_stored_once(
    journal: Journal, take: Callable[[], None], client: FlaskClient
) -> None:
    def line(key: int, stage: Any, status: int) -> bytes:
        return line_of(RequestRecord(AT, "r", WHO, (Deed("delete", status, "Patient", "one"),), stage, key))

    segment, key = journal.begin(lambda key: line(key, "begun", 0))
    journal.append(line_of(request_record()))
    take()
    assert [event["subtype"][0]["code"] for event in events(client)] == ["read"]
    journal.finish(segment, line(key, "done", 204))
    take()
    assert sorted(event["subtype"][0]["code"] for event in events(client)) == ["delete", "read"]


def test_a_damaged_line_is_kept_aside_and_keeps_nothing_else_out(
    journal: Journal, folder: Path, take: Callable[[], None], client: FlaskClient
) -> None:
    journal.append(line_of(request_record()))
    journal.append(b"\x00\x00\x00\n")
    journal.append(b'{"at":"no time","request":null,"who":{},"code":"sign-in","succeeded":true}\n')
    journal.append(line_of(request_record()))
    take()
    assert len(events(client)) == 2
    assert (folder / "journal-0001.damaged").read_bytes().count(b"\n") == 2


def test_the_patients_are_those_of_the_version_that_was_seen(
    journal: Journal, take: Callable[[], None], client: FlaskClient
) -> None:
    client.put("/fhir/Observation/o", json=observation("one"))
    client.put("/fhir/Observation/o", json=observation("two"))
    client.delete("/fhir/Observation/o")
    for version in (1, 2, 3):
        journal.append(line_of(request_record(Deed("read", 200, "Observation", "o", version), at=AT + version)))
    journal.append(line_of(request_record(Deed("read", 404, "Observation", "o"), at=AT + 4)))
    journal.append(
        line_of(request_record(Deed("search", 200, "Observation", shown=(("Observation", "o", 1),)), at=AT + 5))
    )
    take()
    patients = [[name for name in named(event) if "Patient" in name] for event in events(client, "&_sort=date")]
    assert patients == [["Patient/one"], ["Patient/two"], ["Patient/two"], ["Patient/two"], ["Patient/one"]]


def test_old_events_move_into_a_file_and_nothing_else_does(
    journal: Journal, take: Callable[[], None], client: FlaskClient, services: Services, tmp_path: Path
) -> None:
    client.put("/fhir/Observation/o", json=observation("one"))
    for number in range(3):
        journal.append(line_of(request_record(request=f"r{number}")))
    take()
    before = events(client, "&_sort=_id")
    file = tmp_path / "old.ndjson.gz"
    assert archive(services.database, journal, services.clock, date(2000, 1, 1), tmp_path / "none.ndjson.gz") == 0
    assert archive(services.database, journal, services.clock, date(2100, 1, 1), file) == 3
    assert file.stat().st_mode & 0o777 == 0o600
    take()
    left = events(client)
    assert [event["subtype"][0]["code"] for event in left] == ["audit-archive"] * 2
    assert client.get("/fhir/Observation/o").status_code == 200
    with pytest.raises(FileExistsError):
        archive(services.database, journal, services.clock, date(2100, 1, 1), file)
    assert len(events(client)) == 2
    assert sorted((orjson.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()), key=_id) == before


def _id(event: dict[str, Any]) -> str:
    return str(event["id"])
