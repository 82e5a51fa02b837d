"""Validation against the cases of the HL7 validator: do we find errors where it recorded errors?

https://github.com/FHIR/fhir-test-cases (validator/manifest.json)

A case is in scope where base R4 alone decides it. `out_of_scope` says in one word why another is not.
`validator_disagreements.txt` lists the cases in scope in which we differ, each with its reason.
"""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from resources.document import parse_document
from resources.problem import Problem
from resources.validation import errors_of, validate

Case = dict[str, Any]

DISAGREEMENTS = Path(__file__).with_name("validator_disagreements.txt")

# Members of a case that bring further files or definitions into play, or formats that are not FHIR's JSON.
_NEEDS_MORE = (
    "supporting",
    "profiles",
    "packages",
    "package-map",
    "fetcher",
    "logical",
    "matchetype",
    "bundle-param",
    "use-test",
)
OTHER_FORMATS = ("cda", "shc", "cdshooks", "json5", "logical", "fmt", "xver", "measure")
# Members that say nothing of how the case is to be judged; any other one sets an option of the HL7 validator.
_PLAIN = {"name", "file", "version", "module", "java", "description", "profile", "documentation", "explanation"}
OTHER_VALIDATORS = {"firely-sdk-current", "firely-sdk-wip", "brianpos"}

_EXTENSIONS = "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-"


class Archive(NamedTuple):
    cases: list[Case]
    files: dict[str, bytes]


@pytest.fixture(scope="module")
def archive(shared: Path) -> Archive:
    with zipfile.ZipFile(shared / "fhir/test-cases/validator-r4.zip") as content:
        files = {name: content.read(name) for name in content.namelist()}
    return Archive(json.loads(files["manifest.json"])["test-cases"], files)


def recorded_errors(case: Case, files: dict[str, bytes]) -> list[Case] | None:
    """The error issues that the HL7 validator reported; None where the archive has no record."""
    record = files.get(f"outcomes/{case['java']}") if isinstance(case.get("java"), str) else None
    if record is None:
        return None
    return [issue for issue in json.loads(record).get("issue", []) if issue["severity"] in ("error", "fatal")]


def found_elsewhere(issue: Case) -> str | None:
    """Where an error of the HL7 validator comes from, if not from base R4."""
    details = {e["url"].removeprefix(_EXTENSIONS): next(iter(set(e) - {"url"})) for e in issue.get("extension", ())}
    if "server" in details:
        return "terminology server"
    if "http://snomed.info/sct" in issue["details"]["text"] or "Invalid ECL" in issue["details"]["text"]:
        return "terminology server"
    if "could not be found so is not allowed here" in issue["details"]["text"]:
        return "extension of a package"
    context = next((e["valueString"] for e in issue.get("extension", ()) if e["url"] == _EXTENSIONS + "context"), "")
    name = context.rpartition("/")[2].partition("|")[0]
    return "profile" if name and not name[0].isupper() else None


def out_of_scope(case: Case, files: dict[str, bytes]) -> str | None:
    """Why base R4 alone does not decide a case, or None where it does."""
    if case.get("version") not in ("4.0", "4.0.1"):
        return "another FHIR version"
    if not case["file"].endswith(".json") or case.get("module") in OTHER_FORMATS:
        return "another format"
    if any(case.get(member) for member in _NEEDS_MORE):
        return "further definitions"
    if set(case) - _PLAIN - OTHER_VALIDATORS:
        return "an option of the validator"
    errors = recorded_errors(case, files)
    if errors is None:
        return "no recorded outcome"
    sources = {found_elsewhere(error) for error in errors}
    return "errors from elsewhere" if errors and None not in sources else None


def we_refuse(text: bytes) -> bool:
    try:
        return bool(errors_of(validate(parse_document(text).tree)))
    except Problem:
        return True


def listed() -> dict[str, str]:
    lines = DISAGREEMENTS.read_text(encoding="utf-8").splitlines()
    return dict(line.split(": ", 1) for line in lines if line and not line.startswith("#"))


def test_cases_are_left_out_for_the_counted_reasons_only(archive: Archive) -> None:
    assert Counter(out_of_scope(case, archive.files) for case in archive.cases) == {
        None: 65,
        "further definitions": 107,
        "another format": 106,
        "another FHIR version": 105,
        "an option of the validator": 11,
        "errors from elsewhere": 9,
        "no recorded outcome": 8,
    }


def test_we_find_errors_where_the_hl7_validator_does_but_for_the_listed_cases(archive: Archive) -> None:
    cases = [case for case in archive.cases if out_of_scope(case, archive.files) is None]
    differ = {
        case["name"]
        for case in cases
        if we_refuse(archive.files[case["file"]]) != bool(recorded_errors(case, archive.files))
    }
    assert differ == set(listed())
    assert len(differ) <= len(cases) // 10
