"""Profiles against the cases of the HL7 validator: do we find errors where it recorded errors?

https://github.com/FHIR/fhir-test-cases (validator/manifest.json)

A run is in scope where it is about profiles, and all that it needs is in the archive, in R4 or in US Core 3.1.1.
`profile_disagreements.txt` lists the runs in scope in which we differ, each with its reason.
"""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from resources.document import parse_document
from resources.problem import Problem
from resources.xml import json_from_xml
from tests.resources.profiles.material import core_definitions, errors, profiles_of, us_core
from tests.resources.test_validator_cases import OTHER_FORMATS, OTHER_VALIDATORS, found_elsewhere

Case = dict[str, Any]

DISAGREEMENTS = Path(__file__).with_name("profile_disagreements.txt")

# Modules of cases that are about other things than profiles of resources.
_OTHER_MODULES = (
    "questionnaire",
    "tx",
    "xhtml",
    "matchetype",
    "package-versioning",
    "sd",
    "api",
    "measure",
    *OTHER_FORMATS,
)
_KNOWN_PACKAGES = ("hl7.fhir.us.core#3.1.0", "hl7.fhir.us.core#3.1.1")
_PLAIN = {
    *("name", "file", "version", "module", "java", "description", "documentation", "explanation"),
    *("profile", "profiles", "supporting", "packages", "assumeValidRestReferences"),
}


class Run(NamedTuple):
    """One validation: by the definitions at hand alone, or against the profile that the case names."""

    name: str
    case: Case
    used: list[str]
    packages: list[str]
    source: str | None
    record: Any


def runs(cases: list[Case]) -> Iterator[Run]:
    for case in cases:
        profile = case.get("profile") or {}
        used = [*case.get("supporting", ()), *case.get("profiles", ())]
        packages = case.get("packages") or []
        if used or packages:
            yield Run(case["name"], case, used, packages, None, case.get("java"))
        if "source" in profile:
            further = [*used, *profile.get("supporting", ())]
            more = [*packages, *(profile.get("packages") or [])]
            yield Run(case["name"] + " (profile)", case, further, more, profile["source"], profile.get("java"))


def out_of_scope(run: Run, files: dict[str, bytes]) -> str | None:
    case = run.case
    if case.get("version") not in ("4.0", "4.0.1"):
        return "another FHIR version"
    if case.get("module") in _OTHER_MODULES or "questionnaire/" in case["file"]:
        return "not about profiles"
    if set(case) - _PLAIN - OTHER_VALIDATORS:
        return "an option of the validator"
    if any(package not in _KNOWN_PACKAGES for package in run.packages):
        return "a package that is not in the archive"
    if any(name not in files for name in (*run.used, run.source or case["file"])):
        return "a file that is not in the archive"
    recorded = errors_recorded(run, files)
    if recorded is None:
        return "no recorded outcome"
    elsewhere = {found_elsewhere(error) for error in recorded} - {"profile"}
    return "errors from elsewhere" if elsewhere and recorded and None not in elsewhere else None


def errors_recorded(run: Run, files: dict[str, bytes]) -> list[Case] | None:
    record = files.get(f"outcomes/{run.record}") if isinstance(run.record, str) else None
    if record is None:
        return None
    return [issue for issue in json.loads(record).get("issue", []) if issue["severity"] in ("error", "fatal")]


def parsed(content: bytes) -> Case:
    is_xml = content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")
    return parse_document(json_from_xml(content) if is_xml else content.decode("utf-8-sig")).tree


def we_refuse(run: Run, files: dict[str, bytes], shared: Path) -> bool:
    held: list[Case] = [*core_definitions(shared)]
    if run.packages:
        held += us_core(shared, "311").definitions
    asked = []
    for name in (*run.used, *([run.source] if run.source else [])):
        tree = parsed(files[name])
        held += [entry["resource"] for entry in tree["entry"]] if tree["resourceType"] == "Bundle" else [tree]
        if name == run.source:
            asked.append(tree["url"])
    try:
        return bool(errors(parsed(files[run.case["file"]]), profiles_of(held), *asked))
    except Problem:
        return True


def test_we_find_errors_where_the_hl7_validator_does_but_for_the_listed_runs(shared: Path) -> None:
    with zipfile.ZipFile(shared / "fhir/test-cases/validator-r4.zip") as content:
        files = {name: content.read(name) for name in content.namelist()}
    every = list(runs(json.loads(files["manifest.json"])["test-cases"]))
    scopes = {run.name: out_of_scope(run, files) for run in every}
    assert Counter(scopes.values()) == {
        None: 65,
        "not about profiles": 86,
        "another FHIR version": 40,
        "an option of the validator": 11,
        "a package that is not in the archive": 9,
        "no recorded outcome": 5,
        "errors from elsewhere": 2,
    }
    in_scope = [run for run in every if scopes[run.name] is None]
    differ = {run.name for run in in_scope if we_refuse(run, files, shared) != bool(errors_recorded(run, files))}
    lines = DISAGREEMENTS.read_text(encoding="utf-8").splitlines()
    listed = dict(line.split(": ", 1) for line in lines if line and not line.startswith("#"))
    assert differ == set(listed)
    assert len(differ) <= len(in_scope) * 0.15
