"""What the doctor finds on a machine, and how it says so."""

import io
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from fhir_server.doctor import Finding, examine, exit_code, render
from fhir_server.embedded_mongodb import DataDir, EmbeddedMongoDB, PlatformFacts
from fhir_server.embedded_mongodb.process import find_running


@pytest.fixture
def environ(tmp_path: Path) -> Iterator[dict[str, str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    yield {"FHIR_DATA_DIR": str(tmp_path / "d"), "FHIR_PORT": port}
    if left := find_running(DataDir.at(tmp_path / "d")):
        left.end(10)


def about(findings: list[Finding], subject: str) -> list[Finding]:
    return [finding for finding in findings if finding.subject == subject]


def test_on_a_machine_in_order_nothing_is_wrong_and_nothing_is_created(environ: dict[str, str]) -> None:
    findings = examine(environ)
    assert exit_code(findings) == 0, findings
    assert {finding.subject for finding in findings} >= {"Python", "Machine", "Settings", "mongod", "Libraries", "Port"}
    assert "is MongoDB " in about(findings, "mongod")[0].found
    assert not Path(environ["FHIR_DATA_DIR"]).exists()


def test_wrong_settings_are_errors(environ: dict[str, str]) -> None:
    findings = examine({**environ, "FHIR_PRT": "80", "FHIR_WORKERS": "many"})
    assert [finding.level for finding in about(findings, "Settings")] == ["error", "error"]
    assert exit_code(findings) == 1


def test_a_running_embedded_mongodb_and_its_server_are_found(environ: dict[str, str]) -> None:
    with EmbeddedMongoDB(environ["FHIR_DATA_DIR"], cache_mb=256) as mongodb:
        findings = examine(environ)
        assert str(os.getpid()) in about(findings, "Server")[0].found
        assert "replica set rs0" in about(findings, "MongoDB")[0].found
        given = about(examine({**environ, "FHIR_MONGODB_URI": mongodb.uri}), "MongoDB")
        assert given[0].level == "ok"


def test_a_database_that_does_not_answer_is_an_error_that_hides_the_password(environ: dict[str, str]) -> None:
    uri = "mongodb://me:secret@127.0.0.1:1/?serverSelectionTimeoutMS=200"
    findings = examine({**environ, "FHIR_MONGODB_URI": uri})
    (finding,) = about(findings, "MongoDB")
    assert finding.level == "error"
    assert not any("secret" in each.found + each.advice for each in findings)


def test_a_port_in_use_is_an_error(environ: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(environ["FHIR_PORT"])))
        taken.listen()
        (finding,) = about(examine(environ), "Port")
    assert finding.level == "error"
    assert "FHIR_PORT" in finding.advice


def test_a_data_directory_below_a_file_is_an_error(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (finding,) = about(examine({**environ, "FHIR_DATA_DIR": str(tmp_path / "file" / "d")}), "Data directory")
    assert finding.level == "error"


def test_another_platform_is_an_error_that_says_what_to_install(environ: dict[str, str]) -> None:
    facts = PlatformFacts("Darwin", "arm64", "", has_avx=True, search_path="/nowhere", bundled=None)
    (finding,) = about(examine(environ, facts), "mongod")
    assert finding.level == "error"
    assert "FHIR_MONGODB_URI" in finding.found


def test_it_prints_plain_words_and_returns_the_exit_code() -> None:
    paper = io.StringIO()
    findings = [Finding("ok", "Port", "8080 is free."), Finding("error", "Disk", "[x] is full.", "Free some space.")]
    assert render(findings, Console(file=paper, width=200)) == 1
    assert "[x] is full. Free some space." in paper.getvalue()
    assert render(findings[:1], Console(file=paper, width=200)) == 0
    assert "Everything is in order." in paper.getvalue()
