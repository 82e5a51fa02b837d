"""Questions about codes, over HTTP. https://hl7.org/fhir/R4/terminology-service.html"""

from __future__ import annotations

from uuid import uuid4

import pytest

GENDERS = "http://hl7.org/fhir/ValueSet/administrative-gender"
GENDER = "http://hl7.org/fhir/administrative-gender"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"


@pytest.fixture(scope="module")
def held(server):
    """URLs and ids of a code system and a value set that are stored."""
    mark = uuid4().hex
    system, url = f"http://x.example/CodeSystem/{mark}", f"http://x.example/ValueSet/{mark}"
    concepts = [
        {"code": "food", "display": "Food", "property": [{"code": "notSelectable", "valueBoolean": True}], "concept": [
            {"code": "apple", "display": "Äpfel"}, {"code": "pear", "display": "Pear"},
            {"code": "old", "display": "Quince", "property": [{"code": "inactive", "valueBoolean": True}]},
        ]},
    ]  # fmt: skip
    resources = [
        {"resourceType": "CodeSystem", "url": system, "version": "2", "name": "Foods", "status": "active",
         "content": "complete", "caseSensitive": False, "concept": concepts},
        {"resourceType": "ValueSet", "url": url, "version": "1", "title": "Foods", "status": "draft",
         "compose": {"include": [{"system": system}]}},
    ]  # fmt: skip
    with server.client() as client:
        created = [client.post(f"/{each['resourceType']}", json=each) for each in resources]
    assert [answer.status_code for answer in created] == [201, 201]
    return {"system": system, "url": url, "ids": [answer.json()["id"] for answer in created]}


def expanded(answer):
    assert answer.status_code == 200, answer.text
    return [each["code"] for each in answer.json()["expansion"].get("contains", [])]


def told(answer):
    assert answer.status_code == 200, answer.text
    return {each["name"]: next(v for k, v in each.items() if k.startswith("value")) for each in answer.json()["parameter"]
            if "part" not in each}  # fmt: skip


def issue(answer, status):
    assert answer.status_code == status, answer.text
    return answer.json()["issue"][0]["diagnostics"]


def test_a_value_set_of_r4_is_expanded(client):
    answer = client.get("/ValueSet/$expand", params={"url": GENDERS})
    assert expanded(answer) == ["male", "female", "other", "unknown"]
    value_set = answer.json()
    assert value_set["url"] == GENDERS
    assert value_set["expansion"]["total"] == 4
    assert value_set["expansion"]["contains"][0] == {
        "system": GENDER, "version": "4.0.1", "code": "male", "display": "Male",
    }  # fmt: skip
    assert "compose" not in value_set
    with_definition = client.get("/ValueSet/$expand", params={"url": f"{GENDERS}|4.0.1", "includeDefinition": "true"})
    assert with_definition.json()["compose"]


def test_a_stored_one_is_expanded_by_url_and_by_id(client, held):
    by_url = client.get("/ValueSet/$expand", params={"url": held["url"]})
    by_id = client.get(f"/ValueSet/{held['ids'][1]}/$expand")
    assert expanded(by_url) == expanded(by_id) == ["food", "apple", "pear", "old"]
    assert by_id.json()["id"] == held["ids"][1]
    assert by_url.json()["status"] == "draft"
    assert by_url.json()["title"] == "Foods"
    entries = {each["code"]: each for each in by_id.json()["expansion"]["contains"]}
    assert entries["food"]["abstract"] is True
    assert entries["old"]["inactive"] is True
    assert expanded(client.get("/ValueSet/$expand", params={"url": held["url"], "valueSetVersion": "1"}))
    assert "not known" in issue(
        client.get("/ValueSet/$expand", params={"url": held["url"], "valueSetVersion": "9"}), 404
    )


def test_one_that_is_sent_is_expanded(client, held):
    compose = {"include": [{"system": held["system"], "concept": [{"code": "pear"}]}, {"valueSet": [GENDERS]}]}
    sent = {"resourceType": "ValueSet", "status": "draft", "compose": compose}
    codes = ["pear", "male", "female", "other", "unknown"]
    assert expanded(client.post("/ValueSet/$expand", json=sent)) == codes
    body = {"resourceType": "Parameters", "parameter": [{"name": "valueSet", "resource": sent}]}
    assert expanded(client.post("/ValueSet/$expand?count=1", json=body)) == ["pear"]
    assert "status" in issue(client.post("/ValueSet/$expand", json={"resourceType": "ValueSet"}), 422)


def test_an_expansion_can_be_narrowed_and_read_a_part_at_a_time(client, held):
    def codes(**parameters):
        return expanded(client.get("/ValueSet/$expand", params={"url": held["url"], **parameters}))

    assert codes(filter="APF") == ["apple"]
    assert codes(filter="pe ar") == ["pear"]
    assert codes(filter="nothing") == []
    assert codes(activeOnly="true") == ["food", "apple", "pear"]
    assert codes(excludeNotForUI="true") == ["apple", "pear", "old"]
    assert codes(offset="1", count="2") == ["apple", "pear"]
    answer = client.get("/ValueSet/$expand", params={"url": held["url"], "count": "0"})
    assert expanded(answer) == []
    assert answer.json()["expansion"]["total"] == 4


@pytest.mark.parametrize(
    ("query", "status", "text"),
    [
        ("", 400, "'url'"),
        (f"url={GENDERS}&context=x", 400, "'context'"),
        (f"url={GENDERS}&exclude-system=x", 400, "'exclude-system'"),
        (f"url={GENDERS}&nonsense=x", 400, "'nonsense'"),
        (f"url={GENDERS}&count=-1", 400, "negative"),
        (f"url={GENDERS}&filter={'x' * 201}", 400, "'filter'"),
        ("url=urn:none", 404, "'urn:none'"),
        ("url=http://hl7.org/fhir/ValueSet/observation-codes", 422, "'http://loinc.org' is not held here"),
    ],
)
def test_what_cannot_be_expanded_is_refused_with_the_reason(client, query, status, text):
    assert text in issue(client.get(f"/ValueSet/$expand?{query}"), status)


def test_only_one_value_set_can_be_meant(client, held):
    assert "Only one" in issue(client.get(f"/ValueSet/{held['ids'][1]}/$expand?url={GENDERS}"), 400)
    assert client.get(f"/ValueSet/{uuid4()}/$expand").status_code == 404


@pytest.mark.parametrize(
    ("query", "result", "text"),
    [
        (f"system={GENDER}&code=male", True, ""),
        ("code=male", True, ""),
        (f"system={GENDER}&code=male&display=MALE", True, ""),
        (f"system={GENDER}&code=male&display=Mann", False, "'Mann'"),
        (f"system={GENDER}&code=nonsense", False, "'nonsense'"),
        ("system=urn:other&code=male", False, "'urn:other'"),
        (f"system={GENDER}&code=male&systemVersion=9", False, "'4.0.1'"),
    ],
)
def test_a_code_is_looked_for_in_a_value_set(client, query, result, text):
    found = told(client.get(f"/ValueSet/$validate-code?url={GENDERS}&{query}"))
    assert found["result"] is result
    assert text in found.get("message", "")
    assert ("message" in found) is not result


def test_a_concept_is_valid_if_one_of_its_codings_is(client, held):
    def found(*codings):
        concept = {"name": "codeableConcept", "valueCodeableConcept": {"coding": codings}}
        body = {"resourceType": "Parameters", "parameter": [{"name": "url", "valueUri": held["url"]}, concept]}
        return told(client.post("/ValueSet/$validate-code", json=body))

    apple, other = {"system": held["system"], "code": "APPLE"}, {"system": GENDER, "code": "male"}
    assert found(other, apple) == {"result": True, "display": "Äpfel"}
    assert found(other)["result"] is False


def test_codings_are_not_looked_for_by_the_thousand(client):
    concept = {"name": "codeableConcept", "valueCodeableConcept": {"coding": [{"code": "x"}] * 101}}
    body = {"resourceType": "Parameters", "parameter": [{"name": "url", "valueUri": GENDERS}, concept]}
    assert "100 codings" in issue(client.post("/ValueSet/$validate-code", json=body), 400)


def test_an_abstract_code_is_valid_only_where_that_is_wanted(client, held):
    url = f"/ValueSet/{held['ids'][1]}/$validate-code?system={held['system']}&code=food"
    assert "abstract" in told(client.get(url))["message"]
    assert told(client.get(f"{url}&abstract=true"))["result"] is True


def test_a_code_is_looked_for_in_a_code_system(client, held):
    assert told(client.get(f"/CodeSystem/$validate-code?url={GENDER}&code=male")) == {"result": True, "display": "Male"}
    by_id = f"/CodeSystem/{held['ids'][0]}/$validate-code"
    assert told(client.get(f"{by_id}?code=Apple"))["result"] is True
    assert "'nonsense'" in told(client.get(f"{by_id}?code=nonsense"))["message"]
    assert told(client.get(f"/CodeSystem/$validate-code?url={held['system']}&version=2&code=pear"))["result"] is True
    coding = {"name": "coding", "valueCoding": {"system": held["system"], "code": "pear", "display": "Apple"}}
    body = {"resourceType": "Parameters", "parameter": [coding]}
    assert "'Pear'" in told(client.post("/CodeSystem/$validate-code", json=body))["message"]
    sent = {"resourceType": "CodeSystem", "status": "draft", "content": "complete", "concept": [{"code": "new"}]}
    assert told(client.post("/CodeSystem/$validate-code?code=new", json=sent))["result"] is True


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/ValueSet/$validate-code?url={GENDERS}", 400),
        (f"/ValueSet/$validate-code?url={GENDERS}&date=2020", 400),
        ("/ValueSet/$validate-code?code=male", 400),
        ("/ValueSet/$validate-code?url=urn:none&code=male", 404),
        ("/CodeSystem/$validate-code?code=male", 400),
        ("/CodeSystem/$validate-code?url=urn:none&code=male", 404),
        (f"/CodeSystem/$validate-code?url={GENDER}&version=9&code=male", 404),
        ("/CodeSystem/$lookup?code=male", 400),
        (f"/CodeSystem/$lookup?system={GENDER}", 400),
        (f"/CodeSystem/$lookup?system={GENDER}&code=nonsense", 404),
        ("/CodeSystem/$lookup?system=urn:none&code=male", 404),
        (f"/CodeSystem/$lookup?system={GENDER}&code=male&nonsense=1", 400),
    ],
)
def test_a_question_that_says_too_little_or_of_what_is_not_known_is_refused(client, path, status):
    assert client.get(path).status_code == status


def test_what_is_known_of_a_code_is_told(client, held):
    answer = client.get(f"/CodeSystem/$lookup?system={CLINICAL}&code=relapse")
    assert told(answer)["display"] == "Relapse"
    properties = [
        [part.get("valueCode") for part in each["part"]] for each in answer.json()["parameter"] if "part" in each
    ]
    assert ["parent", "active"] in properties
    found = told(client.get(f"/CodeSystem/$lookup?system={held['system']}&code=food"))
    assert found == {"name": "Foods", "version": "2", "display": "Food"}
    only = client.get(f"/CodeSystem/$lookup?system={held['system']}&code=food&property=child").json()["parameter"]
    children = [each["part"][1]["valueCode"] for each in only if each["name"] == "property"]
    assert children == ["apple", "pear", "old"]


def test_the_versions_of_fhir_are_told(client):
    assert told(client.get("/$versions")) == {"version": "4.0", "default": "4.0"}
    assert client.post("/$versions").status_code == 200


def test_questions_can_be_asked_in_a_batch(client, held):
    sent = {"resourceType": "ValueSet", "status": "draft", "compose": {"include": [{"system": held["system"]}]}}
    entries = [
        {"request": {"method": "GET", "url": f"ValueSet/$expand?url={GENDERS}"}},
        {"request": {"method": "GET", "url": f"CodeSystem/$lookup?system={GENDER}&code=nonsense"}},
        {"request": {"method": "POST", "url": "ValueSet/$expand?count=1"}, "resource": sent},
    ]
    answer = client.post("/", json={"resourceType": "Bundle", "type": "batch", "entry": entries})
    found = [entry["response"]["status"][:3] for entry in answer.json()["entry"]]
    assert found == ["200", "404", "200"]
    assert len(answer.json()["entry"][2]["resource"]["expansion"]["contains"]) == 1
