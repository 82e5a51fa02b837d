"""XML that is not taken, and what JSON cannot say in XML. https://hl7.org/fhir/R4/security.html#narrative"""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.problem import Problem
from resources.xml import json_from_xml, xml_from_json

NAMESPACE = 'xmlns="http://hl7.org/fhir"'
BOMB = (
    "<!DOCTYPE lolz [<!ENTITY lol 'lol'>"
    + "".join(f"<!ENTITY l{n} '{'&l' + str(n - 1) + ';' if n else '&lol;'}{'&lol;' * 9}'>" for n in range(9))
    + f"]><Patient {NAMESPACE}><gender value='&l8;'/></Patient>"
)


def refusal(xml: str | bytes) -> str:
    with pytest.raises(Problem) as raised:
        json_from_xml(xml.encode() if isinstance(xml, str) else xml)
    assert raised.value.status == 400
    return raised.value.issues[0].text


@pytest.mark.parametrize(
    "xml",
    [
        BOMB,
        f"<!DOCTYPE Patient><Patient {NAMESPACE}/>",
        f"<!DOCTYPE Patient SYSTEM 'file:///etc/passwd'><Patient {NAMESPACE}/>",
        f"<!DOCTYPE p [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><Patient {NAMESPACE}><gender value='male'/>&x;</Patient>",
        f"<!DOCTYPE p [<!ENTITY % x SYSTEM 'http://127.0.0.1:1/x.dtd'> %x;]><Patient {NAMESPACE}/>",
    ],
)
def test_document_types_and_with_them_entities_are_refused(xml):
    assert "document type" in refusal(xml) or "well-formed" in refusal(xml)


@pytest.mark.parametrize(
    ("xml", "said"),
    [
        ("", "well-formed"),
        ("<Patient", "well-formed"),
        (b"\xff\xfe\x00", "well-formed"),
        ("<Patient/>", "namespace"),
        (f"<patient {NAMESPACE}/>", "no R4 resource type"),
        (f"<Patient {NAMESPACE}><color value='red'/></Patient>", "no element 'color'"),
        (f"<Patient {NAMESPACE}><gender value='male' colour='red'/></Patient>", "attribute 'colour'"),
        (f"<Patient {NAMESPACE} id='1'/>", "attribute 'id'"),
        (f"<Patient {NAMESPACE}>text</Patient>", "Text stands"),
        (f"<Patient {NAMESPACE}><contained/></Patient>", "one resource"),
        (f"<Patient {NAMESPACE}><x:gender xmlns:x='urn:x' value='male'/></Patient>", "namespace"),
        (f"<Patient {NAMESPACE}><gender value='&undefined;'/></Patient>", "well-formed"),
    ],
)
def test_what_is_no_resource_is_refused_with_the_reason(xml, said):
    assert said in refusal(xml)


@pytest.mark.parametrize("depth", [150, 100_000])
def test_what_is_nested_too_deep_is_refused(depth):
    inside = "<extension url='u'>" * depth + "</extension>" * depth
    text = refusal(f"<Patient {NAMESPACE}>{inside}</Patient>")
    assert "deep" in text or "well-formed" in text


def test_values_that_are_no_numbers_stay_texts_for_validation_to_refuse():
    found = json.loads(json_from_xml(f"<Patient {NAMESPACE}><multipleBirthInteger value='two'/></Patient>".encode()))
    assert found["multipleBirthInteger"] == "two"


def test_numbers_keep_their_spelling_and_primitives_their_extensions():
    text = (
        '{"resourceType":"Observation","valueQuantity":{"value":1.00},"_status":{"id":"s","extension":[{"url":"u",'
        '"valueDecimal":1e2}]},"performer":[{"display":"a"}]}'
    )
    again = json_from_xml(xml_from_json(text).encode())
    assert '"value":1.00' in again
    assert '"valueDecimal":1e2' in again
    assert json.loads(again) == json.loads(text)


def test_gaps_in_lists_of_primitives_survive():
    name = {"given": ["a", None, "c"], "_given": [None, {"id": "b"}, {"id": "c"}]}
    patient = {"resourceType": "Patient", "name": [name]}
    assert json.loads(json_from_xml(xml_from_json(json.dumps(patient)).encode())) == patient


@given(
    st.text(
        st.characters(codec="utf-8", exclude_characters="\ufffe\uffff", min_codepoint=32) | st.sampled_from("\n\r\t")
    )
)
def test_any_text_survives(text):
    patient = {"resourceType": "Patient", "name": [{"text": text}]}
    assert json.loads(json_from_xml(xml_from_json(json.dumps(patient, ensure_ascii=False)).encode())) == patient


@pytest.mark.parametrize("spelled", ["\\u0001", "\\u0000", "\ufffe"])
def test_what_xml_cannot_carry_is_refused_rather_than_lost(spelled):
    with pytest.raises(Problem) as raised:
        xml_from_json(f'{{"resourceType":"Patient","name":[{{"text":"{spelled}"}}]}}')
    assert raised.value.status == 406


def test_named_entities_of_a_narrative_become_what_xml_knows():
    div = '<div xmlns=\\"http://www.w3.org/1999/xhtml\\">a&nbsp;b &amp; c</div>'
    xml = xml_from_json(f'{{"resourceType":"Patient","text":{{"status":"generated","div":"{div}"}}}}')
    assert "a&#160;b &amp; c" in xml
    assert "a\u00a0b &amp; c" in json.loads(json_from_xml(xml.encode()))["text"]["div"]
