"""Inputs of the official FHIRPath cases: where they lie, and FHIR XML read as the JSON form."""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from resources.definitions import type_facts

_FHIR = "{http://hl7.org/fhir}"
_XHTML = "http://www.w3.org/1999/xhtml"
_CONVERSIONS: dict[str, Callable[[str], Any]] = {
    "boolean": lambda text: text == "true",
    "integer": int,
    "positiveInt": int,
    "unsignedInt": int,
    "decimal": Decimal,
}


def shared_folder() -> Path:
    """The folder with the FHIR specification material: FHIR_SHARED, else `../shared` beside the project."""
    given = os.environ.get("FHIR_SHARED")
    return Path(given) if given else Path(__file__).resolve().parents[3].parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    folder = shared_folder()
    if not folder.exists():
        pytest.skip(f"{folder} with the official material is absent (set FHIR_SHARED)")
    return folder


@pytest.fixture(scope="session")
def case_archive(shared: Path) -> dict[str, bytes]:
    archive = shared / "fhir/test-cases/fhirpath-and-patch-r4.zip"
    if not archive.exists():
        pytest.skip(f"{archive} is absent")
    with zipfile.ZipFile(archive) as content:
        return {name: content.read(name) for name in content.namelist()}


@pytest.fixture(scope="session")
def examples(shared: Path) -> dict[str, list[dict[str, Any]]]:
    """The official R4 examples by resource type."""
    archive = shared / "fhir/r4/examples/json.zip"
    if not archive.exists():
        pytest.skip(f"{archive} is absent")
    found: dict[str, list[dict[str, Any]]] = {}
    with zipfile.ZipFile(archive) as content:
        for name in sorted(content.namelist()):
            if name.endswith(".json"):
                resource = json.loads(content.read(name), parse_float=Decimal)
                found.setdefault(resource["resourceType"], []).append(resource)
    return found


@pytest.fixture(scope="session")
def case_input(case_archive: dict[str, bytes]) -> Callable[[str], Any]:
    """The input file of a case as parsed JSON, read once."""
    read: dict[str, Any] = {}

    def load(name: str) -> Any:
        if name not in read:
            content = next(data for path, data in case_archive.items() if path.endswith(f"r4/{name}"))
            if name.endswith(".json"):
                read[name] = json.loads(content, parse_float=Decimal)
            else:
                read[name] = resource_from_xml(ET.fromstring(content))  # noqa: S314
        return read[name]

    return load


def resource_from_xml(root: ET.Element) -> dict[str, Any]:
    """A resource in FHIR XML as its JSON form."""
    name = root.tag.removeprefix(_FHIR)
    return {"resourceType": name, **_members(root, name)}


def _members(parent: ET.Element, type_name: str) -> dict[str, Any]:
    facts = type_facts(type_name)
    forms = {json: (kind, e) for e in facts.elements.values() for json, kind in e.json_names().items()}
    found: dict[str, Any] = {}
    for attribute in ("id", "url"):
        if parent.get(attribute) is not None and attribute in facts.elements:
            found[attribute] = parent.get(attribute)
    for child in parent:
        if not isinstance(child.tag, str):
            continue
        if child.tag == f"{{{_XHTML}}}div":
            ET.register_namespace("", _XHTML)
            child.tail = None
            found["div"] = ET.tostring(child, encoding="unicode")
            continue
        name = child.tag.removeprefix(_FHIR)
        kind, element = forms[name]
        value, sibling = _element(child, kind)
        if element.is_list:
            found.setdefault(name, []).append(value)
            if sibling is not None or "_" + name in found:
                siblings = found.setdefault("_" + name, [None] * (len(found[name]) - 1))
                siblings.append(sibling)
        else:
            if value is not None:
                found[name] = value
            if sibling is not None:
                found["_" + name] = sibling
    return found


def _element(child: ET.Element, kind: str) -> tuple[Any, dict[str, Any] | None]:
    if kind == "Resource":
        return resource_from_xml(child[0]), None
    if type_facts(kind).kind != "primitive":
        return _members(child, kind), None
    text = child.get("value")
    value = None if text is None else _CONVERSIONS.get(kind, str)(text)
    return value, _members(child, "Element") or None
