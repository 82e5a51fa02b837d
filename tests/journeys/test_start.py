"""The server starts, says what it is, and stops."""

from __future__ import annotations

import signal

import httpx

from fhir_server.serving import STOP_SECONDS


def test_the_server_answers_on_its_fixed_addresses(server, client):
    assert httpx.get(f"{server.site}/healthz").json() == {"status": "ok"}
    assert httpx.get(f"{server.site}/readyz").json() == {"status": "ok"}
    assert client.get("/metadata").json()["resourceType"] == "CapabilityStatement"
    assert httpx.get(f"{server.site}/openapi.json").json()["openapi"] == "3.0.3"


def test_a_stopped_server_leaves_no_process_behind(start_server):
    server = start_server()
    assert server.stop() == 0
    assert not (server.data_dir / "run" / "mongod.sock").exists()


def test_a_server_can_be_stopped_while_a_worker_still_starts(start_server):
    server = start_server()  # answers as soon as the first of its workers does
    server.process.send_signal(signal.SIGTERM)
    # Less than what a worker gets to finish its requests before it is killed.
    assert server.process.wait(STOP_SECONDS - 5) == 0
