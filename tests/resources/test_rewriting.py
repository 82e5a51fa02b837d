"""Links are replaced in the text of a resource, and nothing else changes. https://hl7.org/fhir/R4/http.html#trules"""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.document import SPLICED, parse_document
from resources.raw_json import parse_object
from resources.rewriting import rewrite

URL = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
TARGET = "Patient/1"


ESCAPED = URL.replace("urn:", "urn\\u003a")


def replace(text, is_reference):
    return TARGET if text == URL else None


def rewritten(text):
    """The text after rewriting, whose tree and places must fit it."""
    document = rewrite(parse_document(text), replace)
    _, tree, spans = parse_object(document.text)
    assert document.tree == tree
    assert document.spans == {name: spans[name] for name in SPLICED if name in spans}
    return document.text


@pytest.mark.parametrize(
    "text",
    [
        '{"resourceType":"Basic", "subject" : {"reference":"%s"} ,"code":{"text":"x"}}',
        '{"resourceType":"Basic","implicitRules":"%s","code":{"text":"\\u0041"}}',
        '{"subject":{"reference":"%s","display":"\\ud83d\\ude00 😀"},"resourceType":"Basic","language":"a\\"b"}',
        '{"resourceType":"Basic","extension":[{"url":"http://x","valueReference":{"reference":"%s"}}]}',
        '{"resourceType":"Basic","extension":[{"url":"http://x","extension":[{"url":"y","valueUri":"%s"}]}]}',
        '{"resourceType":"Basic","_language":{"extension":[{"url":"http://x","valueUrl":"%s"}]},"language":"x"}',
        '{"resourceType":"Basic","contained":[{"resourceType":"Basic","subject":{"reference":"%s"}}]}',
        '{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Basic","subject":{"reference":"%s"}}}]}',
        '{"resourceType":"Parameters","parameter":[{"name":"a","part":[{"name":"b","valueReference":{"reference":"%s"}}]}]}',
        '{"resourceType":"Basic","text":{"div":"<div><a class=\\"c\\" href=\\"%s\\">\\u00e9</a></div>"}}',
        '{"resourceType":"Basic","text":{"div":"\\u003cdiv>\\ud83d\\ude00<img src=\'%s\' alt=\'\\n\'/></div>"}}',
        '{"resourceType":"Observation","valueQuantity":{"value":1.00},"focus":[null,{"reference":"%s"}]}',
    ],
)
def test_a_link_is_replaced_and_every_other_character_stays(text):
    assert rewritten(text % URL) == text % TARGET


@pytest.mark.parametrize(
    "text",
    [
        '{"resourceType":"Basic","code":{"text":"%s"}}',
        '{"resourceType":"Basic","identifier":[{"value":"%s"}]}',
        '{"resourceType":"Basic","meta":{"profile":["%s"]}}',
        '{"resourceType":"Basic","extension":[{"url":"%s","valueCanonical":"%s"}]}',
        '{"resourceType":"Basic","extension":[{"url":"http://x","valueUuid":"%s"},{"url":"http://x","valueString":"%s"}]}',
        '{"resourceType":"Basic","subject":{"display":"%s"}}',
        '{"resourceType":"Basic","text":{"div":"<div title=\\"%s\\">%s<b href=\\"%s\\"/></div>"}}',
        '{"resourceType":"Basic","unknown":{"reference":"%s"}}',
        '{"resourceType":"Basic","code":"%s","subject":"%s","author":["%s",[1]]}',
    ],
)
def test_what_is_no_link_stays(text):
    text = text.replace("%s", URL)
    assert rewritten(text) == text


def test_a_link_spelt_with_escapes_is_replaced_too():
    spelling = URL.replace("urn:", "\\u0075rn:")
    text = f'{{"resourceType":"Basic","subject":{{"reference":"{spelling}"}},"language":"x"}}'
    assert rewritten(text) == text.replace(spelling, TARGET)


def test_several_links_of_one_narrative_are_all_replaced():
    div = f'<div><a href=\\"{URL}\\">\\u00e9</a><a href=\\"#x\\">x</a><img src=\\"{URL}\\"/></div>'
    text = f'{{"resourceType":"Basic","text":{{"div":"{div}"}},"code":{{}}}}'
    assert rewritten(text) == text.replace(URL, TARGET)


@given(st.lists(st.text(max_size=8) | st.just(URL), max_size=6), st.booleans())
def test_whatever_stands_around_them_only_references_change(texts, ascii_only):
    tree = {
        "resourceType": "Observation",
        "performer": [{"reference": text, "display": text} for text in texts],
        "note": [{"text": text} for text in texts],
    }
    expected = {**tree, "performer": [{"reference": replace(t, True) or t, "display": t} for t in texts]}
    assert rewritten(json.dumps(tree, ensure_ascii=ascii_only)) == json.dumps(expected, ensure_ascii=ascii_only)


@pytest.mark.parametrize(("old", "spelled"), [(URL, ESCAPED), ("Patient/a", "Patient\\/a")])
def test_a_link_that_is_spelled_with_escapes_is_told_from_the_same_text_elsewhere(old, spelled):
    text = f'{{"resourceType":"Basic","code":{{"text":"{old}"}},"subject":{{"reference":"{spelled}"}}}}'
    document = rewrite(parse_document(text), lambda link, _: TARGET if link == old else None)
    assert document.text == text.replace(spelled, TARGET)
    assert document.tree["code"] == {"text": old}
