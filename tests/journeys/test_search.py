"""Search within a type. https://hl7.org/fhir/R4/search.html"""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import pytest

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
LENIENT = {"Prefer": "handling=lenient"}


@pytest.fixture
def tag():
    """A word that marks what a test stores."""
    return uuid4().hex


@pytest.fixture
def store(client, tag):
    """Stores a resource that carries the test's tag; its id."""

    def store(type_name="Observation", **members):
        if type_name == "Observation":
            members = {"status": "final", "code": {"text": "x"}, **members}
        meta = {"tag": [{"system": "urn:test:search", "code": tag}]}
        answer = client.post(f"/{type_name}", json={"resourceType": type_name, "meta": meta, **members})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    return store


@pytest.fixture
def find(client, tag):
    """The ids that a query selects among what the test stored."""

    def find(query, type_name="Observation"):
        answer = client.get(f"/{type_name}?_tag=urn:test:search|{tag}&_count=1000&{query}")
        assert answer.status_code == 200, answer.text
        return {entry["resource"]["id"] for entry in answer.json().get("entry", ())}

    return find


def link(bundle, relation):
    return next((each["url"] for each in bundle["link"] if each["relation"] == relation), None)


def said(answer, status=400):
    assert answer.status_code == status, answer.text
    return " ".join(issue["diagnostics"] for issue in answer.json()["issue"])


def test_a_match_is_given_with_its_address_and_its_mode(client, server, store, tag):
    logical_id = store()
    bundle = client.get(f"/Observation?_id={logical_id}").json()
    assert (bundle["type"], bundle["total"]) == ("searchset", 1)
    [entry] = bundle["entry"]
    assert entry["fullUrl"] == f"{server.base_url}/Observation/{logical_id}"
    assert entry["search"] == {"mode": "match"}
    assert entry["resource"] == client.get(f"/Observation/{logical_id}").json()


def test_ids_are_searched_one_or_several(store, find):
    one, two, _ = store(), store(), store()
    assert find(f"_id={one}") == {one}
    assert find(f"_id={one},{two}") == {one, two}
    assert find(f"_id={one}&_id={two}") == set()
    assert find("_id=a_b") == set()


def test_tokens_are_searched_by_code_system_or_both(store, find):
    def coded(system, code):
        coding = {key: value for key, value in (("system", system), ("code", code)) if value}
        return store(code={"coding": [coding]})

    loinc, other, bare = coded("http://loinc.org", "8302-2"), coded("http://x.example", "8302-2"), coded(None, "8302-2")
    system_only = coded("http://loinc.org", None)
    assert find("code=8302-2") == {loinc, other, bare}
    assert find("code=http://loinc.org|8302-2") == {loinc}
    assert find("code=|8302-2") == {bare}
    assert find("code=http://loinc.org|") == {loinc, system_only}
    assert find("code=http://loinc.org|8302-2,http://x.example|8302-2") == {loinc, other}
    assert find("code=8302-2&code=http://x.example|8302-2") == {other}
    assert find("code=8302") == set()
    assert find("code=http://loinc|8302-2") == set()


def test_codes_are_folded_and_identifiers_are_not(store, find):
    logical_id = store(
        code={"coding": [{"system": "http://x.example", "code": "AbC"}]},
        identifier=[{"system": "http://x.example", "value": "AbC"}],
    )
    assert find("code=aBc") == find("code=http://x.example|ABC") == find("identifier=AbC") == {logical_id}
    assert find("identifier=abc") == set()


def test_separators_within_a_value_are_escaped(store, find):
    odd = r"a,b|c$d\e"
    logical_id = store(identifier=[{"system": "urn:x|y", "value": odd}])
    decoy = store(identifier=[{"system": "urn:x", "value": "y|" + odd}])
    escaped = r"a\,b\|c\$d\\e".replace("\\", "%5C")
    assert find(f"identifier={escaped}") == {logical_id}
    assert find(f"identifier=urn:x%5C|y|{escaped}") == {logical_id}
    assert find(f"identifier=urn:x|y%5C|{escaped}") == {decoy}
    assert find("identifier=a,b|c") == set()


def test_other_kinds_of_tokens_are_found(store, find):
    here = store("Patient", active=True, gender="other", telecom=[{"system": "phone", "value": "+49 (30) 1"}])
    store("Patient", active=False, gender="male")
    for query in ("active=true", "gender=other", "telecom=%2B49 (30) 1", "phone=%2B49 (30) 1"):
        assert find(query, "Patient") == {here}


def test_references_are_searched_in_every_form(client, server, store, find):
    patient, group = store("Patient"), str(uuid4())
    one = store(subject={"reference": f"Patient/{patient}"})
    absolute = store(subject={"reference": f"{server.base_url}/Patient/{patient}"})
    versioned = store(subject={"reference": f"Patient/{patient}/_history/1"})
    foreign = store(subject={"reference": f"http://x.example/fhir/Patient/{patient}"})
    grouped = store(subject={"reference": f"Group/{group}"})
    mine = {one, absolute, versioned}
    for query in (
        f"subject=Patient/{patient}",
        f"subject={patient}",
        f"subject={server.base_url}/Patient/{patient}",
        f"subject:Patient={patient}",
        f"subject:Patient=Patient/{patient}",
        f"patient={patient}",
    ):
        assert find(query) == mine, query
    assert find(f"subject=http://x.example/fhir/Patient/{patient}") == {foreign}
    assert find(f"subject=Patient/{patient},Group/{group}") == mine | {grouped}
    assert find(f"subject:Group={patient}") == set()
    assert find(f"patient={group}") == set()
    assert "Patient" in said(client.get(f"/Observation?subject:Patient=Group/{group}"))


def test_strings_are_matched_from_the_start_without_case_and_accents(store, find):
    one = store("Patient", name=[{"family": "Müller  von Österreich", "given": ["Ænne", "José"]}])
    two = store("Patient", name=[{"text": "Mullah"}], address=[{"city": "Köln", "line": ["Straße 1"]}])
    assert find("name=mull", "Patient") == find("name=MÜLL", "Patient") == {one, two}
    assert find("family=muller von", "Patient") == find("family=Mu%CC%88ller", "Patient") == {one}
    assert find("given=jose", "Patient") == find("name=JOSE", "Patient") == {one}
    assert find("name=österreich", "Patient") == set()
    assert (
        find("address=koln", "Patient")
        == find("address=STRASSE", "Patient")
        == find("address-city=K", "Patient")
        == {two}
    )
    assert find("name=jos,mulla", "Patient") == {one, two}
    assert find("name=jos&name=müll", "Patient") == {one}


def test_uris_are_matched_exactly(store, find):
    here = store("Library", status="draft", type={"text": "x"}, url="http://x.example/Library/A")
    assert find("url=http://x.example/Library/A", "Library") == {here}
    for other in ("http://x.example/Library/a", "http://x.example/Library", "http://x.example/Library/A/"):
        assert find(f"url={other}", "Library") == set()


def test_the_last_change_is_searched_with_every_prefix(client, store, find):
    logical_id = store()
    text = client.get(f"/Observation/{logical_id}").json()["meta"]["lastUpdated"]
    moment = datetime.fromisoformat(text)
    before, after = (
        (moment + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        for ms in (-1, 1)
    )
    finds = {
        query: find(f"_lastUpdated={query}") == {logical_id}
        for query in (
            text,
            f"eq{text}",
            f"ge{text}",
            f"le{text}",
            f"gt{before}",
            f"lt{after}",
            f"sa{before}",
            f"eb{after}",
            f"ne{before}",
            f"ap{text}",
            text[:19] + "Z",
            text[:10],
            text[:7],
            text[:4],
            f"ge{text[:10]}",
            f"{before},{text}",
            text.replace("Z", "%2B00:00"),
            text.replace("Z", "+00:00"),
        )
    }
    assert [query for query, is_found in finds.items() if not is_found] == []
    for query in (
        before,
        f"gt{text}",
        f"lt{text}",
        f"ne{text}",
        f"ge{after}",
        f"le{before}",
        f"gt{text[:10]}",
        "eq1999",
    ):
        assert find(f"_lastUpdated={query}") == set(), query
    assert find(f"_lastUpdated=gt{before}&_lastUpdated=lt{after}") == {logical_id}


def test_the_deleted_are_not_found(client, store, find):
    kept, gone = store(), store()
    client.delete(f"/Observation/{gone}")
    assert find("") == find("status=final") == find("_lastUpdated=gt2000") == {kept}
    assert find(f"_id={gone}") == set()


def test_an_update_changes_what_a_resource_is_found_by(client, store, find):
    logical_id = store("Patient", gender="male")
    body = client.get(f"/Patient/{logical_id}").json()
    client.put(f"/Patient/{logical_id}", json={**body, "gender": "female"})
    assert find("gender=male", "Patient") == set()
    assert find("gender=female", "Patient") == {logical_id}


def test_a_walk_through_the_pages_neither_repeats_nor_skips_while_others_write(client, store, tag):
    there = {store() for _ in range(11)}
    gone = store()
    seen = []
    url = f"/Observation?_tag={tag}&_count=3"
    while url:
        bundle = client.get(url).json()
        seen += [entry["resource"]["id"] for entry in bundle["entry"]]
        assert len(bundle["entry"]) <= 3
        url = link(bundle, "next")
        store()
        body = client.get(f"/Observation/{min(there)}").json()
        client.put(f"/Observation/{body['id']}", json={**body, "valueString": uuid4().hex})
        if len(seen) == 3 and gone not in seen:
            client.delete(f"/Observation/{gone}")
    assert len(seen) == len(set(seen))
    assert there <= set(seen)
    assert gone not in seen


def test_the_links_say_what_was_searched_and_lead_on(client, store, tag):
    for _ in range(3):
        store(code={"coding": [{"code": "a|b"}]})
    first = client.get(f"/Observation?code=a%5C|b&_tag={tag}&_count=2&_format=json&_total=accurate").json()
    assert parse_qsl(urlsplit(link(first, "self")).query) == [
        ("code", r"a\|b"), ("_tag", tag), ("_total", "accurate"), ("_count", "2")
    ]  # fmt: skip
    second = client.get(link(first, "next")).json()
    assert (first["total"], second["total"]) == (3, 3)
    assert (len(first["entry"]), len(second["entry"])) == (2, 1)
    assert link(second, "next") is None
    assert client.get(link(first, "self")).json() == first


def test_the_number_is_told_when_it_is_asked_for_or_known(client, store, tag):
    for _ in range(3):
        store()
    base = f"/Observation?_tag={tag}"
    totals = {
        query: client.get(base + query).json().get("total")
        for query in (
            "",
            "&_count=2",
            "&_count=2&_total=accurate",
            "&_count=2&_total=none",
            "&_count=0",
            "&_summary=count",
        )
    }
    assert {query for query, total in totals.items() if total is None} == {"&_count=2", "&_count=2&_total=none"}
    assert set(totals.values()) == {3, None}
    for query in ("&_count=0", "&_summary=count"):
        bundle = client.get(base + query).json()
        assert "entry" not in bundle
        assert link(bundle, "next") is None


def test_a_count_past_the_most_is_cut_and_the_self_link_says_so(client, tag):
    assert "_count=1000" in link(client.get(f"/Observation?_tag={tag}&_count=5000").json(), "self")


def test_a_search_by_post_finds_the_same(client, store, tag):
    store()
    got = client.get(f"/Observation?_tag={tag}&status=final").json()
    for url, body in (
        ("/Observation/_search", f"_tag={tag}&status=final"),
        (f"/Observation/_search?_tag={tag}", "status=final"),
        (f"/Observation/_search?_tag={tag}&status=final", ""),
    ):
        assert client.post(url, content=body, headers=FORM).json() == got
    assert said(client.post("/Observation/_search", json={}), 415)
    assert "nonsense" in said(client.post("/Observation/_search", content="nonsense=1", headers=FORM))
    assert "UTF-8" in said(client.post("/Observation/_search", content=b"status=\xff", headers=FORM))


def test_an_unknown_parameter_is_refused_by_its_name(client):
    assert "'nonsense'" in said(client.get("/Observation?nonsense=1"))
    both = said(client.get("/Observation?nonsense=1&more=2", headers={"Prefer": "handling=strict"}))
    assert "'nonsense'" in both
    assert "'more'" in both


def test_with_lenient_handling_an_unknown_parameter_is_told_and_left_out(client, store, tag):
    logical_id = store()
    bundle = client.get(f"/Observation?_tag={tag}&nonsense=1", headers=LENIENT).json()
    match, outcome = bundle["entry"]
    assert match["resource"]["id"] == logical_id
    assert outcome["search"] == {"mode": "outcome"}
    [issue] = outcome["resource"]["issue"]
    assert issue["severity"] == "warning"
    assert "'nonsense'" in issue["diagnostics"]
    assert "nonsense" not in link(bundle, "self")
    assert bundle["total"] == 1


MALFORMED = [
    "code=|",
    "code=,",
    "_id=,",
    "code=x,|",
    "_lastUpdated=yesterday",
    "_lastUpdated=2020-13",
    "_lastUpdated=xx2020",
    "_lastUpdated=0000",
    "_lastUpdated=2020-01-01T25:00",
    "_lastUpdated=٢٠٢٠",
    "_count=x",
    "_count=-1",
    "_count=",
    "_count=99999999999",
    "_total=x",
    "_summary=x",
    "_cursor=x",
    "_cursor=WzFd",
    "_cursor=W10",
    "_cursor=WyJhIiwgMV0",
    "code:nonsense=x",
    "code:Patient=x",
    "subject:Nothing=1",
    "subject:Device:x=1",
    "code=",
    "=x",
    "code:=",
    "category:of-type=x",
    "code=%ff",
    "_id:exact=x",
]


@pytest.mark.parametrize("query", MALFORMED)
def test_a_malformed_query_is_refused(client, query):
    assert said(client.get(f"/Observation?{query}"))


@pytest.mark.parametrize("query", ["name=%20", "name=%CC%81", "family=x,%09"])
def test_a_text_with_nothing_to_search_for_is_refused(client, query):
    assert "nothing to search for" in said(client.get(f"/Patient?{query}"))


ODD = [
    "code=a|b|c",
    "code=%00",
    "code=%5C",
    "subject=/",
    "subject=Patient/",
    "subject=%F4%8F%BF%BF",
    "_id=$",
]


@pytest.mark.parametrize("query", ODD)
def test_an_odd_value_finds_nothing_and_harms_nothing(client, store, query, find):
    store()
    assert find(query) == set()


def test_too_many_values_are_refused(client):
    assert "500" in said(client.get("/Observation?code=" + ",".join("x" * 501)))
    assert "500" in said(client.get("/Observation?" + "code=x&" * 501))


def test_a_search_of_a_type_that_was_never_written_is_empty(client):
    bundle = client.get("/SubstanceNucleicAcid").json()
    assert (bundle["type"], bundle["total"]) == ("searchset", 0)
