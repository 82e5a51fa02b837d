"""Conditional interactions: If-Match, If-None-Match, If-None-Exist, and updates and deletes by a query.

https://hl7.org/fhir/R4/http.html#concurrency, #ccreate, #cond-update and #3.1.0.7.1
"""

from __future__ import annotations

from uuid import uuid4

import pytest

SYSTEM = "urn:test:conditional"


def patient(value, **members):
    return {"resourceType": "Patient", "identifier": [{"system": SYSTEM, "value": value}], **members}


def query(value):
    return f"identifier={SYSTEM}|{value}"


@pytest.fixture
def value():
    """An identifier's value that no other test has."""
    return str(uuid4())


@pytest.fixture
def stored(client, value):
    """A patient with that identifier."""
    return client.post("/Patient", json=patient(value)).json()


def code(answer):
    return answer.json()["issue"][0]["code"]


@pytest.mark.parametrize("tag", ['W/"1"', '"1"', "1", 'W/"5", W/"1"', "*"])
def test_an_update_of_the_version_that_the_client_names_is_made(client, stored, value, tag):
    body = patient(value, id=stored["id"], gender="male")
    answer = client.put(f"/Patient/{stored['id']}", json=body, headers={"If-Match": tag})
    assert (answer.status_code, answer.headers["ETag"]) == (200, 'W/"2"')


@pytest.mark.parametrize("tag", ['W/"2"', '"0"', "3", "", "nonsense"])
def test_an_update_of_another_version_is_refused(client, stored, value, tag):
    body = patient(value, id=stored["id"], gender="male")
    answer = client.put(f"/Patient/{stored['id']}", json=body, headers={"If-Match": tag})
    assert (answer.status_code, code(answer)) == (412, "conflict")
    assert client.get(f"/Patient/{stored['id']}").json() == stored


@pytest.mark.parametrize("tag", ['W/"1"', "*"])
def test_no_version_of_what_is_not_there_matches(client, value, tag):
    logical_id = str(uuid4())
    headers = {"If-Match": tag}
    assert client.put(f"/Patient/{logical_id}", json=patient(value, id=logical_id), headers=headers).status_code == 412
    assert client.delete(f"/Patient/{logical_id}", headers=headers).status_code == 412
    assert client.get(f"/Patient/{logical_id}").status_code == 404


def test_no_version_of_what_was_deleted_matches(client, stored, value):
    place = f"/Patient/{stored['id']}"
    client.delete(place)
    body = patient(value, id=stored["id"])
    assert client.put(place, json=body, headers={"If-Match": 'W/"2"'}).status_code == 412


def test_a_delete_of_the_named_version_is_made_and_of_another_refused(client, stored):
    place = f"/Patient/{stored['id']}"
    assert client.delete(place, headers={"If-Match": 'W/"2"'}).status_code == 412
    assert client.get(place).status_code == 200
    assert client.delete(place, headers={"If-Match": 'W/"1"'}).status_code == 204
    assert client.get(place).status_code == 410


def test_if_none_match_lets_a_put_create_but_not_replace(client, value):
    logical_id = str(uuid4())
    body = patient(value, id=logical_id)
    headers = {"If-None-Match": "*"}
    status = [client.put(f"/Patient/{logical_id}", json=body, headers=headers).status_code for _ in range(2)]
    assert status == [201, 412]
    client.delete(f"/Patient/{logical_id}")
    assert client.put(f"/Patient/{logical_id}", json=body, headers=headers).status_code == 201


@pytest.mark.parametrize("form", ["{}", "?{}", "Patient?{}"])
def test_a_conditional_create_stores_only_where_nothing_matches(client, value, form):
    headers = {"If-None-Exist": form.format(query(value))}
    first = client.post("/Patient", json=patient(value), headers=headers)
    again = client.post("/Patient", json=patient(value, active=True), headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["ETag"] == 'W/"1"'
    client.post("/Patient", json=patient(value))
    many = client.post("/Patient", json=patient(value), headers=headers)
    assert (many.status_code, code(many)) == (412, "multiple-matches")
    assert client.get(f"/Patient?{query(value)}").json()["total"] == 2


def test_a_deleted_resource_does_not_keep_a_conditional_create_from_storing(client, stored, value):
    client.delete(f"/Patient/{stored['id']}")
    answer = client.post("/Patient", json=patient(value), headers={"If-None-Exist": query(value)})
    assert answer.status_code == 201
    assert answer.json()["id"] != stored["id"]


def test_long_identifiers_that_begin_alike_are_different(client, value):
    alike = value + "x" * 300
    for last in "ab":
        headers = {"If-None-Exist": query(alike + last)}
        assert client.post("/Patient", json=patient(alike + last), headers=headers).status_code == 201


def test_a_conditional_update_creates_replaces_or_refuses(client, value):
    created = client.put(f"/Patient?{query(value)}", json=patient(value))
    assert created.status_code == 201
    assert created.headers["Location"].endswith("/_history/1")
    logical_id = created.json()["id"]
    replaced = client.put(f"/Patient?{query(value)}", json=patient(value, gender="male"))
    assert (replaced.status_code, replaced.json()["id"]) == (200, logical_id)
    assert replaced.headers["ETag"] == 'W/"2"'
    same = client.put(f"/Patient?{query(value)}", json=patient(value, gender="male", id=logical_id))
    assert (same.status_code, same.headers["ETag"]) == (200, 'W/"2"')
    client.post("/Patient", json=patient(value))
    assert client.put(f"/Patient?{query(value)}", json=patient(value)).status_code == 412


def test_a_conditional_update_takes_the_id_of_its_body_where_nothing_matches(client, value):
    logical_id = str(uuid4())
    answer = client.put(f"/Patient?{query(value)}", json=patient(value, id=logical_id))
    assert (answer.status_code, answer.json()["id"]) == (201, logical_id)


def test_a_conditional_update_never_replaces_what_it_did_not_select(client, stored, value):
    other = str(uuid4())
    answer = client.put(f"/Patient?{query(other)}", json=patient(other, id=stored["id"]))
    assert (answer.status_code, code(answer)) == (409, "conflict")
    assert client.get(f"/Patient/{stored['id']}").json() == stored


def test_a_conditional_update_with_another_id_than_its_match_is_refused(client, stored, value):
    answer = client.put(f"/Patient?{query(value)}", json=patient(value, id=str(uuid4())))
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"] == ["Patient.id"]


def test_a_conditional_update_minds_the_entity_tags(client, stored, value):
    place, body = f"/Patient?{query(value)}", patient(value, gender="male")
    assert client.put(place, json=body, headers={"If-Match": 'W/"2"'}).status_code == 412
    assert client.put(place, json=body, headers={"If-None-Match": "*"}).status_code == 412
    assert client.put(place, json=body, headers={"If-Match": 'W/"1"'}).status_code == 200


def test_a_conditional_delete_deletes_one_and_never_several(client, stored, value):
    client.post("/Patient", json=patient(value))
    assert client.delete(f"/Patient?{query(value)}").status_code == 412
    client.delete(f"/Patient/{stored['id']}")
    one = client.delete(f"/Patient?{query(value)}")
    assert (one.status_code, one.headers["ETag"]) == (204, 'W/"2"')
    none = client.delete(f"/Patient?{query(value)}")
    assert none.status_code == 204
    assert "ETag" not in none.headers


CONDITIONS = [
    "identifier=|",
    "identifier=,",
    "",
    "nonsense=1",
    "_count=1",
    "identifier=x&nonsense=1",
    "identifier:nonsense=x",
    "identifier=",
    "_total=none",
]


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_condition_that_is_not_understood_whole_is_refused(client, value, condition):
    lenient = {"Prefer": "handling=lenient"}
    answers = [
        client.post("/Patient", json=patient(value), headers={"If-None-Exist": condition, **lenient}),
        client.put(f"/Patient?{condition}", json=patient(value), headers=lenient),
        client.delete(f"/Patient?{condition}", headers=lenient),
    ]
    assert [answer.status_code for answer in answers] == [400, 400, 400]
    assert client.get(f"/Patient?{query(value)}").json()["total"] == 0


def test_clients_that_spell_the_same_condition_differently_leave_one_resource(client, server, together, value):
    spellings = [
        f"identifier={SYSTEM}|{value}",
        f"identifier={SYSTEM}%7C{value}",
        f"identifier={SYSTEM.replace(':', '%3A')}|{value}",
    ]

    def create(number):
        with server.client() as own:
            headers = {"If-None-Exist": spellings[number % 3]}
            return own.post("/Patient", json=patient(value), headers=headers).status_code

    assert sorted(together(create, 12)) == [200] * 11 + [201]
    assert client.get(f"/Patient?{query(value)}").json()["total"] == 1
