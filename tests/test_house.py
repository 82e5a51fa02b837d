"""The rules of the house that a machine can check: file sizes, complete documentation, constraints without addresses."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from capability.interactions_table import INTERACTIONS
from fhir_server.dispatch import HANDLERS
from fhir_server.routes import ALL_HANDLERS
from fhir_server.settings import describe_settings

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("resources", "search", "smart_auth", "capability", "fhir_server", "conformance", "scripts", "benchmarks")
LONGEST_FILE = 400
LONGEST_TEST = 600


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def test_no_file_is_longer_than_a_person_reads_in_one_go():
    too_long = [
        (str(path.relative_to(ROOT)), lines)
        for path in python_files(*PACKAGES, "tests")
        if (lines := len(path.read_text().splitlines())) > (LONGEST_TEST if "tests" in path.parts else LONGEST_FILE)
    ]
    assert too_long == []


@pytest.mark.parametrize("path", python_files(*PACKAGES), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_first_what_it_owns(path):
    text = path.read_text()
    assert text.startswith('"""')


@pytest.mark.parametrize("setting", describe_settings(), ids=lambda setting: setting.name)
def test_every_setting_is_in_the_operating_guide_as_it_is_in_the_code(setting):
    row = f"| `{setting.name}` | {setting.default} | {setting.accepts} | {setting.help} |"
    assert row in (ROOT / "docs" / "operating.md").read_text()


def test_every_decision_is_listed_and_every_listed_decision_exists():
    folder = ROOT / "docs" / "adr"
    listed = set(re.findall(r"\]\((\d{4}-[a-z0-9-]+\.md)\)", (folder / "README.md").read_text()))
    assert listed == {path.name for path in folder.glob("0*.md")}


@pytest.mark.parametrize("page", [*sorted(ROOT.glob("docs/**/*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
def test_links_between_pages_lead_somewhere(page):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_modules_that_the_tour_names_exist():
    names = set(re.findall(r"\*\*`([a-z_/]+\.py)`\*\*", (ROOT / "docs" / "tour.md").read_text()))
    known = {str(path.relative_to(ROOT)) for path in python_files(*PACKAGES)}
    assert names
    assert [name for name in names if not any(path.endswith(name) for path in known)] == []


def test_every_row_of_the_interactions_table_has_a_handler_and_every_handler_a_row():
    assert {row.name for row in INTERACTIONS} == set(ALL_HANDLERS)
    assert set(HANDLERS) < set(ALL_HANDLERS)


def test_the_constraints_pin_versions_and_name_no_address():
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!_-]+", line)] == []


def test_nothing_from_outside_is_committed():
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    suspects = (".gz", ".bz2", ".zip", ".whl", ".so", ".png", ".jar")
    assert [name for name in files if name.endswith(suspects)] == []
