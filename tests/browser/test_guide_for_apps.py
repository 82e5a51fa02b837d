"""The examples of docs/smart-apps.md, run as they stand there."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("browser")

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "smart-apps.md").read_text()
SCRIPTS = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
COMMANDS = re.findall(r"^    fhir-server (client add (?:.*\\\n)*.*)$", GUIDE, re.MULTILINE)


def test_an_app_is_registered_as_the_guide_says(site):
    arguments = shlex.split(COMMANDS[0].replace("\\\n", " "))
    made = json.loads(site.command(*arguments))
    assert (made["client_name"], made["policy_uri"]) == ("Weight Diary", "https://app.example.org/privacy")


def test_a_backend_service_reads_as_the_guide_says(site, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the example's files are named without a folder
    make_keys, read = SCRIPTS

    def run(script: str) -> str:
        whole = [sys.executable, "-W", "error", "-c", script]
        return subprocess.run(whole, capture_output=True, text=True, check=True).stdout.strip()

    run(make_keys)
    made = json.loads(site.command(*shlex.split(COMMANDS[1])))
    told = read.replace("http://localhost:8080", site.root).replace('"CLIENT_ID"', json.dumps(made["client_id"]))
    assert run(told) == "Bundle"
