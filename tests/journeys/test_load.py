"""`fhir-server load`: everything goes in, once, in any order; what cannot is set aside with the reason."""

from __future__ import annotations

import bz2
import gzip
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from fhir_server.embedded_mongodb import EmbeddedMongoDB
from fhir_server.loading.sources import Source, units_of
from fhir_server.store.database import Database, connected
from resources.validation import errors_of, validate


class Loader:
    """`fhir-server load` into a store of the test's own: on the MongoDB of a URI, or else on an embedded one."""

    def __init__(self, folder: Path, uri: str | None = None) -> None:
        self.data_dir = folder / "data"
        self.folder = folder
        self.rejects_file = folder / "rejects.ndjson"
        self.uri = uri
        self.name = f"load-{uuid4().hex}" if uri else "fhir"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FHIR_")}
        self.environ = {**kept, "FHIR_DATA_DIR": str(self.data_dir), "FHIR_WORKERS": "2"}
        if uri:
            self.environ |= {"FHIR_MONGODB_URI": uri, "FHIR_DATABASE": self.name}

    def command(self, *paths: Path) -> list[str]:
        return [sys.executable, "-m", "fhir_server.cli", "load", "--rejects", str(self.rejects_file), *map(str, paths)]

    def load(self, *paths: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*paths), env=self.environ, cwd=self.folder, capture_output=True, text=True, check=False
        )

    def rejects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.rejects_file.read_text().splitlines()]

    @contextmanager
    def database(self) -> Iterator[Database]:
        with ExitStack() as opened:
            uri = self.uri or opened.enter_context(EmbeddedMongoDB.attach_or_start(self.data_dir, cache_mb=256)).uri
            yield opened.enter_context(connected(uri, self.name))


@pytest.fixture(scope="module")
def mongodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedMongoDB]:
    """For all tests that are not about how a load starts and stops a MongoDB of its own."""
    with EmbeddedMongoDB(tmp_path_factory.mktemp("load") / "data", cache_mb=256) as running:
        yield running


@pytest.fixture
def loader(tmp_path: Path, mongodb: EmbeddedMongoDB) -> Loader:
    return Loader(tmp_path, mongodb.uri)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


def patient(own: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": own, **more}


def lines(*records: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def bundle(kind: str, *entries: dict[str, Any]) -> bytes:
    return json.dumps({"resourceType": "Bundle", "type": kind, "entry": list(entries)}).encode()


def counts(output: str) -> dict[str, tuple[int, int, int]]:
    """The closing table: type → created, updated, unchanged."""
    rows = re.findall(r"│ (\w+) +│ +([\d,]+) │ +([\d,]+) │ +([\d,]+) │", output)
    return {name: tuple(int(n.replace(",", "")) for n in numbers) for name, *numbers in rows}  # type: ignore[misc]


def replaced_versions(database: Database) -> int:
    return sum(database.history(name).count_documents({}) for name in database.stored_types())


def test_records_load_whole_and_loading_them_again_adds_nothing(tmp_path, files, shared):
    """Every second of the thirty records, by size, into a MongoDB that the load starts; test_bundle_synthea takes all."""
    records = sorted((shared / "synthea" / "v2.4").glob("*.json.bz2"), key=lambda path: path.stat().st_size)[1::2]
    for path in records:
        (files / path.name).symlink_to(path)
    loader = Loader(tmp_path)
    first = loader.load(*sorted(files.iterdir(), reverse=True))
    assert first.returncode == 0, first.stdout + first.stderr
    assert "0 records rejected." in first.stdout
    created = {name: number[0] for name, number in counts(first.stdout).items()}
    assert created["Patient"] == 15
    again = loader.load(files)
    assert again.returncode == 0
    assert all(number[:2] == (0, 0) for number in counts(again.stdout).values())
    with loader.database() as database:
        assert {name: database.current(name).count_documents({}) for name in database.stored_types()} == created
        assert replaced_versions(database) == 0


def test_the_order_of_files_does_not_matter(loader, shared):
    """The patients refer to hospitals and practitioners by conditions that only the last two files satisfy."""
    folder = shared / "synthea" / "v2.7"
    hospitals = sorted(folder.glob("0-*"))
    assert len(hospitals) == 2
    patients = sorted((p for p in folder.glob("*.json.bz2") if p not in hospitals), key=lambda p: p.stat().st_size)[:6]
    done = loader.load(*patients, *hospitals)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 records rejected." in done.stdout
    assert counts(done.stdout)["Patient"] == (6, 0, 0)
    with loader.database() as database:
        raw = b"".join(document["raw"] for document in database.current("Encounter").find({}, {"raw": 1}))
        assert raw.count(b'"Practitioner/') > 0
        assert b"Practitioner?" not in raw


def test_every_form_of_file_is_read(loader, files):
    (files / "single.json").write_text(json.dumps(patient("single"), indent=2))
    (files / "plain.ndjson").write_bytes(lines(patient("plain-1")) + b"\n \n" + lines(patient("plain-2")))
    (files / "packed.ndjson.gz").write_bytes(gzip.compress(lines(*(patient(f"gz-{n}") for n in range(450)))))
    (files / "packed.jsonl.bz2").write_bytes(bz2.compress(lines(patient("bz2"))))
    (files / "not-for-loading.txt").write_text("{")
    (files / "deeper").mkdir()
    encounter = {"resourceType": "Encounter", "status": "planned", "class": {"code": "AMB"}}
    subject = {"subject": {"reference": "urn:uuid:8a3cbb5e-3c11-4f0b-9b3e-5d1a3c3a1a01"}}
    (files / "deeper" / "collection.json").write_bytes(
        bundle(
            "collection",
            {"fullUrl": "urn:uuid:8a3cbb5e-3c11-4f0b-9b3e-5d1a3c3a1a01", "resource": patient("member")},
            {"resource": {**encounter, "id": "visit", **subject}},
        )
    )
    put = {"method": "PUT", "url": "Patient/batched"}
    (files / "deeper" / "batch.json.gz").write_bytes(
        gzip.compress(
            bundle(
                "batch",
                {"resource": patient("batched"), "request": put},
                {"resource": {"resourceType": "Patient"}, "request": {"method": "POST", "url": "Patient"}},
            )
        )
    )
    for outcome in range(2):
        done = loader.load(files)
        assert done.returncode == 0, done.stdout + done.stderr
        table = counts(done.stdout)
        assert table["Patient"][2 * outcome] == 1 + 2 + 450 + 1 + 1 + 2
        assert table["Encounter"][2 * outcome] == 1
    with loader.database() as database:
        visit = database.current("Encounter").find_one({"_id": "visit"})
        assert visit is not None
        assert b'"Patient/member"' in visit["raw"]
        assert replaced_versions(database) == 0


def test_bad_records_are_set_aside_with_the_reason_and_everything_else_goes_in(loader, files):
    good = [patient(f"good-{n}") for n in range(5)]
    packed = gzip.compress(
        b"".join(lines(patient(f"cut-{n}", name=[{"text": os.urandom(90).hex()}])) for n in range(300))
    )
    bad_line = b'{"resourceType": "Patient", "id": "broken"\n'
    latin_1 = '{"resourceType": "Patient", "name": [{"text": "Müller"}]}\n'.encode("latin-1")
    (files / "mixed.ndjson").write_bytes(
        lines(good[0]) + bad_line + lines(good[1], patient("wrong", active="yes"), good[2]) + latin_1 + lines(good[3])
    )
    (files / "cut.ndjson.gz").write_bytes(packed[: len(packed) // 2])
    (files / "spoilt.json.gz").write_bytes(packed[:50] + bytes(100))
    (files / "no-gzip.ndjson.bz2").write_bytes(b"plain")
    unresolved = {"reference": "Practitioner?identifier=urn:nowhere|1"}
    (files / "unresolved.json").write_text(json.dumps(patient("waits", generalPractitioner=[unresolved])))
    request = {"method": "POST", "url": "Patient"}
    (files / "transaction.json").write_bytes(
        bundle(
            "transaction",
            {"resource": patient("whole"), "request": request},
            {"resource": patient("or-not", gender="x"), "request": request},
        )
    )
    (files / "batch.json").write_bytes(
        bundle(
            "batch",
            {"resource": good[4], "request": {"method": "PUT", "url": "Patient/good-4"}},
            {"resource": patient("late", gender="x"), "request": {"method": "PUT", "url": "Patient/late"}},
        )
    )
    done = loader.load(files)
    assert done.returncode == 1
    rejects = {reject["source"]: reject for reject in loader.rejects()}
    assert set(rejects) == {
        "mixed.ndjson:2", "mixed.ndjson:4", "mixed.ndjson:6", "cut.ndjson.gz", "spoilt.json.gz", "no-gzip.ndjson.bz2",
        "unresolved.json", "transaction.json", "batch.json Bundle.entry[1]",
    }  # fmt: skip
    assert f"{len(rejects)} records rejected." in done.stdout
    for reject in rejects.values():
        assert errors_of(validate(reject["outcome"])) == []
    assert "Practitioner?identifier" in rejects["unresolved.json"]["outcome"]["issue"][0]["diagnostics"]
    assert json.loads(rejects["mixed.ndjson:4"]["record"]) == patient("wrong", active="yes")
    assert loader.rejects_file.stat().st_mode & 0o077 == 0  # it holds patient data
    with loader.database() as database:
        stored = {document["_id"] for document in database.current("Patient").find({}, {"_id": 1})}
    assert {own for own in stored if not own.startswith("cut-")} == {each["id"] for each in good}
    cut = sorted(int(own[4:]) for own in stored if own.startswith("cut-"))
    assert cut == list(range(len(cut)))  # all that could be unpacked, from the beginning
    assert len(cut) > 100


def test_a_rejected_record_goes_in_once_what_it_refers_to_is_there(loader, files):
    reference = {"reference": "Practitioner?identifier=urn:here|1"}
    (files / "1.ndjson").write_bytes(lines(patient("single", generalPractitioner=[reference])))
    (files / "2.json").write_bytes(
        bundle(
            "batch",
            {
                "fullUrl": "urn:uuid:5d3cbb5e-3c11-4f0b-9b3e-5d1a3c3a1a02",
                "resource": {"resourceType": "Patient", "generalPractitioner": [reference]},
                "request": {"method": "POST", "url": "Patient"},
            },
        )
    )
    (files / "3.json").write_bytes(
        bundle(
            "collection",
            {
                "fullUrl": "urn:uuid:5d3cbb5e-3c11-4f0b-9b3e-5d1a3c3a1a03",
                "resource": {"resourceType": "Patient", "generalPractitioner": [reference]},
            },
        )
    )
    identifier = [{"system": "urn:here", "value": "1"}]
    (files / "4.json").write_text(json.dumps({"resourceType": "Practitioner", "id": "p", "identifier": identifier}))
    for outcome in range(2):
        done = loader.load(files)
        assert done.returncode == 0, done.stdout + done.stderr
        assert counts(done.stdout)["Patient"][2 * outcome] == 3
    with loader.database() as database:
        stored = {document["_id"]: document["raw"] for document in database.current("Patient").find({})}
    assert set(stored) == {
        "single", "5d3cbb5e-3c11-4f0b-9b3e-5d1a3c3a1a02", "5d3cbb5e-3c11-4f0b-9b3e-5d1a3c3a1a03",
    }  # fmt: skip
    assert all(b'"Practitioner/p"' in raw for raw in stored.values())


def test_what_is_loaded_beside_a_running_server_is_seen_through_it(start_server, files):
    server = start_server()
    loader = Loader(server.data_dir.parent)
    (files / "patients.ndjson").write_bytes(lines(*(patient(f"loaded-{n}") for n in range(300))))
    assert loader.load(files).returncode == 0
    with server.client() as client:
        assert client.get("/Patient?_summary=count").json()["total"] == 300
        assert client.get("/Patient/loaded-299").json()["meta"]["versionId"] == "1"
        assert client.put("/Patient/loaded-1", json=patient("loaded-1", active=True)).status_code == 200
    assert httpx.get(f"{server.site}/readyz").status_code == 200


def test_ctrl_c_leaves_a_store_on_which_loading_goes_on(loader, files):
    linked = [
        bundle(
            "transaction",
            *(
                {"resource": patient(f"p-{n}-{m}"), "request": {"method": "PUT", "url": f"Patient/p-{n}-{m}"}}
                for m in range(20)
            ),
        )
        for n in range(200)
    ]
    for number, text in enumerate(linked):
        (files / f"{number:03}.json").write_bytes(text)
    run = subprocess.Popen(loader.command(files), env=loader.environ, cwd=loader.folder, start_new_session=True)
    with loader.database() as database:
        deadline = time.monotonic() + 60
        while not database.current("Patient").count_documents({}) and time.monotonic() < deadline:
            time.sleep(0.01)
        os.killpg(run.pid, signal.SIGINT)  # as a terminal does: to every process of the group
        assert run.wait(60) != 0
        stored = [document["_id"] for document in database.current("Patient").find({}, {"_id": 1})]
        assert 0 < len(stored) < 4000
        assert len(stored) % 20 == 0  # whole transactions
    done = loader.load(files)
    assert done.returncode == 0
    assert counts(done.stdout)["Patient"] == (4000 - len(stored), 0, len(stored))
    with loader.database() as database:
        assert replaced_versions(database) == 0


def test_progress_moves_on_a_terminal_and_keeps_quiet_in_a_pipe(loader, files):
    (files / "patients.ndjson").write_bytes(lines(*(patient(f"p-{n}") for n in range(2000))))
    terminal, other_end = pty.openpty()
    run = subprocess.Popen(loader.command(files), env=loader.environ, cwd=loader.folder, stdout=other_end)
    os.close(other_end)
    shown = b""
    try:
        while piece := os.read(terminal, 65536):
            shown += piece
    except OSError:
        pass  # how a terminal ends whose other side is closed
    os.close(terminal)
    assert run.wait(60) == 0
    assert len(set(re.findall(rb"([\d,]+) resources", shown))) >= 2  # it grows while one watches
    assert b"/s" in shown
    piped = loader.load(files)
    assert "\x1b" not in piped.stdout
    assert len(piped.stdout.splitlines()) < 15


def test_a_long_file_is_not_read_into_memory(tmp_path):
    path = tmp_path / "long.ndjson.gz"
    line = lines(patient("same", name=[{"text": "x" * 1000}]))
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(40):
            file.write(line * 1000)
    tracemalloc.start()
    units = sum(1 for _ in units_of(Source(path, "lines", path.stat().st_size)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert units > 100
    assert peak < 5_000_000  # of 42 MB
