"""Condense the test plans of US Core into the facts that `conformance/us_core/` works with.

The plans are metadata that the authors of the official test kit derived from the US Core implementation guides, under the
Apache License 2.0; here are the facts alone, without their words. One line of the output is one profile of one version:

    "6.1.0/patient": {"url": ..., "type": ..., "interactions": {code: expectation}, "searches": [[expectation, name, ...]],
        "parameters": {name: {"type", "paths", "values", "comparators", "or", "and", "chains"}}, "includes": [...],
        "revincludes": [...], "must_support": [path, ...], "extensions": [url, ...], "fixed": {path: value}}

What is `MAY` is left out, and so is what is empty. Run it where the plans change:

    python scripts/condense_us_core_plans.py
"""

from __future__ import annotations

import argparse
import os
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from condense_definitions import ROOT, one_a_line

VERSIONS = ("3.1.1", "6.1.0", "7.0.0")
EXPECTED = ("SHALL", "SHOULD")
FAST = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SLICE = re.compile(r":[\w-]+|\[x\]")

Facts = dict[str, Any]


def condense(archive: Path) -> str:
    """The content of the file of facts."""
    facts: dict[str, Facts] = {}
    with zipfile.ZipFile(archive) as plans:
        for version in VERSIONS:
            tree = yaml.load(plans.read(f"inferno-metadata/us_core_v{version}.yml"), FAST)  # noqa: S506 - a safe loader
            for group in sorted(tree[":groups"], key=lambda each: str(each[":name"])):
                name = str(group[":name"]).removeprefix("us_core_")
                facts[f"{version}/{name}"] = _profile(group)
    return one_a_line(facts)


def _profile(group: Mapping[str, Any]) -> Facts:
    supports = group[":must_supports"]
    elements = supports[":elements"]
    facts = {
        "url": group[":profile_url"],
        "type": group[":resource"],
        "interactions": dict(_expected(group[":interactions"])),
        "searches": [
            [each[":expectation"], *each[":names"]] for each in group[":searches"] if each[":expectation"] in EXPECTED
        ],
        "parameters": {name.removeprefix(":"): _parameter(each) for name, each in group[":search_definitions"].items()},
        "includes": group.get(":include_params") or [],
        "revincludes": group.get(":revincludes") or [],
        "must_support": list(dict.fromkeys(_SLICE.sub("", each[":path"]) for each in elements)),
        "extensions": [each[":url"] for each in supports[":extensions"]],
        "fixed": {
            _SLICE.sub("", each[":path"]): each[":fixed_value"]
            for each in elements
            if ":fixed_value" in each and "component" not in each[":path"]
        },
    }
    return {name: value for name, value in facts.items() if value}


def _expected(interactions: list[Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    return ((each[":code"], each[":expectation"]) for each in interactions if each[":expectation"] in EXPECTED)


def _parameter(definition: Mapping[str, Any]) -> Facts:
    facts = {
        "type": str(definition[":type"]).rpartition(".")[2]
        if "fhirpath" in definition[":type"]
        else definition[":type"],
        "paths": definition[":paths"],
        "values": definition[":values"],
        "comparators": [
            name.removeprefix(":") for name, each in definition[":comparators"].items() if each in EXPECTED
        ],
        "or": definition[":multiple_or"] if definition[":multiple_or"] in EXPECTED else None,
        "and": definition.get(":multiple_and") if definition.get(":multiple_and") in EXPECTED else None,
        "chains": [each[":chain"] for each in definition.get(":chain", []) if each[":expectation"] in EXPECTED],
    }
    return {name: value for name, value in facts.items() if value}


def main() -> None:
    shared = Path(os.environ.get("FHIR_SHARED", ROOT.parent / "shared"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plans", type=Path, default=shared / "fhir" / "us-core" / "api-test-plans.zip")
    parser.add_argument("--output", type=Path, default=ROOT / "conformance" / "us_core" / "plans.json")
    arguments = parser.parse_args()
    content = condense(arguments.plans)
    arguments.output.write_text(content, encoding="utf-8")
    print(f"{arguments.output.name}: {len(content):,} characters, {content.count(chr(10)) - 2:,} profiles")


if __name__ == "__main__":
    main()
