"""The official FHIRPath cases of the FHIR R4 test suite.

https://github.com/FHIR/fhir-test-cases/blob/master/r4/fhirpath/tests-fhir-r4.xml
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from resources.fhirpath import FhirPathError, Node, compile

_EXPECTED_FAILURES = Path(__file__).with_name("expected_failures.txt")
_FEWEST_PASSING = 930


def test_every_official_case_passes_except_the_listed_ones(
    case_archive: dict[str, bytes], case_input: Callable[[str], Any]
) -> None:
    suite = next(data for path, data in case_archive.items() if path.endswith("tests-fhir-r4.xml"))
    cases = ET.fromstring(suite)  # noqa: S314 - our own file
    failed: dict[str, str] = {}
    total = 0
    for group in cases.findall("group"):
        for case in group.findall("test"):
            total += 1
            complaint = _complaint(case, case_input)
            if complaint is not None:
                failed[str(case.get("name"))] = complaint
    lines = [line.partition("#") for line in _EXPECTED_FAILURES.read_text().splitlines()]
    expected = {name.strip() for name, _, _ in lines if name.strip()}
    assert {name: why for name, why in failed.items() if name not in expected} == {}
    assert expected - failed.keys() == set(), "these cases pass now: take them off the list"
    assert total - len(failed) >= _FEWEST_PASSING


def _complaint(case: ET.Element, case_input: Callable[[str], Any]) -> str | None:
    expression = case.find("expression")
    assert expression is not None
    text = expression.text or ""
    name = case.get("inputfile")
    focus = case_input(name) if name else None
    try:
        found = compile(text).nodes(focus)
        if case.get("predicate") == "true":
            found = [Node(compile(text).holds(focus), "System.Boolean")]
    except FhirPathError as error:
        return None if expression.get("invalid") else f"{text}: {error}"
    if expression.get("invalid"):
        return f"{text}: no error, but {found}"
    outputs = case.findall("output")
    if len(found) != len(outputs):
        return f"{text}: {found}"
    for output in outputs if case.get("ordered") != "false" else []:
        if not _same(found[outputs.index(output)], output):
            return f"{text}: {found}, expected {output.get('type')} {output.text}"
    return None


def _same(node: Node, output: ET.Element) -> bool:
    text, kind = output.text or "", output.get("type")
    value = node.value
    if kind is not None and (node.type_name or "").removeprefix("System.").lower() != kind.lower():
        return False
    if isinstance(value, bool):
        return text == str(value).lower()
    if isinstance(value, int | Decimal):
        return Decimal(text) == value
    if isinstance(value, dict):
        return text == f"{value['value']} '{value['unit']}'"
    return text.removeprefix("@").removeprefix("T") == str(value).removeprefix("T")
