"""What is read back is what was sent, but for id, meta and line breaks. https://hl7.org/fhir/R4/json.html"""

from __future__ import annotations

import re
from uuid import uuid4

import pytest

FHIR = {"Content-Type": "application/fhir+json"}
META = re.compile(r',"meta":\{"versionId":"\d+","lastUpdated":"[^"]+"\}')


def put_text(client, type_name, rest):
    """PUT `{"resourceType":...,"id":...` and the rest; the id."""
    logical_id = str(uuid4())
    text = f'{{"resourceType":"{type_name}","id":"{logical_id}"{rest}'
    answer = client.put(f"/{type_name}/{logical_id}", content=text.encode(), headers=FHIR)
    assert answer.status_code == 201, answer.text
    return text, logical_id


TEXTS = {
    "decimals": ',"status":"final","code":{"text":"x"},"valueQuantity":{"value":1.00}}',
    "exponents": ',"status":"final","code":{"text":"x"},"valueQuantity":{"value":-1.50e-3}}',
    "long_numbers": ',"status":"final","code":{"text":"x"},"valueQuantity":{"value":0.1234567890123456789012345678}}',
    "key_order": ',"valueString":"z","code":{"text":"x"},"status":"final"}',
    "white_space": ' ,\t"status" : "final" , "code":{ "text":"x"} }',
    "escapes": ',"status":"final","code":{"text":"\\u00e9\\n\\"\\/\\\\ \\ud83d\\ude00"}}',
    "emoji": ',"status":"final","code":{"text":"é 😀 \u2028 ‮"}}',
    "backslash_before_quote": ',"status":"final","code":{"text":"a\\\\"},"note":[{"text":"\\":"}]}',
}


@pytest.mark.parametrize("name", TEXTS)
def test_the_spelling_of_a_resource_is_kept(client, name):
    text, logical_id = put_text(client, "Observation", TEXTS[name])
    for path in (f"/Observation/{logical_id}", f"/Observation/{logical_id}/_history/1"):
        stored = client.get(path).content.decode()
        assert META.subn("", stored, 1) == (text, 1)


def test_the_spelling_is_kept_in_search_results_and_histories(client):
    _, logical_id = put_text(client, "Observation", TEXTS["decimals"])
    stored = client.get(f"/Observation/{logical_id}").content
    for path in (f"/Observation?_id={logical_id}", f"/Observation/{logical_id}/_history"):
        assert b'"resource":' + stored in client.get(path).content


def test_line_breaks_between_tokens_are_dropped_and_those_in_strings_stay(client):
    _, logical_id = put_text(client, "Observation", ',\r\n "status":"final",\n"code":\n{"text":"a\\nb"}\n}\n')
    stored = client.get(f"/Observation/{logical_id}").content
    assert b"\n" not in stored
    assert b"\r" not in stored
    assert stored.endswith(b', "status":"final","code":{"text":"a\\nb"}}')


def test_the_other_members_of_meta_are_kept_as_they_are(client):
    _, logical_id = put_text(
        client,
        "Patient",
        ',"meta":{"versionId":"77","tag":[{"code":"\\u0061"}],"lastUpdated":"2001-01-01T00:00:00Z"},"active":true}',
    )
    stored = client.get(f"/Patient/{logical_id}").text
    assert re.fullmatch(
        r'\{"resourceType":"Patient","id":"[^"]+","meta":\{"versionId":"1","lastUpdated":"2\d{3}-[^"]+",'
        r'"tag":\[\{"code":"\\u0061"\}\]\},"active":true\}',
        stored,
    )
    assert "2001" not in stored


def test_a_resource_of_5_mb_comes_back_whole(client):
    data = "QUJD" * (5 * 1024 * 1024 // 4)
    _, logical_id = put_text(client, "Binary", f',"contentType":"text/plain","data":"{data}"}}')
    assert client.get(f"/Binary/{logical_id}").json()["data"] == data


def test_a_resource_that_no_document_of_the_database_can_hold_is_refused(client):
    data = "QUJD" * (17 * 1024 * 1024 // 4)
    answer = client.post(
        "/Binary", content=f'{{"resourceType":"Binary","contentType":"a/b","data":"{data}"}}', headers=FHIR
    )
    assert answer.status_code == 413
    assert answer.json()["issue"][0]["code"] == "too-long"


def test_a_resource_with_more_index_entries_than_fit_is_refused(client):
    identifiers = ",".join(f'{{"value":"{number:0150}"}}' for number in range(40_000))
    answer = client.post("/Patient", content=f'{{"resourceType":"Patient","identifier":[{identifiers}]}}', headers=FHIR)
    assert answer.status_code == 413
    assert "index entries" in answer.json()["issue"][0]["diagnostics"]


NAME = b'{"resourceType":"Patient","name":[{"family":"'
BROKEN = {
    "not_utf_8": (NAME + b'\xe9"}]}', "byte 46"),
    "cut_off": (NAME + b'x"', "line 1, column 48"),
    "second_line": (b'{"resourceType":"Patient",\n  "active": tru}', "line 2, column 13"),
    "duplicate_member": (b'{"resourceType":"Patient",\n"active":true,"active":true}', "line 2, column 15"),
    "duplicate_below": (NAME + b'x","family":"x"}]}', "column 49"),
    "nothing_but_space": (b"  ", "line 1"),
    "an_array": (b"[]", "line 1, column 1"),
    "more_behind": (b'{"resourceType":"Patient"} x', "column 28"),
    "not_a_number": (b'{"resourceType":"Patient","multipleBirthInteger":NaN}', "column 50"),
    "half_a_surrogate": (NAME + b'\\ud83d"}]}', "surrogate"),
    "control_character": (NAME + b'\x01"}]}', "column 46"),
    "too_deep": (b'{"resourceType":"Patient","a":' + b"[" * 200 + b"]" * 200 + b"}", "100 levels"),
    "far_too_deep": (b'{"resourceType":"Patient","a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "100 levels"),
    "many_digits": (b'{"resourceType":"Patient","multipleBirthInteger":' + b"9" * 5000 + b"}", "column 50"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_json_is_refused_with_its_place(client, name):
    body, said = BROKEN[name]
    answer = client.post("/Patient", content=body, headers=FHIR)
    assert answer.status_code == 400
    assert said in answer.json()["issue"][0]["diagnostics"]


def test_a_byte_order_mark_does_not_count(client):
    assert client.post("/Patient", content=b'\xef\xbb\xbf{"resourceType":"Patient"}', headers=FHIR).status_code == 201


@pytest.mark.parametrize("name", ["Patients", "", "patient", 1, None, ["Patient"]])
def test_an_unknown_resource_type_is_refused(client, name):
    answer = client.post("/Patient", json={"resourceType": name})
    assert answer.status_code == 400
    assert "resourceType" in answer.json()["issue"][0]["diagnostics"]
