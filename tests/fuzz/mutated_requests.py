"""Mutated requests: each begins as a sound one and is then spoilt in a few places."""

from __future__ import annotations

import base64
import copy
import gzip
import json
import random
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from resources.xml import xml_from_json
from tests.fuzz.application import Request
from tests.fuzz.odd_values import CURSORS, JSON_PATCHES, PATCH

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "fuzz",
    "meta": {"tag": [{"system": "urn:fuzz", "code": "x"}]},
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>Anna</p></div>'},
    "extension": [{"url": "http://example.org/x", "valueDecimal": 1.00}],
    "identifier": [{"system": "urn:fuzz", "value": "1"}],
    "active": True,
    "name": [{"use": "official", "family": "Müller", "given": ["Anna", "B."]}],
    "birthDate": "1970-01-31",
    "_birthDate": {"extension": [{"url": "http://example.org/t", "valueDateTime": "1970-01-31T10:00:00+01:00"}]},
    "contact": [{"name": {"text": "x"}, "telecom": [{"system": "phone", "value": "1"}]}],
    "managingOrganization": {"reference": "Organization/1"},
}
OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "fuzz",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "1-8"}]},
    "subject": {"reference": "Patient/fuzz"},
    "effectivePeriod": {"start": "2020-01-01", "end": "2020-01-02T00:00:00Z"},
    "valueQuantity": {"value": 1.50, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"},
    "component": [{"code": {"text": "a"}, "valueSampledData": {"origin": {"value": 0}, "period": 1, "dimensions": 1}}],
    "contained": [{"resourceType": "Device", "id": "d"}],
    "device": {"reference": "#d"},
}
BUNDLE: dict[str, Any] = {
    "resourceType": "Bundle",
    "type": "transaction",
    "entry": [
        {
            "fullUrl": "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a",
            "resource": {k: v for k, v in PATIENT.items() if k != "id"},
            "request": {"method": "POST", "url": "Patient", "ifNoneExist": "identifier=urn:fuzz|1"},
        },
        {
            "resource": {**OBSERVATION, "subject": {"reference": "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a"}},
            "request": {"method": "PUT", "url": "Observation/fuzz", "ifMatch": 'W/"1"'},
        },
        {"request": {"method": "GET", "url": "Patient?identifier=urn:fuzz|1"}},
        {"request": {"method": "DELETE", "url": "Patient?identifier=urn:fuzz|2"}},
        {"request": {"method": "GET", "url": "Patient/fuzz", "ifNoneMatch": 'W/"1"'}},
    ],
}
SCALARS: list[Any] = [
    None, True, False, 0, -1, 1e400, 1e-400, 2**31, 2**63, 2**64, -(2**63) - 1, 10**400, 0.1, "", " ", "\x00", "a\x00b",
    "\ud800", "\udfff\ud800", "x" * 70, "x" * 5000, "\u202e", "\U0010ffff", "0000-00-00", "9999-12-31T23:59:60Z",
    "2020-13-45", "0001-01-01T00:00:00+14:00", "-1", "1e5", "NaN", "urn:uuid:", "Patient/", "Patient/../x", "#", "#x",
    "?identifier=", "Patient?identifier=urn:fuzz|1", "Patient?", "http://[::1", "http://localhost:8080/fhir/Patient/fuzz",
    "<div>", '<div xmlns="http://www.w3.org/1999/xhtml">&x;</div>', "$", "../../etc/passwd", "{'$gt': ''}", "%00", "*",
    {}, [], [[]], [None], {"$gt": ""}, {"": ""}, {"extension": []}, {"reference": 1}, {"resourceType": "Patient"},
    {"resourceType": "Bundle", "type": "batch"}, [{"resourceType": "Nothing"}],
]  # fmt: skip
NAMES = [
    "",
    "$",
    "_",
    "a.b",
    "\x00",
    "resourceType",
    "id",
    "_id",
    "extension",
    "value",
    "fhir_comments",
    "é",
    "x" * 300,
]
METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "CONNECT", "get", "FOO", "G\xc4T"]


def _odd(value: Any) -> Any:
    """What `odd_requests.json` holds, written out: `<<ab*3>>` is `ababab`."""
    if isinstance(value, str):
        return re.sub(r"<<(.+?)\*(\d+)>>", lambda found: found[1] * int(found[2]), value, flags=re.DOTALL)
    if isinstance(value, list):
        return [_odd(each) for each in value]
    return {name: _odd(each) for name, each in value.items()}


_ODD = _odd(json.loads(Path(__file__).with_name("odd_requests.json").read_text()))
PATHS: list[str] = _ODD["paths"]
QUERIES: list[str] = _ODD["queries"]
HEADERS: dict[str, list[str]] = _ODD["headers"]


class Mutator:
    """Makes requests: each begins as a sound one and is then spoilt in a few places."""

    def __init__(self, chance: random.Random) -> None:
        self.random = chance

    def request(self) -> Request:
        pick = self.random.choice
        body, target, method = pick(
            [
                (PATIENT, "/fhir/Patient/fuzz", "PUT"),
                (PATIENT, "/fhir/Patient", "POST"),
                (PATIENT, "/fhir/Patient", "PUT"),
                (OBSERVATION, "/fhir/Observation/fuzz", "PUT"),
                (OBSERVATION, "/fhir/Observation", "POST"),
                (BUNDLE, "/fhir", "POST"),
                ({**BUNDLE, "type": "batch"}, "/fhir", "POST"),
                (PATCH, "/fhir/Patient/fuzz", "PATCH"),
                (None, "/fhir/Patient", "GET"),
                (None, pick(PATHS), "GET"),
            ]
        )
        headers = {"Content-Type": "application/fhir+json"}
        query = "identifier=urn:fuzz|1" if method == "PUT" and target == "/fhir/Patient" else ""
        content = b""
        if body is not None:
            tree = copy.deepcopy(body)
            if self.random.random() < 0.7:
                for _ in range(self.random.randint(1, 3)):
                    self.spoil_tree(tree)
            content = json.dumps(tree, ensure_ascii=self.random.random() < 0.5).encode("utf-8", "surrogatepass")
            if self.random.random() < 0.2:
                content, headers["Content-Type"] = self._in_xml(content), "application/fhir+xml"
            elif method == "PATCH" and self.random.random() < 0.5:
                content = json.dumps(self.random.choice(JSON_PATCHES)).encode()
                headers["Content-Type"] = "application/json-patch+json"
            if self.random.random() < 0.2:
                content = self._spoil_bytes(content)
        if body is None or self.random.random() < 0.15:
            query = self._query()
        if self.random.random() < 0.1:
            target = pick(PATHS)
        if self.random.random() < 0.1:
            method = pick(METHODS)
        if self.random.random() < 0.4:
            for name in self.random.sample(sorted(HEADERS), self.random.randint(1, 3)):
                headers[name] = pick(HEADERS[name])
        if headers.get("Content-Encoding", "").strip().lower() == "gzip" and self.random.random() < 0.7:
            content = gzip.compress(content)[: None if self.random.random() < 0.5 else -5]
        if method == "POST" and target.endswith("_search") and self.random.random() < 0.8:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            content = self._query().encode("latin-1")
        return Request(method, target, query, headers, content)

    def _in_xml(self, content: bytes) -> bytes:
        """A body in XML: that of what is left of a resource, or else of any."""
        try:
            return xml_from_json(content.decode()).encode()
        except Exception:  # the mutated resource has nothing that XML could say
            return xml_from_json(json.dumps(PATIENT)).encode()

    def _query(self) -> str:
        parts = self.random.sample(QUERIES, self.random.choice([1, 1, 2, 3]))
        if self.random.random() < 0.2:
            cursor = self.random.choice(CURSORS)
            text = cursor if isinstance(cursor, str) else base64.urlsafe_b64encode(json.dumps(cursor).encode()).decode()
            parts = ["_cursor=" + quote(text.rstrip("="))]
        query = "&".join(parts)
        if self.random.random() < 0.2 and query:
            at = self.random.randrange(len(query))
            query = query[:at] + self.random.choice("%&=,|\\\x00\xff$[]:.") + query[at + self.random.randint(0, 2) :]
        return query

    def spoil_tree(self, tree: dict[str, Any]) -> None:
        """Break a resource in one place."""
        places: list[tuple[Any, Any]] = []

        def walk(node: Any) -> None:
            children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
            for key, value in children:
                places.append((node, key))
                walk(value)

        walk(tree)
        if not places:
            return
        parent, key = self.random.choice(places)
        value = parent[key]
        match self.random.randrange(7):
            case 0:
                del parent[key]
            case 1:
                parent[key] = [value]
            case 2:
                parent[key] = {"value": value}
            case 3 if isinstance(parent, dict):
                parent[self.random.choice(NAMES)] = parent.pop(key)
            case 4 if isinstance(value, list):
                value += value[:1] * self.random.choice([1, 2, 200])
            case 5 if self.random.random() < 0.1:
                for _ in range(self.random.choice([20, 90, 3000])):
                    value = [value] if self.random.random() < 0.5 else {"extension": value}
                # Nesting past what `json.dumps` can write is made of text in `_spoil_bytes`.
                parent[key] = value if len(repr_depth(value)) < 500 else "deep"
            case _:
                parent[key] = copy.deepcopy(self.random.choice(SCALARS))

    def _spoil_bytes(self, content: bytes) -> bytes:
        at = self.random.randrange(len(content) + 1)
        junk = [
            b"\x00",
            b"\xff",
            b"{",
            b"}",
            b'"',
            b",",
            b"\\",
            b"\\ud800",
            b"\xed\xa0\x80",
            b"1e999999999",
            b"[" * 5000,
            b"\n",
        ]
        junk += [
            b'{"a":' * 3000,
            b"9" * 5000,
            b'"id":"a",',
            b'"resourceType":"Patient",',
            b"\xef\xbb\xbf",
            b"//",
            b"NaN",
        ]
        match self.random.randrange(5):
            case 0:
                return content[:at]
            case 1:
                return content[at:]
            case 2:
                return self.random.choice(
                    [b"", b"null", b"[]", b"1", b'"x"', b"{}", b"\x00", b"\xff\xfe{\x00}\x00", b"{" * 100000]
                )
            case _:
                return content[:at] + self.random.choice(junk) + content[at + self.random.randint(0, 3) :]


def repr_depth(value: Any) -> str:
    """One character for each level of nesting."""
    depth = ""
    while isinstance(value, (list, dict)) and value:
        value = value[0] if isinstance(value, list) else next(iter(value.values()))
        depth += "."
    return depth
