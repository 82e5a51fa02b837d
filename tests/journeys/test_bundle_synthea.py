"""Real records: the transaction Bundles that Synthea writes, posted whole and read back byte by byte."""

from __future__ import annotations

import bz2
import re

import pytest

from resources.bundle import parse_bundle
from resources.raw_json import parse_object

RECORDS = 30
REFERENCE = re.compile(r'"reference"\s*:\s*"([^"]*)"')


@pytest.fixture(scope="module")
def records(shared):
    """The Bundles of Synthea 2.4, one a patient."""
    found = sorted((shared / "synthea/v2.4").glob("*.json.bz2"))
    assert len(found) == RECORDS
    return [bz2.decompress(path.read_bytes()) for path in found]


@pytest.mark.parametrize("number", range(RECORDS))
def test_a_record_comes_back_as_it_was_sent(client, records, number):
    """Every entry is stored, every reference leads to a stored resource, and no byte changed but id, meta and references."""
    text = records[number]
    answer = client.post(
        "/", content=text, headers={"Content-Type": "application/fhir+json", "Prefer": "return=representation"}
    )
    assert answer.status_code == 200, answer.text[:2000]
    assert {made["response"]["status"] for made in answer.json()["entry"]} == {"201 Created"}
    sent, stored = parse_bundle(text).entries, parse_bundle(answer.content).entries
    assert len(stored) == len(sent)
    full_urls = {key_of(new): old.full_url for old, new in zip(sent, stored, strict=True)}
    references = 0
    for old, new in zip(sent, stored, strict=True):
        for reference in REFERENCE.findall(new.document.text):
            assert reference.startswith("#") or reference in full_urls, reference
            references += 1
        undone = REFERENCE.sub(
            lambda match: match[0].replace(match[1], full_urls.get(match[1], match[1])), new.document.text
        )
        assert members(undone) == members(old.document.text)
        for name in ("versionId", "lastUpdated"):
            new.document.tree["meta"].pop(name)
        assert new.document.tree["meta"] == (old.document.tree.get("meta") or {})
    assert references > 0
    # What was answered is what is stored.
    for entry in stored[:: max(1, len(stored) // 10)]:
        assert client.get(f"/{key_of(entry)}").text == entry.document.text


def key_of(entry):
    return f"{entry.document.type}/{entry.document.id}"


def members(text):
    """The spelling of each top-level member of a resource, in their order, but for id and meta."""
    text, _, spans = parse_object(text)
    return [text[s.start : s.end].replace("\n", "") for name, s in spans.items() if name not in ("id", "meta")]
