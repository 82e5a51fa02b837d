"""The official examples in both forms. https://hl7.org/fhir/R4/xml.html"""

from __future__ import annotations

import json
import re
import zipfile
from decimal import Decimal
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from resources.xml import json_from_xml, xml_from_json

XML_ENTITIES = {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"}


def content(text: str) -> Any:
    """What a JSON text says: numbers by their spelling, narratives by what their XML says."""
    return _told(json.loads(text, parse_float=Decimal))


def _told(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _told(below, key) for key, below in value.items()}
    if isinstance(value, list):
        return [_told(below) for below in value]
    if name == "div" and isinstance(value, str):
        return canonical(value)
    return f"decimal {value}" if isinstance(value, Decimal) else value


def canonical(div: str) -> bytes:
    def plain(match: re.Match[str]) -> str:
        return match[0] if match[0] in XML_ENTITIES else unescape(match[0])

    return etree.tostring(etree.fromstring(re.sub(r"&[A-Za-z]+;", plain, div)), method="c14n")


@pytest.fixture(scope="module")
def pairs(shared: Path) -> dict[str, tuple[bytes, str]]:
    with zipfile.ZipFile(shared / "fhir/r4/examples/xml-json-pairs.zip") as archive:
        names = [name.removesuffix(".xml") for name in archive.namelist() if name.endswith(".xml")]
        return {n: (archive.read(f"{n}.xml"), archive.read(f"{n}.json").decode("utf-8-sig")) for n in names}


def without_what_the_builds_differ_in(tree: Any) -> Any:
    """The two sets were built apart: one marks examples as test data by a security label, the other by a tag, and ten
    narratives were laid out anew."""
    meta = tree.get("meta", {})
    for member in ("security", "tag"):
        left = [label for label in meta.pop(member, []) if label.get("code") != "HTEST"]
        if left:
            meta[member] = left
    if not meta:
        tree.pop("meta", None)
    if "div" in tree.get("text", {}):
        tree["text"]["div"] = b"".join(tree["text"]["div"].split())
    return tree


def test_every_pair_says_the_same_in_both_forms(pairs):
    assert len(pairs) == 511
    for name, (xml, text) in pairs.items():
        found = without_what_the_builds_differ_in(content(json_from_xml(xml)))
        assert found == without_what_the_builds_differ_in(content(text)), name


def test_nearly_every_narrative_of_the_pairs_is_the_same_to_the_blank(pairs):
    differing = [
        name
        for name, (xml, text) in pairs.items()
        if content(json_from_xml(xml)).get("text", {}).get("div") != content(text).get("text", {}).get("div")
    ]
    assert len(differing) == 10


def test_every_example_survives_the_way_to_xml_and_back(example_texts):
    for name, raw in example_texts.items():
        text = raw.decode("utf-8-sig")
        assert content(json_from_xml(xml_from_json(text).encode())) == content(text), name


def test_the_xml_of_every_example_is_valid_by_the_official_schema(example_texts, shared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("xsd")
    with zipfile.ZipFile(shared / "fhir/r4/xsd.zip") as archive:
        archive.extractall(folder)
    schema = etree.XMLSchema(etree.parse(folder / "xsd" / "fhir-single.xsd"))
    refused = {}
    for name, raw in example_texts.items():
        if not schema.validate(etree.fromstring(xml_from_json(raw.decode("utf-8-sig")).encode())):
            refused[name] = str(schema.error_log.last_error)
    assert set(refused) == {"Questionnaire-qs1"}  # an item without its linkId, which our validation refuses as well
    broken = etree.fromstring(b'<Patient xmlns="http://hl7.org/fhir"><gender value="no"/></Patient>')
    assert not schema.validate(broken)
