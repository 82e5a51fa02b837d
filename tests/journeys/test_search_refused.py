"""Queries that make no sense are refused with what is wrong with them, and none is answered with a fault.

https://hl7.org/fhir/R4/search.html#errors
"""

from __future__ import annotations

import random
from urllib.parse import quote

import pytest

# Query → a word that the answer must say, so that the client knows which part is meant.
REFUSED = {
    "Observation": {
        # parameters and modifiers
        "nonsense=1": "nonsense",
        "Status=final": "Status",
        "status:exact=final": "status:exact",
        "status:Exact=final": "status:Exact",
        "status:missing=maybe": "maybe",
        "status:missing=": "status",
        "status:not:not=final": "not:not",
        "date:contains=2020": "date:contains",
        "date:not=2020": "date:not",
        "date:above=2020": "date:above",
        "value-quantity:exact=1": "value-quantity:exact",
        "value-string:in=x": "value-string:in",
        "subject:Nonsense=1": "Nonsense",
        "subject:Encounter=1": "Encounter",
        "subject:exact=Patient/1": "subject:exact",
        "_id:missing=true": "_id:missing",
        "_id:not=1": "_id:not",
        "_lastUpdated:exact=2020": "_lastUpdated",
        "code:in=": "code",
        "code:in=http://x.example/unknown-value-set": "unknown-value-set",
        "_content=x": "_content",
        "_query=x": "_query",
        "_type=Patient": "_type",
        "_has=x": "_has",
        ":exact=x": ":exact",
        "=": "''",
        # values
        "date=": "date",
        "date=yesterday": "yesterday",
        "date=2020-13": "2020-13",
        "date=2020-02-30": "2020-02-30",
        "date=20-01-01": "20-01-01",
        "date=xx2020": "xx2020",
        "date=gegt2020": "gegt2020",
        "date=2020,nonsense": "nonsense",
        "date=%20": "date",
        "date=2020-01-01T25:00": "T25",
        "date=2020-01-01T10:00:00%2B99:00": "99",
        "date=-2020": "-2020",
        "_lastUpdated=gt": "gt",
        "value-quantity=x": "'x'",
        "value-quantity=1e": "1e",
        "value-quantity=NaN": "NaN",
        "value-quantity=Infinity": "Infinity",
        "value-quantity=1e99999": "1e99999",
        "value-quantity=gt": "gt",
        "value-quantity=0x10": "0x10",
        "code-value-quantity=x": "code-value-quantity",
        "code-value-quantity=x$y$z": "code-value-quantity",
        "code-value-quantity=x$y": "'y'",
        "subject:Patient=Group/1": "Group/1",
        # chains
        "subject.nonsense=1": "nonsense",
        "subject:Patient.nonsense=1": "nonsense",
        "subject:Nonsense.name=1": "Nonsense",
        "subject:Encounter.status=1": "Encounter",
        "status.name=1": "status",
        "subject.=1": "''",
        "subject:Patient.birthdate=x": "'x'",
        "subject:Patient.name:nonsense=x": "nonsense",
        "subject:Patient." + "link:Patient." * 20 + "name=x": "chains",
        "_has:Nonsense:subject:code=1": "Nonsense",
        "_has:Patient=1": "_has:Patient",
        "_has:Patient:link=1": "_has:Patient:link",
        "_has::::=1": "_has",
        "_has:Encounter:subject:status=x": "subject",
        "_has:DiagnosticReport:result:nonsense=1": "nonsense",
        "_has:DiagnosticReport:status:code=1": "status",
        "_has:DiagnosticReport:result:_has:X:y:z=1": "'_has:X:y:z'",
        "_list=": "_list",
        "_list=,": "_list",
        # what the answer looks like
        "_count=x": "_count",
        "_count=-1": "_count",
        "_count=1.5": "_count",
        "_count=٣": "_count",
        "_total=all": "_total",
        "_summary=maybe": "_summary",
        "_elements=nonsense": "nonsense",
        "_sort=nonsense": "nonsense",
        "_sort=--date": "-date",
        "_sort=date:missing": "date:missing",
        "_include=Nonsense:subject": "Nonsense:subject",
        "_include=Observation": "Observation",
        "_include=Observation:": "Observation:",
        "_include=Observation:nonsense": "nonsense",
        "_include=Observation:status": "status",
        "_include=Observation:subject:Nonsense": "Nonsense",
        "_include=": "_include",
        "_include:nonsense=Observation:subject": "nonsense",
        "_revinclude=*": "_revinclude",
        "_revinclude=Provenance:nonsense": "nonsense",
        "_cursor=x": "cursor",
        "_cursor=": "cursor",
        "_cursor=%FF": "UTF-8",
        "code=%FF": "UTF-8",
        # the filter language
        "_filter=": "_filter",
        "_filter=status": "operator",
        "_filter=status eq": "value",
        "_filter=status nonsense final": "nonsense",
        "_filter=nonsense eq 1": "nonsense",
        "_filter=status eq final and": "parameter",
        "_filter=(status eq final": "_filter",
        "_filter=status eq final)": "_filter",
        "_filter=not status eq final": "_filter",
        "_filter=status gt final": "gt",
        "_filter=date co 2020": "co",
        "_filter=date eq x": "x",
        '_filter=status eq "final': "_filter",
        "_filter=" + "(" * 50 + "status eq final" + ")" * 50: "deep",
        "_filter=" + " and ".join(["status eq final"] * 300): "_filter",
        "_filter=name[a eq 1].b eq 1": "_filter",
        "_filter=status pr maybe": "maybe",
    },
    "Patient": {
        "name:not=x": "name:not",
        "name=": "name",
        "name=,": "name",
        "birthdate=1990-1-1": "1990-1-1",
        "gender:in=x": "x",
        "gender:of-type=x": "of-type",
        "general-practitioner:Patient=1": "Patient",
        "_has:Observation:code:code=1": "code",
        "_sort=name,nonsense": "nonsense",
        "_elements=Observation.code": "Observation",
    },
    "Location": {
        "near=x": "near",
        "near=1|2|x": "near",
        "near=91|0|1|km": "91",
        "near=1|2|3|lightyears": "lightyears",
        "near:missing=true": "near",
    },
    "RiskAssessment": {"probability=x": "'x'", "probability=ap": "ap", "probability=gt1,": None},
    "": {
        "": "_type",
        "_type=": "_type",
        "_type=Nonsense": "Nonsense",
        "_type=Patient,Nonsense": "Nonsense",
        "_type=Patient,Observation&birthdate=2020": "birthdate",
        "_type=Patient,Observation&_sort=_id": "sort",
        "_type=Patient&_cursor=x": "cursor",
    },
}


@pytest.mark.parametrize("type_name", REFUSED)
def test_what_makes_no_sense_is_refused_with_its_name(client, type_name):
    wrong = []
    for query, word in REFUSED[type_name].items():
        answer = client.get(f"/{type_name}?{query}")
        text = " ".join(issue.get("diagnostics", "") for issue in answer.json().get("issue", ()))
        if word is None:
            if answer.status_code != 200:
                wrong.append((query, answer.status_code, text))
        elif answer.status_code != 400 or word not in text:
            wrong.append((query[:100], answer.status_code, text[:300]))
    assert wrong == []


@pytest.mark.parametrize(
    "address",
    [
        "Nonsense",
        "Nonsense?name=x",
        "patient",
        "Patient/1/Nonsense",
        "Nonsense/1/Patient",
        "Patient/1/Organization",
        "Patient/a_b/*",
    ],
)
def test_an_address_that_makes_no_sense_is_not_found(client, address):
    answer = client.get(f"/{address}")
    assert answer.status_code == 404
    assert answer.json()["issue"][0]["diagnostics"]


NAMES = [
    *("_id", "_lastUpdated", "_tag", "_profile", "code", "date", "status", "subject", "patient", "value-quantity"),
    *("value-string", "code-value-quantity", "component-value-concept", "combo-code", "category", "encounter", "_has"),
    *("_sort", "_count", "_include", "_revinclude", "_elements", "_summary", "_total", "_cursor", "_filter", "_list"),
    *("subject:Patient.name", "subject.identifier", "_has:Provenance:target:agent", "encounter.date", "_security", "x"),
]
MODIFIERS = [
    "",
    "",
    "",
    ":exact",
    ":contains",
    ":missing",
    ":not",
    ":in",
    ":of-type",
    ":identifier",
    ":Patient",
    ":",
    ":a:b",
    ".",
]
VALUES = [
    *(
        "",
        "x",
        "1",
        "true",
        "2020",
        "ge2020-01-01",
        "1|2|3",
        "a$b",
        "|",
        "||",
        "$",
        ",",
        "\\",
        "\\,",
        "*",
        "'",
        '"',
        "null",
        "{}",
    ),
    *(
        "[]",
        "$where",
        "$gt",
        "\u0000",
        "\u202e",
        "\U0010ffff",
        "ﬀ",
        "İ",
        "é",
        "%",
        "%2",
        "+",
        " ",
        "\n",
        "\t",
        "a" * 3000,
        "1" * 400,
    ),
    *(
        "-0",
        "1e308",
        "1e-400",
        "+1",
        "0.0000000000001",
        "9" * 30,
        "9999",
        "0001",
        "9999-12-31T23:59:59.999Z",
        "lt9999",
        "gt0001",
    ),
    *(
        "2020-06-01T00:00:00+14:00",
        "ap0001",
        "ap9999",
        "Patient/1",
        "Patient/",
        "/Patient",
        "http://",
        "urn:uuid:",
        "#x",
        "Patient:*",
    ),
    *(
        "Observation:*",
        "*:*",
        "Observation:subject:*",
        "(",
        ")",
        "a eq b",
        'status eq "x"',
        "not (status eq x)",
        "http://a|1",
        "-",
        "--",
    ),
]


def test_no_query_is_answered_with_a_fault(client):
    """Names, modifiers and values thrown together: each is either answered or refused, and a refusal says something."""
    dice = random.Random(11)
    statuses = []
    for number in range(700):
        parts = []
        for _ in range(dice.choice((1, 1, 2, 3))):
            parts.append(f"{quote(dice.choice(NAMES))}{dice.choice(MODIFIERS)}={quote(dice.choice(VALUES))}")
        type_name = dice.choice(("Observation", "Observation", "Patient", "List", ""))
        start = "_type=Observation,Patient&" if type_name == "" else ""
        answer = client.get(f"/{type_name}?{start}{'&'.join(parts)}")
        assert answer.status_code in (200, 400), (number, parts, answer.text)
        if answer.status_code == 400:
            assert all(issue["diagnostics"] for issue in answer.json()["issue"])
        statuses.append(answer.status_code)
    assert statuses.count(200) > 20
    assert statuses.count(400) > 200
