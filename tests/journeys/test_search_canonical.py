"""References by canonical URL are followed like others. https://hl7.org/fhir/R4/references.html#canonical"""

from __future__ import annotations

from uuid import uuid4

import pytest


@pytest.fixture
def stored(client):
    """Ids: a questionnaire, another, an answer to the first by its URL, one with a version too, and one to the second."""
    url = f"http://x.example/Questionnaire/{uuid4()}"
    trees = {
        "first": {"resourceType": "Questionnaire", "status": "active", "url": url, "title": "Vitals", "version": "1"},
        "second": {"resourceType": "Questionnaire", "status": "draft", "url": f"{url}x", "title": "Mood"},
        "plain": {"resourceType": "QuestionnaireResponse", "status": "completed", "questionnaire": url},
        "versioned": {"resourceType": "QuestionnaireResponse", "status": "amended", "questionnaire": f"{url}|1"},
        "other": {"resourceType": "QuestionnaireResponse", "status": "completed", "questionnaire": f"{url}x"},
    }
    ids = {name: client.post(f"/{tree['resourceType']}", json=tree).json()["id"] for name, tree in trees.items()}
    return url, {logical_id: name for name, logical_id in ids.items()}


def names(client, stored, query, mode="match"):
    answer = client.get(f"/{query}")
    assert answer.status_code == 200, answer.text
    bundle = answer.json()
    entries = [entry for entry in bundle.get("entry", []) if entry["search"]["mode"] == mode]
    return sorted(stored[1].get(entry["resource"]["id"], "foreign") for entry in entries)


def test_they_are_searched_chained_along_and_included(client, stored):
    url = stored[0]
    mine = f"questionnaire={url},{url}x"
    expected = {
        f"QuestionnaireResponse?questionnaire={url}": ["plain", "versioned"],
        f"QuestionnaireResponse?questionnaire={url}|1": ["versioned"],
        f"QuestionnaireResponse?questionnaire={url}|2": [],
        f"QuestionnaireResponse?questionnaire.title=vit&{mine}": ["plain", "versioned"],
        f"QuestionnaireResponse?questionnaire:Questionnaire.url={url}x": ["other"],
        f"QuestionnaireResponse?questionnaire.status=retired&{mine}": [],
        f"Questionnaire?url={url},{url}x&_has:QuestionnaireResponse:questionnaire:status=amended": ["first"],
        f"Questionnaire?url={url},{url}x&_has:QuestionnaireResponse:questionnaire:status=completed": [
            "first",
            "second",
        ],
        f"Questionnaire?url={url},{url}x&_has:QuestionnaireResponse:questionnaire:status=stopped": [],
    }
    assert {query: names(client, stored, query) for query in expected} == expected
    included = {
        f"QuestionnaireResponse?{mine}&_include=QuestionnaireResponse:questionnaire": ["first", "second"],
        f"QuestionnaireResponse?questionnaire={url}|1&_include=QuestionnaireResponse:*": ["first"],
        f"QuestionnaireResponse?{mine}&_include=*": ["first", "second"],
        f"Questionnaire?url={url}&_revinclude=QuestionnaireResponse:questionnaire": ["plain", "versioned"],
        f"Questionnaire?url={url}&_revinclude=QuestionnaireResponse:*": ["plain", "versioned"],
    }
    assert {query: names(client, stored, query, "include") for query in included} == included


def test_joins_on_many_resources_are_checked_in_batches(client, stored):
    """More than a few hundred decide the join, so that it is checked from the side of the matches."""
    url = stored[0]
    entries = [
        {
            "request": {"method": "POST", "url": "QuestionnaireResponse"},
            "resource": {
                "resourceType": "QuestionnaireResponse",
                "status": "in-progress",
                "questionnaire": f"{url}x|{n % 3}",
            },
        }
        for n in range(260)
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    assert client.post("/", json=bundle).status_code == 200
    for query in (
        f"Questionnaire?url={url},{url}x&_has:QuestionnaireResponse:questionnaire:status=in-progress",
        f"Questionnaire?url={url},{url}x&_has:QuestionnaireResponse:questionnaire:status:not=completed&status=draft",
    ):
        assert names(client, stored, query) == ["second"]
