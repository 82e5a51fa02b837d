"""Finding the patient who is described, over HTTP. https://hl7.org/fhir/R4/patient-operation-match.html"""

from __future__ import annotations

from uuid import uuid4

import pytest

GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"


@pytest.fixture
def people(client):
    """Three who are much alike, with an identifier system and a telephone of the test's own: mark, name → id."""
    mark = uuid4().hex
    family = "Brzezinska" + "".join("abcdefghijklmnop"[int(c, 16)] for c in mark[:6])
    described = {
        "anna": {
            "identifier": [{"system": f"urn:{mark}", "value": "a|1"}], "birthDate": "1970-02-03", "gender": "female",
            "name": [{"family": family, "given": ["Anna"]}], "telecom": [{"system": "email", "value": f"{mark}@x.example"}],
        },
        "twin": {"birthDate": "1970-02-03", "gender": "female", "name": [{"family": family, "given": ["Kunigunde"]}]},
        "other": {"birthDate": "1991-11-30", "gender": "male", "name": [{"family": family, "given": ["Anna"]}]},
    }  # fmt: skip
    ids = {}
    for name, elements in described.items():
        answer = client.post("/Patient", json={"resourceType": "Patient", **elements})
        assert answer.status_code == 201, answer.text
        ids[name] = answer.json()["id"]
    return {**ids, "mark": mark, "family": family}


def match(client, people, elements, **parameters):
    """(name, grade) of the matches, the best first."""
    members = [{"name": "resource", "resource": {"resourceType": "Patient", **elements}}]
    members += [{"name": name, **value} for name, value in parameters.items()]
    answer = client.post("/Patient/$match", json={"resourceType": "Parameters", "parameter": members})
    assert answer.status_code == 200, answer.text
    names = {logical_id: name for name, logical_id in people.items()}
    entries = answer.json().get("entry", [])
    scores = [entry["search"]["score"] for entry in entries]
    assert scores == sorted(scores, reverse=True)
    assert all(entry["search"]["mode"] == "match" for entry in entries)
    grades = [entry["search"]["extension"] for entry in entries]
    assert all(extension["url"] == GRADE for [extension] in grades)
    found = [
        (names.get(entry["resource"]["id"]), each["valueCode"]) for entry, [each] in zip(entries, grades, strict=True)
    ]
    return [each for each in found if each[0] is not None]


def test_an_identifier_makes_a_match_certain(client, people):
    identifier = [{"system": f"urn:{people['mark']}", "value": "a|1"}]
    assert match(client, people, {"identifier": identifier}) == [("anna", "certain")]
    assert match(client, people, {"identifier": identifier, "birthDate": "1940-01-01"}) == [("anna", "probable")]


def test_names_and_birth_date_are_graded(client, people):
    described = {"name": [{"family": people["family"].upper(), "given": ["Anna"]}], "birthDate": "1970-02-03"}
    assert match(client, people, {**described, "gender": "female"}) == [("anna", "probable"), ("twin", "possible")]
    certain = {
        **described,
        "gender": "female",
        "telecom": [{"system": "email", "value": f"{people['mark']}@x.example"}],
    }
    assert match(client, people, certain)[0] == ("anna", "certain")
    by_name = match(client, people, {"name": described["name"]})
    assert sorted(by_name) == [("anna", "possible"), ("other", "possible")]


def test_a_slip_in_the_birth_date_is_forgiven_and_names_are_found_by_their_sound(client, people):
    described = {"name": [{"family": people["family"].replace("z", "zz"), "given": ["Ana"]}], "gender": "female"}
    assert match(client, people, {**described, "birthDate": "1970-03-02"})[0] == ("anna", "possible")


def test_only_certain_matches_and_a_count_narrow_the_answer(client, people):
    described = {"name": [{"family": people["family"], "given": ["Anna"]}], "birthDate": "1970-02-03"}
    certain = {"valueBoolean": True}
    assert match(client, people, described, onlyCertainMatches=certain) == []
    identifier = [{"system": f"urn:{people['mark']}", "value": "a|1"}]
    found = match(client, people, {**described, "identifier": identifier}, onlyCertainMatches=certain)
    assert found == [("anna", "certain")]
    assert match(client, people, described, count={"valueInteger": 1}) == [("anna", "probable")]


def test_two_who_are_certain_are_not_one(client, people):
    twin = {"resourceType": "Patient", "identifier": [{"system": f"urn:{people['mark']}", "value": "a|1"}]}
    people["copy"] = client.post("/Patient", json=twin).json()["id"]
    identifier = {"identifier": twin["identifier"]}
    assert {grade for _, grade in match(client, people, identifier)} == {"certain"}
    assert match(client, people, identifier, onlyCertainMatches={"valueBoolean": True}) == []


def test_a_patient_alone_is_enough(client, people):
    body = {"resourceType": "Patient", "identifier": [{"system": f"urn:{people['mark']}", "value": "a|1"}]}
    answer = client.post("/Patient/$match?count=1", json=body)
    assert [entry["resource"]["id"] for entry in answer.json()["entry"]] == [people["anna"]]
    nobody = client.post("/Patient/$match", json={**body, "identifier": [{"system": "urn:none", "value": "1"}]})
    assert nobody.status_code == 200
    assert nobody.json()["total"] == 0


@pytest.mark.parametrize(
    ("resource", "status"),
    [
        ({"resourceType": "Patient"}, 400),
        ({"resourceType": "Patient", "gender": "female", "birthDate": "1970-02-03"}, 400),
        ({"resourceType": "Patient", "identifier": [{"value": "1"}]}, 400),
        ({"resourceType": "Observation"}, 400),
        ({"resourceType": "Patient", "nonsense": 1}, 422),
        ({"resourceType": "Patient", "name": [{"family": "A", "given": ["B"] * 5000}]}, 400),
        ({"resourceType": "Patient", "name": [{"family": "!!!", "given": ["?"]}], "birthDate": "1970-02-03"}, 400),
    ],
)
def test_what_cannot_be_looked_for_is_refused(client, resource, status):
    assert client.post("/Patient/$match", json=resource).status_code == status


def test_parameters_are_checked(client):
    assert client.post("/Patient/$match").status_code == 400
    assert client.get("/Patient/$match").status_code == 405
    for member in ({"name": "count", "valueInteger": 0}, {"name": "nonsense", "valueInteger": 1}):
        resource = {
            "name": "resource",
            "resource": {"resourceType": "Patient", "name": [{"family": "A", "given": ["B"]}]},
        }
        body = {"resourceType": "Parameters", "parameter": [resource, member]}
        answer = client.post("/Patient/$match", json=body)
        assert answer.status_code == 400
        assert member["name"] in answer.text
