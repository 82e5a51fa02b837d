"""Links between the entries of a transaction, and conditional references.

https://hl7.org/fhir/R4/bundle.html#references and https://hl7.org/fhir/R4/http.html#trules
"""

from __future__ import annotations

from uuid import uuid4

import pytest

SYSTEM = "urn:test:links"
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'


def urn():
    return f"urn:uuid:{uuid4()}"


def patient(value=None, **members):
    identifier = {"identifier": [{"system": SYSTEM, "value": value}]} if value else {}
    return {"resourceType": "Patient", **identifier, **members}


def basic(reference, **members):
    return {"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": reference}, **members}


def create(resource, full_url=None, **request):
    made = {"request": {"method": "POST", "url": resource["resourceType"], **request}, "resource": resource}
    return {**made, "fullUrl": full_url} if full_url else made


def put(resource, full_url=None):
    url = f"{resource['resourceType']}/{resource['id']}"
    made = {"request": {"method": "PUT", "url": url}, "resource": resource}
    return {**made, "fullUrl": full_url} if full_url else made


def delete(url):
    return {"request": {"method": "DELETE", "url": url}}


@pytest.fixture
def post(client):
    """Posts a transaction of the given entries, with their content in the answer."""

    def post(*entries):
        body = {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}
        return client.post("/", json=body, headers={"Prefer": "return=representation"})

    return post


@pytest.fixture
def value():
    """An identifier's value that no other test has."""
    return str(uuid4())


def contents(answer):
    assert answer.status_code == 200, answer.text
    return [made.get("resource") for made in answer.json()["entry"]]


def key(resource):
    return f"{resource['resourceType']}/{resource['id']}"


def refused(answer, status, place):
    assert answer.status_code == status, answer.text
    assert answer.json()["issue"][0]["expression"] == [place]
    return answer.json()["issue"][0]["code"]


def test_a_link_is_replaced_wherever_it_can_be_and_nowhere_else(post):
    """An element of type uuid or oid cannot hold an address, so it stays, though the specification names it."""
    url = urn()
    observation = {
        "resourceType": "Observation",
        "text": {
            "status": "additional",
            "div": DIV.format(f"<p><a title='t' href='{url}'>{url}</a><img alt=\"{url}\" src=\"{url}\"/></p>"),
        },
        "contained": [{"resourceType": "RelatedPerson", "id": "c", "patient": {"reference": url, "display": url}}],
        "extension": [
            {"url": "http://x.example/reference", "valueReference": {"reference": url}},
            {"url": "http://x.example/uri", "valueUri": url},
            {"url": "http://x.example/url", "valueUrl": url},
            {"url": "http://x.example/uuid", "valueUuid": url},
            {"url": "http://x.example/string", "valueString": url},
            {"url": "http://x.example/canonical", "valueCanonical": url},
            {"url": url, "valueBoolean": True},
        ],
        "identifier": [{"system": SYSTEM, "value": url}],
        "status": "final",
        "code": {"text": url},
        "subject": {
            "reference": url,
            "display": url,
            "_display": {"extension": [{"url": "http://x.example/d", "valueUri": url}]},
        },
        "performer": [{"reference": "#c"}],
        "valueString": f"see {url}",
    }
    stored, made = contents(post(create(observation), create(patient(), url)))
    to = key(made)
    assert stored["subject"] == {
        "reference": to,
        "display": url,
        "_display": {"extension": [{"url": "http://x.example/d", "valueUri": to}]},
    }
    assert stored["contained"] == [{**observation["contained"][0], "patient": {"reference": to, "display": url}}]
    assert stored["text"]["div"] == DIV.format(
        f"<p><a title='t' href='{to}'>{url}</a><img alt=\"{url}\" src=\"{to}\"/></p>"
    )
    values = [next(value for name, value in each.items() if name != "url") for each in stored["extension"]]
    assert values == [{"reference": to}, to, to, url, url, url, True]
    assert stored["extension"][-1]["url"] == url
    assert stored["identifier"] == observation["identifier"]
    assert (stored["code"], stored["valueString"]) == (observation["code"], observation["valueString"])


def test_an_oid_links_as_well(post):
    stored, made = contents(post(create(basic("urn:oid:1.2.3.4")), create(patient(), "urn:oid:1.2.3.4")))
    assert stored["subject"]["reference"] == key(made)


def test_new_resources_may_refer_to_each_other_in_a_circle(post, client):
    one, two = urn(), urn()
    link = {"type": "seealso"}
    first, second = contents(
        post(
            create(patient(link=[{"other": {"reference": two}, **link}]), one),
            create(patient(link=[{"other": {"reference": one}, **link}]), two),
        )
    )
    assert first["link"][0]["other"] == {"reference": key(second)}
    assert second["link"][0]["other"] == {"reference": key(first)}
    assert client.get(f"/{key(first)}").json() == first


def test_a_resource_may_refer_to_itself(post):
    url = urn()
    [made] = contents(post(create(patient(link=[{"other": {"reference": url}, "type": "seealso"}]), url)))
    assert made["link"][0]["other"]["reference"] == key(made)


def test_an_entry_is_linked_by_its_absolute_address_and_relative_to_the_same_server(post):
    base = f"http://{uuid4()}.example/fhir"
    absolute, relative, elsewhere, made = contents(
        post(
            create(basic(f"{base}/Patient/p"), f"{base}/Basic/a"),
            create(basic("Patient/p"), f"{base}/Basic/b"),
            create(basic("Patient/p"), "http://elsewhere.example/fhir/Basic/c"),
            create(patient(), f"{base}/Patient/p"),
        )
    )
    assert absolute["subject"]["reference"] == relative["subject"]["reference"] == key(made)
    assert elsewhere["subject"]["reference"] == "Patient/p"


def test_links_to_what_the_bundle_does_not_carry_stay(post):
    references = ["Patient/elsewhere", "http://elsewhere.example/fhir/Patient/1", "http://elsewhere.example/anything"]
    stored = contents(post(*(create(basic(reference), urn()) for reference in references)))
    assert [each["subject"]["reference"] for each in stored] == references


def test_a_link_to_an_updated_entry_is_its_address(post, value):
    url = urn()
    _, stored = contents(post(put(patient(id=value), url), create(basic(url))))
    assert stored["subject"]["reference"] == f"Patient/{value}"


def test_a_link_to_a_conditional_create_that_found_its_resource_is_what_it_found(post, client, value):
    found = client.post("/Patient", json=patient(value)).json()
    url = urn()
    _, stored = contents(
        post(create(patient(value), url, ifNoneExist=f"identifier={SYSTEM}|{value}"), create(basic(url)))
    )
    assert stored["subject"]["reference"] == key(found)


def test_a_link_that_no_entry_answers_to_is_refused(post):
    assert refused(post(create(patient()), create(basic(urn()))), 400, "Bundle.entry[1]") == "invalid"


def test_a_conditional_reference_becomes_the_one_that_is_stored(post, client, value):
    found = client.post("/Patient", json=patient(value)).json()
    [stored] = contents(post(create(basic(f"Patient?identifier={SYSTEM}|{value}"))))
    assert stored["subject"]["reference"] == key(found)


def test_a_conditional_reference_becomes_the_one_that_the_bundle_brings(post, value):
    stored, made = contents(post(create(basic(f"Patient?identifier={SYSTEM}|{value}")), create(patient(value))))
    assert stored["subject"]["reference"] == key(made)


def test_a_conditional_reference_in_a_contained_resource_is_resolved(post, value):
    reference = f"Patient?identifier={SYSTEM}|{value}"
    contained = {"resourceType": "RelatedPerson", "id": "c", "patient": {"reference": reference}}
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "contained": [contained],
        "performer": [{"reference": "#c"}],
    }
    stored, made = contents(post(create(observation), create(patient(value))))
    assert stored["contained"][0]["patient"]["reference"] == key(made)


@pytest.mark.parametrize(
    ("stored", "brought", "code"),
    [(0, 0, "not-found"), (2, 0, "multiple-matches"), (0, 2, "multiple-matches"), (1, 1, "multiple-matches")],
)
def test_a_conditional_reference_to_none_or_many_undoes_everything(post, client, value, stored, brought, code):
    for _ in range(stored):
        client.post("/Patient", json=patient(value))
    answer = post(*[create(patient(value))] * brought, create(basic(f"Patient?identifier={SYSTEM}|{value}")))
    assert refused(answer, 412, f"Bundle.entry[{brought}]") == code
    assert client.get(f"/Patient?identifier={SYSTEM}|{value}").json()["total"] == stored


def test_a_conditional_reference_means_what_is_left_when_the_transaction_is_done(post, client, value):
    reference = f"Patient?identifier={SYSTEM}|{value}"
    old = client.post("/Patient", json=patient(value)).json()
    assert refused(post(delete(key(old)), create(basic(reference))), 412, "Bundle.entry[1]") == "not-found"
    renamed = put(patient(value + "x", id=old["id"]))
    assert refused(post(renamed, create(basic(reference))), 412, "Bundle.entry[1]") == "not-found"
    _, stored, made = contents(post(delete(key(old)), create(basic(reference)), create(patient(value))))
    assert stored["subject"]["reference"] == key(made)


@pytest.mark.parametrize("query", ["nonsense=1", "_count=1", "identifier="])
def test_a_conditional_reference_that_is_not_understood_is_refused(post, query):
    assert post(create(basic(f"Patient?{query}"))).status_code == 400


def test_only_the_address_changes_in_the_spelling_of_a_resource(client):
    url = urn()
    div = DIV.format(f'<a href="{url}">\\u00e9 \\ud83d\\ude00</a>').replace("<", "\\u003c").replace('"', '\\"')
    text = (
        '{"resourceType":"Observation", "valueQuantity":{"value":1.00},"text":{"status":"generated",'
        f'"div":"{div}"}},"code":{{"text":"\\u0041"}},"status":"final" ,"subject":{{"reference":"{url}"}}}}'
    )
    body = (
        '{"resourceType":"Bundle","type":"transaction","entry":['
        f'{{"fullUrl":"{url}","resource":{{"resourceType":"Patient"}},"request":{{"method":"POST","url":"Patient"}}}},'
        f'{{"resource":{text},"request":{{"method":"POST","url":"Observation"}}}}]}}'
    )
    answer = client.post("/", content=body, headers={"Content-Type": "application/fhir+json"})
    places = [made["response"]["location"].split("/_history")[0] for made in answer.json()["entry"]]
    to = "/".join(places[0].split("/")[-2:])
    stored = client.get(places[1])
    sent = text.replace(url, to).split(",", 1)[1]
    assert stored.text.endswith(sent)
    assert stored.headers["ETag"] == 'W/"1"'
