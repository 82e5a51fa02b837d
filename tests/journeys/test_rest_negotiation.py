"""Formats, encodings, methods, and the headers around them. https://hl7.org/fhir/R4/http.html#mime-type"""

from __future__ import annotations

import gzip
import json
import socket
from uuid import uuid4

import httpx
import pytest

FHIR = {"Content-Type": "application/fhir+json"}
PATIENT = b'{"resourceType":"Patient"}'


def outcome(answer, status, said=""):
    """The first issue's code of an answer that must be an OperationOutcome in JSON."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/fhir+json; charset=utf-8"
    issue = answer.json()["issue"][0]
    assert said in issue["diagnostics"]
    return issue["code"]


JSON_WANTED = [
    "application/fhir+json",
    "application/fhir+json; fhirVersion=4.0",
    "application/fhir+json;fhirVersion=4.0.1;charset=utf-8",
    "application/fhir+xml;q=0.5, application/fhir+json;q=0.9",
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "*/*",
    "application/*",
    "text/json",
    "",
]


@pytest.mark.parametrize("accept", JSON_WANTED)
def test_fhir_json_is_the_answer_to_whatever_allows_it(client, accept):
    answer = client.get("/metadata", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/fhir+json; charset=utf-8"


def test_plain_json_is_answered_to_whom_prefers_it(client):
    for accept in ("application/json", "application/fhir+json;q=0.1, application/json"):
        answer = client.get("/metadata", headers={"Accept": accept})
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


NOT_WANTED = [
    "application/fhir+xml; fhirVersion=5.0",
    "text/turtle",
    "image/png, text/html;q=0.3",
    "application/fhir+json;q=0",
    "application/fhir+json; fhirVersion=3.0",
    "nonsense",
]


@pytest.mark.parametrize("accept", NOT_WANTED)
def test_another_format_is_refused_in_json(client, accept):
    assert outcome(client.get("/metadata", headers={"Accept": accept}), 406) == "not-supported"


@pytest.mark.parametrize(
    "wanted", ["json", "application/json", "application/fhir%2Bjson", "application/fhir+json", "text/json"]
)
def test_the_format_parameter_counts_more_than_the_header(client, wanted):
    answer = client.get(f"/metadata?_format={wanted}", headers={"Accept": "application/fhir+xml"})
    assert answer.status_code == 200
    assert answer.json()["resourceType"] == "CapabilityStatement"


@pytest.mark.parametrize("wanted", ["ttl", "html", "", "application/fhir%2Bjson;fhirVersion=3.0"])
def test_an_unknown_format_parameter_is_refused(client, wanted):
    assert outcome(client.get(f"/metadata?_format={wanted}"), 406) == "not-supported"


def test_a_refused_format_stores_nothing(client):
    logical_id = str(uuid4())
    body = {"resourceType": "Patient", "id": logical_id}
    assert client.put(f"/Patient/{logical_id}?_format=ttl", json=body).status_code == 406
    assert client.get(f"/Patient/{logical_id}").status_code == 404


def test_pretty_is_the_same_json_indented(client):
    content = b'{"resourceType":"Observation","status":"final","code":{"text":"a:{[,"},"valueQuantity":{"value":1.00}}'
    logical_id = client.post("/Observation", content=content, headers=FHIR).json()["id"]
    plain = client.get(f"/Observation/{logical_id}?_pretty=false")
    pretty = client.get(f"/Observation/{logical_id}?_pretty=true")
    assert b"\n" not in plain.content
    assert b'\n  "valueQuantity": {\n    "value": 1.00\n  }' in pretty.content
    assert json.loads(pretty.content) == json.loads(plain.content)
    assert b"\n  " in client.get("/Nothing?_pretty=true").content


@pytest.mark.parametrize("content_type", ["text/turtle", "text/plain", "application/x-www-form-urlencoded", "x"])
def test_a_body_in_another_format_is_refused(client, content_type):
    answer = client.post("/Patient", content=PATIENT, headers={"Content-Type": content_type})
    assert outcome(answer, 415, "application/fhir+json") == "not-supported"


@pytest.mark.parametrize(
    "content_type",
    ["application/fhir+json; charset=iso-8859-1", "application/fhir+json; fhirVersion=3.0"],
)
def test_a_body_in_another_character_set_or_version_is_refused(client, content_type):
    answer = client.post("/Patient", content=PATIENT, headers={"Content-Type": content_type})
    assert outcome(answer, 415) == "not-supported"


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "application/json",
        "text/json",
        "Application/FHIR+JSON; Charset=UTF-8",
        "application/fhir+json; fhirVersion=4.0",
    ],
)
def test_a_body_in_json_is_taken(client, content_type):
    headers = {"Content-Type": content_type} if content_type else {}
    assert client.post("/Patient", content=PATIENT, headers=headers).status_code == 201


def test_a_body_may_be_compressed(client):
    halves = gzip.compress(PATIENT[:9]) + gzip.compress(PATIENT[9:])
    for body, coding in ((gzip.compress(PATIENT), "gzip"), (halves, "gzip"), (PATIENT, "identity")):
        answer = client.post("/Patient", content=body, headers={**FHIR, "Content-Encoding": coding})
        assert answer.status_code == 201


def test_a_broken_compression_is_refused(client):
    whole = gzip.compress(PATIENT)
    for body in (b"nonsense", whole[:-3], whole[:-8] + b"12345678", PATIENT):
        answer = client.post("/Patient", content=body, headers={**FHIR, "Content-Encoding": "gzip"})
        assert outcome(answer, 400, "gzip") == "structure"


@pytest.mark.parametrize("coding", ["br", "deflate", "gzip, gzip"])
def test_an_unknown_content_coding_is_refused(client, coding):
    answer = client.post("/Patient", content=PATIENT, headers={**FHIR, "Content-Encoding": coding})
    assert outcome(answer, 415, "coding") == "not-supported"


def test_a_body_may_come_in_chunks(client):
    answer = client.post("/Patient", content=iter([PATIENT[:5], PATIENT[5:]]), headers=FHIR)
    assert answer.status_code == 201


def test_a_large_answer_is_compressed_for_whom_takes_it(client):
    packed = client.get("/metadata", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    for accepted in ("identity", "gzip;q=0"):
        plain = client.get("/metadata", headers={"Accept-Encoding": accepted})
        assert "Content-Encoding" not in plain.headers
        assert plain.json()["rest"] == packed.json()["rest"]


def test_bodies_past_the_limit_are_refused_however_they_come(start_server):
    server = start_server(workers=1, FHIR_MAX_BODY_MB="1")
    large = b'{"resourceType":"Patient","language":"' + b"x" * 1024 * 1024 + b'"}'
    with server.client() as client:
        answers = [
            client.post("/Patient", content=large, headers=FHIR),
            client.post("/Patient", content=iter([large]), headers=FHIR),
            client.post("/Patient", content=gzip.compress(large), headers={**FHIR, "Content-Encoding": "gzip"}),
            client.post(
                "/Patient", content=gzip.compress(bytes(200 << 20)), headers={**FHIR, "Content-Encoding": "gzip"}
            ),
        ]
        assert [outcome(answer, 413) for answer in answers] == ["too-long"] * 4
        assert client.post("/Patient", content=PATIENT, headers=FHIR).status_code == 201


ALLOWED = {
    "/metadata": {"GET", "HEAD", "OPTIONS"},
    "/": {"GET", "HEAD", "POST", "OPTIONS"},
    "": {"GET", "HEAD", "POST", "OPTIONS"},
    "/_history": {"GET", "HEAD", "OPTIONS"},
    "/Patient": {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"},
    "/Patient/1": {"GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"},
    "/Patient/1/_history": {"GET", "HEAD", "OPTIONS"},
    "/Patient/1/_history/1": {"GET", "HEAD", "OPTIONS"},
    "/Patient/_search": {"POST", "OPTIONS"},
}


@pytest.mark.parametrize("path", ALLOWED)
def test_a_method_that_an_address_does_not_know_is_refused_with_those_it_knows(client, server, path):
    for method in {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "PROPFIND"} - ALLOWED[path]:
        answer = client.request(method, server.base_url + path)
        assert answer.status_code == 405
        assert set(answer.headers["Allow"].replace(" ", "").split(",")) == ALLOWED[path]
        if method != "HEAD":
            assert outcome(answer, 405, method) == "not-supported"


def test_a_page_from_this_machine_may_call_the_api(client):
    origin = "http://localhost:3000"
    preflight = client.options(
        "/Patient/1",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "if-match",
        },
    )
    assert preflight.status_code in (200, 204)
    assert preflight.headers["Access-Control-Allow-Origin"] == origin
    assert "PUT" in preflight.headers["Access-Control-Allow-Methods"]
    allowed = preflight.headers["Access-Control-Allow-Headers"].lower()
    for name in (
        "content-type",
        "content-encoding",
        "if-match",
        "if-none-match",
        "if-none-exist",
        "prefer",
        "authorization",
    ):
        assert name in allowed
    for path in ("/metadata", "/Nothing"):
        answer = client.get(path, headers={"Origin": origin})
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        exposed = answer.headers["Access-Control-Expose-Headers"]
        assert {"ETag", "Location", "Last-Modified", "X-Request-Id"} <= set(exposed.split(", "))
        assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://localhost:1/x",
    ],
)
def test_a_page_from_elsewhere_gets_no_permission(client, origin):
    for answer in (
        client.get("/metadata", headers={"Origin": origin}),
        client.options("/Patient", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_only_the_configured_origins_are_allowed(start_server):
    server = start_server(workers=1, FHIR_CORS_ORIGINS="https://app.example")
    with server.client() as client:
        allowed = [
            "Access-Control-Allow-Origin" in client.get("/metadata", headers={"Origin": origin}).headers
            for origin in ("https://app.example", "https://other.example", "http://localhost")
        ]
    assert allowed == [True, False, False]


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "localhost.evil.example", ""])
def test_a_foreign_host_name_is_not_answered(client, server, host):
    body = {"resourceType": "Patient", "id": str(uuid4())}
    answer = client.put(f"/Patient/{body['id']}", json=body, headers={"Host": host})
    assert answer.status_code == 400
    assert client.get(f"/Patient/{body['id']}").status_code == 404


def test_the_request_id_of_the_client_is_echoed_if_it_is_sound(client):
    for path in ("/metadata", "/Nothing"):
        assert client.get(path, headers={"X-Request-Id": "abc-1.2_3"}).headers["X-Request-Id"] == "abc-1.2_3"
        for given in ("a b", "x" * 65, "<script>", ""):
            answered = client.get(path, headers={"X-Request-Id": given}).headers["X-Request-Id"]
            assert answered != given
            assert answered


def test_every_answer_forbids_guessing_its_type(client, server):
    for answer in (client.get("/metadata"), client.get("/Nothing"), httpx.get(f"{server.site}/healthz")):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("query", ["name=%ff", "name=%ed%a0%80", "%ff=1"])
def test_a_query_that_is_not_utf_8_is_refused(client, query):
    assert outcome(client.get(f"/Patient?{query}"), 400, "UTF-8") == "invalid"


@pytest.mark.parametrize(("query", "status"), [(b"name=\xc3\xa9", b"200"), (b"name=\xff", b"400")])
def test_a_query_that_is_not_escaped_is_read_as_utf_8(server, query, status):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(b"GET /fhir/Patient?%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % query)
        assert connection.makefile("rb").readline().split()[1] == status


def test_what_an_outcome_quotes_never_makes_it_invalid(client):
    assert outcome(client.get("/Patient?a%00b%02=1"), 400, "a\ufffdb\ufffd") == "not-supported"
    broken = client.post("/Patient", content=rb'{"\ud800":1,"\ud800":2}', headers=FHIR)
    assert outcome(broken, 400, "stands twice") == "structure"


def test_a_connection_goes_on_after_a_body_that_nobody_reads(client):
    for _ in range(20):
        assert outcome(client.post("/Nothing", content=PATIENT.ljust(100_000), headers=FHIR), 404) == "not-found"
        assert outcome(client.get("/Nothing"), 404) == "not-found"
