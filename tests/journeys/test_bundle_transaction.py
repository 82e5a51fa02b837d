"""Transaction Bundles: order, conditions, duplicates, answers, and that all is stored or nothing.

https://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

import time
from uuid import uuid4

import pytest

SYSTEM = "urn:test:transaction"


def patient(value=None, **members):
    identifier = {"identifier": [{"system": SYSTEM, "value": value}]} if value else {}
    return {"resourceType": "Patient", **identifier, **members}


def query(value):
    return f"identifier={SYSTEM}|{value}"


def entry(method, url, resource=None, full_url=None, **request):
    made = {"request": {"method": method, "url": url, **request}}
    if full_url:
        made["fullUrl"] = full_url
    if resource:
        made["resource"] = resource
    return made


def bundle(*entries, kind="transaction"):
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


@pytest.fixture
def post(client):
    """Posts a transaction of the given entries."""

    def post(*entries, **headers):
        return client.post("/", json=bundle(*entries), headers={k.replace("_", "-"): v for k, v in headers.items()})

    return post


@pytest.fixture
def value():
    """An identifier's value that no other test has."""
    return str(uuid4())


@pytest.fixture
def stored(client, value):
    """A patient with that identifier."""
    return client.post("/Patient", json=patient(value)).json()


def responses(answer):
    assert answer.status_code == 200, answer.text
    assert answer.json()["type"] == "transaction-response"
    return [made["response"] for made in answer.json()["entry"]]


def statuses(answer):
    return [int(response["status"][:3]) for response in responses(answer)]


def number(client, value):
    return client.get(f"/Patient?{query(value)}&_summary=count").json()["total"]


def test_an_empty_transaction_is_answered_with_an_empty_one(client):
    answer = client.post("/", json={"resourceType": "Bundle", "type": "transaction"})
    assert answer.json() == {"resourceType": "Bundle", "type": "transaction-response"}


def test_each_entry_is_answered_in_its_place_with_status_location_etag_and_time(client, post, server, stored, value):
    new, put = str(uuid4()), str(uuid4())
    answer = post(
        entry("GET", f"Patient/{stored['id']}"),
        entry("PUT", f"Patient/{put}", patient(new, id=put)),
        entry("POST", "Patient", patient(new)),
        entry("DELETE", f"Patient/{stored['id']}"),
        entry("DELETE", f"Patient/{uuid4()}"),
    )
    # Deletes come first, whatever their place, so the read finds nothing and all is undone.
    assert answer.status_code == 410
    assert client.get(f"/Patient/{stored['id']}").status_code == 200
    answer = post(
        entry("PUT", f"Patient/{put}", patient(new, id=put)),
        entry("POST", "Patient", patient(new)),
        entry("PUT", f"Patient/{stored['id']}", patient(value, id=stored["id"], active=True)),
        entry("DELETE", f"Patient/{uuid4()}"),
    )
    assert statuses(answer) == [201, 201, 200, 204]
    first, second, third, fourth = responses(answer)
    assert first["location"] == f"{server.base_url}/Patient/{put}/_history/1"
    assert third["location"] == f"{server.base_url}/Patient/{stored['id']}/_history/2"
    assert [r.get("etag") for r in (first, second, third, fourth)] == ['W/"1"', 'W/"1"', 'W/"2"', None]
    for response in (first, second):
        read = client.get(response["location"])
        assert read.json()["meta"]["lastUpdated"] == response["lastModified"]
    assert not any("resource" in made for made in answer.json()["entry"])


def test_the_writes_are_visible_to_the_reads_of_the_same_transaction(post, client, stored, value):
    new = str(uuid4())
    answer = post(
        entry("GET", f"Patient?{query(new)}"),
        entry("GET", f"Patient/{stored['id']}"),
        entry("HEAD", f"Patient/{stored['id']}"),
        entry("GET", f"Patient/{stored['id']}/_history"),
        entry("GET", f"Patient/{stored['id']}/_history/1"),
        entry("GET", f"Patient?{query(value)}&_summary=count"),
        entry("PUT", f"Patient/{stored['id']}", patient(new, id=stored["id"])),
        entry("POST", "Patient", patient(new)),
    )
    assert statuses(answer) == [200, 200, 200, 200, 200, 200, 200, 201]
    found = [made.get("resource") for made in answer.json()["entry"]]
    assert found[0]["total"] == 2
    assert found[1]["meta"]["versionId"] == "2"
    assert found[2] is None
    assert [e["response"]["etag"] for e in found[3]["entry"]] == ['W/"2"', 'W/"1"']
    assert found[4] == stored
    assert found[5]["total"] == 0


def test_a_read_can_be_conditional(post, stored):
    answer = post(entry("GET", f"Patient/{stored['id']}", ifNoneMatch='W/"1"'))
    assert statuses(answer) == [304]


def test_a_delete_makes_room_for_what_is_created_in_the_same_transaction(post, client, stored, value):
    answer = post(entry("POST", "Patient", patient(value)), entry("DELETE", f"Patient?{query(value)}"))
    assert statuses(answer) == [201, 204]
    assert client.get(f"/Patient/{stored['id']}").status_code == 410
    assert number(client, value) == 1


def test_a_put_that_changes_nothing_makes_no_new_version(post, stored, value):
    answer = post(entry("PUT", f"Patient/{stored['id']}", patient(value, id=stored["id"])))
    assert responses(answer)[0]["etag"] == 'W/"1"'


def test_the_preferred_content_comes_with_each_entry(post, value):
    made = {
        wanted: post(entry("POST", "Patient", patient(value)), Prefer=f"return={wanted}").json()["entry"][0]
        for wanted in ("minimal", "representation", "OperationOutcome")
    }
    assert "resource" not in made["minimal"]
    assert made["representation"]["resource"]["identifier"][0]["value"] == value
    assert made["OperationOutcome"]["response"]["outcome"]["resourceType"] == "OperationOutcome"


def test_a_conditional_create_stores_keeps_or_fails(post, client, value):
    again = entry("POST", "Patient", patient(value), ifNoneExist=query(value))
    first, second = post(again), post(again)
    assert (statuses(first), statuses(second)) == ([201], [200])
    assert responses(first)[0]["location"] == responses(second)[0]["location"]
    client.post("/Patient", json=patient(value))
    failed = post(entry("POST", "Patient", patient(value + "x")), again)
    assert failed.status_code == 412
    assert failed.json()["issue"][0]["expression"] == ["Bundle.entry[1]"]
    assert number(client, value + "x") == 0


def test_conditional_updates_and_deletes_find_their_resource(post, client, stored, value):
    new = str(uuid4())
    answer = post(
        entry("PUT", f"Patient?{query(value)}", patient(value, active=True)),
        entry("PUT", f"Patient?{query(new)}", patient(new)),
        entry("DELETE", f"Patient?{query(uuid4())}"),
    )
    assert statuses(answer) == [200, 201, 204]
    assert responses(answer)[0]["location"].endswith(f"/Patient/{stored['id']}/_history/2")
    assert statuses(post(entry("DELETE", f"Patient?{query(value)}"))) == [204]
    assert client.get(f"/Patient/{stored['id']}").status_code == 410


def test_entity_tags_are_minded(post, client, stored, value):
    place, body = f"Patient/{stored['id']}", patient(value, id=stored["id"], active=True)
    assert post(entry("PUT", place, body, ifMatch='W/"2"')).status_code == 412
    assert post(entry("PUT", place, body, ifNoneMatch="*")).status_code == 412
    assert post(entry("DELETE", place, ifMatch='W/"2"')).status_code == 412
    assert statuses(post(entry("PUT", place, body, ifMatch='W/"1"'))) == [200]
    assert statuses(post(entry("DELETE", place, ifMatch="*"))) == [204]
    assert post(entry("PUT", place, body, ifMatch="*")).status_code == 412


def test_two_entries_that_write_the_same_resource_are_refused(post, client, stored, value):
    place = f"Patient/{stored['id']}"
    put = entry("PUT", place, patient(value, id=stored["id"], active=True))
    others = [
        entry("PUT", place, patient(value, id=stored["id"], active=False)),
        entry("DELETE", place),
        entry("PUT", f"Patient?{query(value)}", patient(value)),
        entry("DELETE", f"Patient?{query(value)}"),
        entry("POST", "Patient", patient(value), ifNoneExist=query(value)),
    ]
    for other in others:
        for entries in ((put, other), (other, put)):
            answer = post(*entries)
            assert answer.status_code == 400
            assert answer.json()["issue"][0]["code"] == "duplicate"
            assert "Bundle.entry[0]" in answer.json()["issue"][0]["diagnostics"]
            assert "Bundle.entry[1]" in answer.json()["issue"][0]["diagnostics"]
    assert client.get(f"/{place}").json() == stored


def test_two_conditional_creates_may_find_the_same_stored_resource(post, stored, value):
    again = entry("POST", "Patient", patient(value), ifNoneExist=query(value))
    assert statuses(post(again, again)) == [200, 200]


def test_conditional_creates_with_the_same_condition_store_one_resource_for_all(post, client, value):
    """As HAPI and Medplum do; feeds repeat their practitioners."""
    urls = [f"urn:uuid:{uuid4()}" for _ in range(3)]
    queries = [query(value), query(value).replace("|", "%7C"), query(value)]
    creates = [
        entry("POST", "Patient", patient(value), url, ifNoneExist=condition)
        for url, condition in zip(urls, queries, strict=True)
    ]
    basics = [
        entry("POST", "Basic", {"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": url}})
        for url in urls
    ]
    answer = post(*creates, *basics, Prefer="return=representation")
    assert statuses(answer) == [201, 200, 200, 201, 201, 201]
    made = [each["resource"] for each in answer.json()["entry"]]
    assert made[0] == made[1] == made[2] == client.get(f"/Patient/{made[0]['id']}").json()
    assert {each["subject"]["reference"] for each in made[3:]} == {f"Patient/{made[0]['id']}"}
    assert number(client, value) == 1


def test_a_resource_that_does_not_meet_its_own_condition_stands_for_no_other(post, client, value):
    create = entry("POST", "Patient", patient(), ifNoneExist=query(value))
    answer = post(create, entry("POST", "Patient", patient(value), ifNoneExist=query(value)))
    assert (answer.status_code, answer.json()["issue"][0]["expression"]) == (412, ["Bundle.entry[1]"])
    assert number(client, value) == 0


@pytest.mark.parametrize("other", ["plain", "update"])
def test_a_condition_that_another_entry_will_meet_is_refused(post, client, value, other):
    """Otherwise two resources would be left where the client asked for one."""
    create = entry("POST", "Patient", patient(value), ifNoneExist=query(value))
    others = {
        "plain": entry("POST", "Patient", patient(value)),
        "update": entry("PUT", f"Patient?{query(value)}", patient(value)),
    }
    answer = post(create, others[other])
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (412, "multiple-matches")
    assert number(client, value) == 0


def test_a_conditional_update_never_replaces_what_it_did_not_select(post, client, stored):
    other = str(uuid4())
    answer = post(entry("PUT", f"Patient?{query(other)}", patient(other, id=stored["id"])))
    assert answer.status_code == 409
    assert client.get(f"/Patient/{stored['id']}").json() == stored


FAILURES = {
    "validation": (entry("POST", "Patient", {"resourceType": "Patient", "gender": "x"}), 422),
    "unknown_address": (entry("GET", "Patients/1"), 404),
    "read_of_nothing": (entry("GET", "Patient/none-there"), 404),
    "bad_search": (entry("GET", "Patient?nonsense=1"), 400),
    "bad_condition": (entry("DELETE", "Patient?nonsense=1"), 400),
    "version_conflict": (
        entry("PUT", "Patient/none-there", {"resourceType": "Patient", "id": "none-there"}, ifMatch="1"),
        412,
    ),
    "another_id": (entry("PUT", "Patient/a", {"resourceType": "Patient", "id": "b"}), 400),
    "no_id": (entry("PUT", "Patient/a", {"resourceType": "Patient"}), 400),
    "another_type": (entry("POST", "Observation", {"resourceType": "Patient"}), 400),
    "no_resource": (entry("POST", "Patient"), 400),
    "wrong_method": (entry("POST", "Patient/1", {"resourceType": "Patient"}), 400),
    "method": (entry("PUT", "_history", {"resourceType": "Parameters"}), 400),
    "patch_of_nothing": (entry("PATCH", "Patient/1", {"resourceType": "Parameters"}), 404),
    "other_server": (entry("GET", "http://elsewhere.example/fhir/Patient/1"), 404),
    "capabilities": (entry("GET", "metadata"), 404),
    "dangling": (
        entry(
            "POST",
            "Basic",
            {"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": f"urn:uuid:{uuid4()}"}},
        ),
        400,
    ),
    "conditional_reference": (
        entry(
            "POST",
            "Basic",
            {"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": "Patient?identifier=urn:x|none"}},
        ),
        412,
    ),
}


@pytest.mark.parametrize("name", FAILURES)
def test_one_failure_undoes_everything_and_is_named(post, client, stored, value, name):
    failing, status = FAILURES[name]
    new = str(uuid4())
    answer = post(
        entry("POST", "Patient", patient(new)),
        entry("PUT", f"Patient/{new}", patient(new, id=new)),
        failing,
        entry("DELETE", f"Patient/{stored['id']}"),
    )
    assert answer.status_code == status
    assert "Allow" not in answer.headers
    issues = answer.json()["issue"]
    assert all(issue["expression"][0].startswith("Bundle.entry[2]") for issue in issues)
    assert number(client, new) == 0
    assert client.get(f"/Patient/{new}").status_code == 404
    assert client.get(f"/Patient/{new}/_history").status_code == 404
    assert client.get(f"/Patient/{stored['id']}/_history").json()["total"] == 1


def test_the_faults_of_all_entries_are_told_at_once(post):
    broken = {"resourceType": "Patient", "birthDate": "yesterday", "gender": "x"}
    answer = post(
        entry("POST", "Patient", broken), entry("POST", "Patient", patient()), entry("POST", "Patient", broken)
    )
    places = {issue["expression"][0] for issue in answer.json()["issue"]}
    assert places == {f"Bundle.entry[{n}].resource.{name}" for n in (0, 2) for name in ("birthDate", "gender")}


def test_unknown_parameters_are_passed_over_where_the_client_prefers_it(post):
    answer = post(entry("GET", "Patient?nonsense=1&_count=1"), Prefer="handling=lenient")
    found = answer.json()["entry"][0]["resource"]
    assert found["entry"][-1]["search"]["mode"] == "outcome"
    assert "nonsense" not in found["link"][0]["url"]


def test_thousands_of_entries_are_stored_together(client, post):
    """2,500 entries that refer to each other; about two seconds on two quiet cores."""
    size = 2500
    tag = str(uuid4())
    urls = [f"urn:uuid:{uuid4()}" for _ in range(size)]
    entries = [entry("POST", "Patient", patient(f"{tag}-0"), urls[0])]
    for number, url in enumerate(urls[1:], 1):
        observation = {
            "resourceType": "Observation",
            "status": "final",
            "identifier": [{"system": SYSTEM, "value": f"{tag}-{number}"}],
            "code": {"coding": [{"system": "http://loinc.org", "code": "8302-2"}]},
            "subject": {"reference": urls[0]},
            "hasMember": [{"reference": urls[number % (size - 1) + 1]}],
            "valueQuantity": {"value": number, "unit": "cm"},
        }
        entries.append(entry("POST", "Observation", observation, url))
    began = time.perf_counter()
    answer = post(*entries)
    seconds = time.perf_counter() - began
    assert set(statuses(answer)) == {201}
    assert len(answer.json()["entry"]) == size
    made = responses(answer)[0]["location"].split("/")[-3]
    assert client.get(f"/Observation?subject=Patient/{made}&_summary=count").json()["total"] == size - 1
    assert seconds < 20


def test_more_entries_than_are_accepted_are_refused(start_server):
    server = start_server(workers=1, FHIR_MAX_TRANSACTION_ENTRIES="2")
    with server.client() as client:
        status = [
            client.post("/", json=bundle(*[entry("POST", "Patient", patient())] * size)).status_code for size in (2, 3)
        ]
    assert status == [200, 413]


def envelope(**members):
    return {"resourceType": "Bundle", "type": "transaction", **members}


MALFORMED = {
    "no_request": (envelope(entry=[{"resource": patient()}]), "Bundle.entry[0]"),
    "no_url": (envelope(entry=[{"resource": patient(), "request": {"method": "POST"}}]), "Bundle.entry[0].request"),
    "bad_method": (envelope(entry=[entry("FETCH", "Patient/1")]), "Bundle.entry[0].request.method"),
    "entry_no_object": (envelope(entry=[1]), "Bundle.entry[0]"),
    "entry_no_list": (envelope(entry={}), "Bundle.entry"),
    "resource_no_object": (envelope(entry=[{**entry("POST", "Patient"), "resource": "x"}]), "Bundle.entry[0].resource"),
    "unknown_resource": (
        envelope(entry=[entry("POST", "Nothing", {"resourceType": "Nothing"})]),
        "Bundle.entry[0].resource",
    ),
    "unknown_element": (envelope(nonsense=1), "Bundle"),
    "same_full_url": (
        envelope(
            entry=[entry("POST", "Patient", patient(), "urn:uuid:" + "0" * 8 + "-0000-4000-8000-" + "0" * 12)] * 2
        ),
        "Bundle",
    ),
    "no_type": ({"resourceType": "Bundle"}, "Bundle"),
    **{
        kind: ({"resourceType": "Bundle", "type": kind}, "Bundle.type")
        for kind in ("collection", "document", "searchset", "x")
    },
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_bundle_is_refused_with_the_place(client, name):
    body, place = MALFORMED[name]
    answer = client.post("/", json=body)
    assert answer.status_code == 400
    assert any(issue["expression"][0].startswith(place) for issue in answer.json()["issue"]), answer.text


def test_a_bundle_cut_short_or_with_a_member_twice_is_refused_with_its_place(client):
    for body in (
        b'{"resourceType":"Bundle","entry":[{"resource":{',
        b'{"resourceType":"Bundle","entry":[{"a":1,"a":2}]}',
    ):
        answer = client.post("/", content=body, headers={"Content-Type": "application/fhir+json"})
        assert answer.status_code == 400
        assert "line 1, column" in answer.json()["issue"][0]["diagnostics"]
