"""What all OAuth endpoints have in common: strict forms, JSON errors, CORS, and never a fault for any input."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smart_auth.clients.commands import disable_client

FORM_ENDPOINTS = ("/auth/token", "/auth/revoke", "/auth/introspect")
ORIGIN = "https://app.example.org"


@pytest.mark.parametrize("path", FORM_ENDPOINTS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
def test_endpoints_take_post_only(world, path, method):
    answer = world.http.open(path, method=method)
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", FORM_ENDPOINTS)
@pytest.mark.parametrize(
    "content_type", ["application/json", "multipart/form-data; boundary=x", "text/plain", "", "application/fhir+json"]
)
def test_endpoints_take_forms_only(world, path, content_type):
    answer = world.http.post(path, data=b"grant_type=client_credentials", content_type=content_type)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


def test_a_charset_beside_the_media_type_is_fine(world):
    app = world.app()
    code = world.code(app)
    form = f"grant_type=authorization_code&code={code.text}&client_id={app.id}&code_verifier={code.verifier}"
    form += "&redirect_uri=https://app.example.org/callback&state=ignored&unknown=ignored"
    answer = world.http.post("/auth/token", data=form, content_type="application/x-www-form-urlencoded; charset=UTF-8")
    assert answer.status_code == 200


@pytest.mark.parametrize("path", FORM_ENDPOINTS)
def test_parameters_in_the_address_are_refused(world, path):
    answer = world.post(path + "?grant_type=client_credentials&client_id=x", {"grant_type": "client_credentials"})
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")
    assert "query" in answer.get_json()["error_description"]


@pytest.mark.parametrize(
    "body",
    [
        "grant_type=client_credentials&grant_type=client_credentials",
        "grant_type=a&code=1&code=2",
        "grant_type=a&unknown=1&unknown=2",
        "client_id=a&client_id=",
    ],
)
def test_a_parameter_that_stands_twice_is_refused(world, body):
    for path in FORM_ENDPOINTS:
        answer = world.http.post(path, data=body, content_type="application/x-www-form-urlencoded")
        assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")
        assert "twice" in answer.get_json()["error_description"]


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe=1",
        b"code=%ff%fe",
        b"&".join(b"p%d=1" % n for n in range(101)),
        b"",
        b"grant_type=",
        b"grant_type=authorization_code&code=%00%00",
    ],
)
def test_a_body_that_is_no_sound_form_is_answered_4xx(world, body):
    for path in FORM_ENDPOINTS:
        answer = world.http.post(path, data=body, content_type="application/x-www-form-urlencoded")
        assert 400 <= answer.status_code < 500
        assert answer.get_json()["error_description"]


def test_a_body_that_is_too_large_is_answered_413(world):
    answer = world.http.post(
        "/auth/token", data=b"a=" + b"x" * 70_000, content_type="application/x-www-form-urlencoded"
    )
    assert (answer.status_code, answer.get_json()["error"]) == (413, "invalid_request")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from(
            [
                *("grant_type", "code", "redirect_uri", "client_id", "client_secret", "client_assertion", "scope"),
                *("client_assertion_type", "refresh_token", "code_verifier", "token", "token_type_hint"),
            ]
        ),
        st.one_of(
            st.sampled_from(["authorization_code", "refresh_token", "client_credentials", "a.b.c"]),
            st.text(max_size=40).filter(lambda text: text.isprintable()),
        ),
    ),
    st.one_of(st.none(), st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"))),
    st.sampled_from(FORM_ENDPOINTS),
)
def test_no_input_makes_an_endpoint_fault(world, form, authorization, path):
    headers = None if authorization is None else {"Authorization": authorization}
    answer = world.post(path, form, headers)
    assert answer.status_code in (200, 400, 401)
    if answer.status_code != 200:
        assert answer.get_json()["error"]
        assert answer.get_json()["error_description"].isascii()


@pytest.mark.parametrize("path", ["/auth/token", "/auth/revoke"])
def test_pages_of_registered_clients_may_call_and_preflights_say_so(world, path):
    app = world.app(redirect_uris=["https://shared.example.org:8443/cb", "https://app.example.org/callback"])
    origin = {"Origin": "https://shared.example.org:8443"}
    preflight = world.http.options(
        path,
        headers={**origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"},
    )
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == origin["Origin"]
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
    assert preflight.headers["Access-Control-Max-Age"] == "600"
    for answer in (world.post(path, {}, origin), world.http.get(path, headers=origin)):
        assert answer.headers["Access-Control-Allow-Origin"] == origin["Origin"]
        assert "Origin" in answer.headers["Vary"]
        assert "Access-Control-Allow-Credentials" not in answer.headers
    assert world.exchange(app, world.code(app), headers=origin).headers["Access-Control-Allow-Origin"]


def test_other_pages_may_not_call(world):
    app = world.app(redirect_uris=["https://gone.example.org/cb"])
    disable_client(world.services, app.id)
    for origin in ("https://gone.example.org", "https://evil.example.org", "null", "x" * 5000):
        answer = world.post("/auth/token", {}, {"Origin": origin})
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Origin" in answer.headers["Vary"]


def test_a_store_that_does_not_answer_is_answered_503(world, monkeypatch):
    from pymongo.errors import AutoReconnect

    def fails(*_):
        raise AutoReconnect("gone")

    monkeypatch.setattr(world.services.store.clients, "find", fails)
    answer = world.post("/auth/token", {"grant_type": "authorization_code", "client_id": "x"})
    assert (answer.status_code, answer.get_json()["error"]) == (503, "temporarily_unavailable")
    assert answer.headers["Retry-After"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_fault_of_ours_is_answered_in_json_and_reported(world, monkeypatch):
    from flask import got_request_exception

    reported = []

    def note(_, exception):
        reported.append(exception)

    def fails(*_):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(world.services.store.clients, "find", fails)
    with got_request_exception.connected_to(note):
        answer = world.post("/auth/token", {"grant_type": "authorization_code", "client_id": "x"})
    assert (answer.status_code, answer.get_json()["error"]) == (500, "server_error")
    assert "secret detail" not in answer.text
    assert [type(error) for error in reported] == [RuntimeError]
