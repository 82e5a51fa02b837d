"""Registering clients: what is accepted, by command and over HTTP.

https://www.rfc-editor.org/rfc/rfc7591
"""

from concurrent.futures import ThreadPoolExecutor

import pytest
from joserfc.jwk import ECKey, RSAKey

from smart_auth.clients.commands import (
    add_client,
    disable_client,
    enable_client,
    initial_access_token,
    list_clients,
    rotate_client,
)
from smart_auth.clients.redirect_uris import is_registered, origins_of, redirect_uri_fault
from smart_auth.tokens.access import find_access


@pytest.mark.parametrize(
    "uri",
    [
        *("https://app.example.org/cb", "https://app.example.org", "https://app.example.org:8443/cb?x=1&y=2"),
        *("http://localhost:3000/cb", "http://127.0.0.1/cb", "http://[::1]:9/", "com.example.app:/oauth"),
    ],
)
def test_redirect_uris_that_may_be_registered(uri):
    assert redirect_uri_fault(uri, is_native=True) is None


@pytest.mark.parametrize(
    "uri",
    [
        *("http://app.example.org/cb", "https://app.example.org/cb#f", "https://app.example.org/cb#", "/cb", "cb", ""),
        *("https://*.example.org/cb", "https://app.example.org/*", "https://user@app.example.org/", "https:///cb"),
        *("javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "myapp:/cb", "https://app.example.org/a b"),
        *("https://app.example.org:99999/", "https://\u00e9.example.org/", 'https://a.example.org/"', "https://a\\b/"),
        *("http://localhost.evil.example.org/", "//app.example.org/cb", "https://" + "a" * 2000 + ".org", "vbscript:x"),
        *("http://10.0.0.1/cb", "https://a.example.org/\n", "javascript.evil:alert(1)#"),
    ],
)
def test_redirect_uris_that_may_not_be_registered(uri):
    assert redirect_uri_fault(uri, is_native=True).endswith(".")


def test_a_scheme_of_its_own_is_for_native_apps_only():
    assert redirect_uri_fault("com.example.app:/oauth", is_native=False) is not None


@pytest.mark.parametrize(
    ("registered", "asked", "expected"),
    [
        ("https://a.example.org/cb", "https://a.example.org/cb", True),
        ("https://a.example.org/cb", "https://a.example.org/cb/", False),
        ("https://a.example.org/cb", "https://a.example.org/cb?x=1", False),
        ("https://a.example.org/cb", "https://A.example.org/cb", False),
        ("https://a.example.org/cb", "https://a.example.org/cbx", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", True),
        ("http://[::1]:1/cb", "http://[::1]:2/cb", True),
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/other", False),
        ("http://127.0.0.1:1/cb", "http://[::1]:1/cb", False),
        ("http://localhost:1/cb", "http://localhost:2/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:1@evil.example.org/cb", False),
        ("https://127.0.0.1/cb", "https://127.0.0.1:2/cb", False),
    ],
)
def test_a_redirect_uri_is_compared_character_by_character_but_for_the_port_of_loopback(registered, asked, expected):
    assert is_registered([registered], asked) is expected


def test_the_origins_of_a_client_are_those_of_its_redirect_uris():
    uris = ["https://a.example.org/x", "https://a.example.org:443/y", "http://localhost:3000/z", "com.example:/a"]
    assert origins_of(uris) == ("https://a.example.org", "http://localhost:3000")


def test_a_command_registers_each_kind_of_client(world):
    public = add_client(world.services, "Growth chart", "public", redirect_uris=["https://a.example.org/cb"])
    assert "client_secret" not in public
    assert public["token_endpoint_auth_method"] == "none"
    assert public["allowed_origins"] == ["https://a.example.org"]
    assert "patient/*.cruds" in public["scope"]
    secret = add_client(world.services, "Portal", "confidential-symmetric", redirect_uris=["https://a.example.org/cb"])
    assert len(secret["client_secret"]) >= 43
    backend = add_client(world.services, "Reports", "backend", jwks=world.public_keys())
    assert (backend["grant_types"], backend["scope"]) == (["client_credentials"], "system/*.rs")


@pytest.mark.parametrize(
    ("kind", "values", "why"),
    [
        ("public", {"redirect_uris": []}, "at least one redirect URI"),
        ("public", {"redirect_uris": ["http://a.example.org/"]}, "same machine"),
        ("public", {"name": " "}, "name"),
        ("public", {"name": "two\nlines"}, "name"),
        ("public", {"client_id": "a b"}, "client_id"),
        ("public", {"scope": "patient/*.rs nonsense"}, "nonsense"),
        ("public", {"scope": "system/*.rs"}, "backend"),
        ("public", {"scope": "patient/Observation.rs?date=2020"}, "date"),
        ("public", {"jwks_uri": "https://a.example.org/keys"}, "keys"),
        ("public", {"launch_uris": ["http://a.example.org/launch"]}, "https"),
        ("public", {"allowed_origins": ["https://a.example.org/"]}, "origin"),
        ("public", {"allowed_origins": ["*"]}, "origin"),
        ("backend", {"redirect_uris": []}, "either"),
        ("backend", {"jwks_uri": "https://a.example.org/k"}, "no redirect"),
        ("backend", {"redirect_uris": [], "jwks_uri": "http://a.example.org/k"}, "https"),
        ("backend", {"redirect_uris": [], "jwks_uri": "https://a.example.org/k", "scope": "user/*.rs"}, "system/"),
        (
            "backend",
            {"redirect_uris": [], "jwks_uri": "https://a.example.org/k", "scope": "system/*.rs openid"},
            "system/",
        ),
        ("browser", {}, "type"),
    ],
)
def test_what_is_wrong_with_a_client_is_said_in_a_sentence(world, kind, values, why):
    full = {"name": "App", "redirect_uris": ["https://a.example.org/cb"], **values}
    with pytest.raises(ValueError, match=why):
        add_client(world.services, full.pop("name"), kind, **full)


def test_keys_that_are_weak_private_or_ambiguous_are_not_registered(world):
    good = world.rsa.as_dict(private=False)
    small = ECKey.generate_key("P-256", {"kid": "p256"}).as_dict(private=False)
    for keys, why in (
        ([world.rsa.as_dict(private=True)], "private"),
        ([{**good, "kid": None}], "kid"),
        ([{**good, "kid": "\ud800"}], "kid"),
        ([good, good], "kid of another"),
        ([small], "P-384"),
        ([{**good, "n": "AQAB"}], "2048"),
        ([{"kty": "oct", "k": "c2VjcmV0", "kid": "x"}], "neither an RSA nor an EC"),
        ([], "at least one key"),
        (["x"], "not an object"),
    ):
        with pytest.raises(ValueError, match=why):
            add_client(world.services, "Reports", "backend", jwks={"keys": keys})
    huge = RSAKey.generate_key(2048, {"kid": "huge"}).as_dict(private=False)
    with pytest.raises(ValueError, match="2048"):
        add_client(world.services, "Reports", "backend", jwks={"keys": [{**huge, "n": huge["n"] * 40}]})


def test_a_client_id_is_given_once(world):
    values = {"redirect_uris": ["https://a.example.org/cb"], "client_id": f"growth-{world.clock()}"}
    add_client(world.services, "One", "public", **values)
    with pytest.raises(ValueError, match="already"):
        add_client(world.services, "Two", "public", **values)


def test_clients_are_listed_without_secrets(world):
    app = world.app("confidential-symmetric")
    (shown,) = [each for each in list_clients(world.services) if each["client_id"] == app.id]
    assert shown["is_active"] is True
    assert "client_secret" not in shown
    assert app.secret not in str(shown)


def test_a_disabled_client_loses_all_that_was_granted_to_it_and_an_enabled_one_starts_anew(world):
    app = world.app()
    body = world.tokens(app, "patient/*.rs offline_access", stay="offline")
    assert find_access(world.services, body["access_token"]) is not None
    assert disable_client(world.services, app.id)["is_active"] is False
    assert find_access(world.services, body["access_token"]) is None
    assert enable_client(world.services, app.id)["is_active"] is True
    assert find_access(world.services, body["access_token"]) is None
    assert world.refresh(app, body["refresh_token"]).status_code == 400
    assert world.exchange(app, world.code(app)).status_code == 200


def test_commands_on_clients_that_are_not_there_say_so(world):
    for command in (rotate_client, disable_client, enable_client):
        with pytest.raises(ValueError, match="no client 'nobody'"):
            command(world.services, "nobody")
    with pytest.raises(ValueError, match="no secret"):
        rotate_client(world.services, world.app().id)


@pytest.fixture
def open_world(make_world, shared_store):
    return make_world(shared_store, allow_registration=True)


def registered(world, metadata, token=None):
    token = token or initial_access_token(world.services)["initial_access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    return world.http.application.test_client().post("/auth/register", json=metadata, headers=headers)


def test_registration_is_closed_unless_it_was_opened(world):
    assert registered(world, {"redirect_uris": ["https://a.example.org/cb"]}).status_code == 404


def test_a_client_registers_itself_and_works_at_once(open_world):
    metadata = {
        "client_name": "Portal",
        "redirect_uris": ["https://app.example.org/callback"],
        "token_endpoint_auth_method": "client_secret_post",
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": "patient/*.rs",
        "something_else": {"ignored": True},
    }
    answer = registered(open_world, metadata)
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.get_json()
    assert (body["client_name"], body["scope"]) == ("Portal", "patient/*.rs")
    assert body["token_endpoint_auth_method"] == "client_secret_post"
    assert body["client_secret_expires_at"] == 0
    assert "something_else" not in body
    client = open_world.services.store.clients.find(body["client_id"])
    assert client.type == "confidential-symmetric"


@pytest.mark.parametrize(
    ("metadata", "kind"),
    [
        ({"token_endpoint_auth_method": "none", "redirect_uris": ["https://a.example.org/cb"]}, "public"),
        ({"redirect_uris": ["https://a.example.org/cb"]}, "confidential-symmetric"),
        (
            {
                "token_endpoint_auth_method": "private_key_jwt",
                "redirect_uris": ["https://a.example.org/cb"],
                "jwks_uri": "https://a.example.org/jwks",
            },
            "confidential-asymmetric",
        ),
        (
            {
                "token_endpoint_auth_method": "private_key_jwt",
                "grant_types": ["client_credentials"],
                "jwks_uri": "https://a.example.org/jwks",
            },
            "backend",
        ),
    ],
)
def test_the_kind_of_a_client_follows_from_its_metadata(open_world, metadata, kind):
    answer = registered(open_world, metadata)
    assert answer.status_code == 201, answer.text
    assert open_world.services.store.clients.find(answer.get_json()["client_id"]).type == kind


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({}, "invalid_redirect_uri"),
        ({"redirect_uris": "https://a.example.org/cb"}, "invalid_redirect_uri"),
        ({"redirect_uris": [5]}, "invalid_redirect_uri"),
        ({"token_endpoint_auth_method": "magic"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": []}, "invalid_client_metadata"),
        ({"client_name": 5}, "invalid_client_metadata"),
        ({"client_name": "\ud800"}, "invalid_client_metadata"),
        ({"grant_types": ["implicit"]}, "invalid_client_metadata"),
        ({"grant_types": ["client_credentials"]}, "invalid_client_metadata"),
        ({"response_types": ["token"]}, "invalid_client_metadata"),
        ({"scope": "system/*.rs"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "private_key_jwt", "jwks": 5}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [{}]}}, "invalid_client_metadata"),
        ({"logo_uri": "javascript:x"}, "invalid_client_metadata"),
        ([], "invalid_client_metadata"),
        ("x", "invalid_client_metadata"),
    ],
)
def test_metadata_that_is_refused_does_not_cost_the_initial_access_token(open_world, metadata, error):
    token = initial_access_token(open_world.services)["initial_access_token"]
    if isinstance(metadata, dict) and metadata and "redirect_uris" not in metadata:
        metadata = {"redirect_uris": ["https://a.example.org/cb"], **metadata}
    answer = registered(open_world, metadata, token)
    assert (answer.status_code, answer.get_json()["error"]) == (400, error)
    assert answer.get_json()["error_description"]
    assert registered(open_world, {"redirect_uris": ["https://a.example.org/cb"]}, token).status_code == 201


def test_registration_needs_a_token_that_is_good_once_and_for_a_day(open_world):
    good = {"redirect_uris": ["https://a.example.org/cb"]}
    missing = open_world.http.post("/auth/register", json=good)
    assert missing.status_code == 401
    assert missing.headers["WWW-Authenticate"].startswith("Bearer")
    assert registered(open_world, good, "made-up").status_code == 401
    token = initial_access_token(open_world.services)["initial_access_token"]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: registered(open_world, good, token).status_code, range(6)))
    assert sorted(answers) == [201, *[401] * 5]
    late = initial_access_token(open_world.services)["initial_access_token"]
    open_world.clock.forward(24 * 3600)
    assert registered(open_world, good, late).status_code == 401


def test_a_body_that_is_no_json_is_refused(open_world):
    headers = {"Authorization": f"Bearer {initial_access_token(open_world.services)['initial_access_token']}"}
    for data, content_type in ((b"{", "application/json"), (b"{}", "text/plain"), (b"[" * 9000, "application/json")):
        answer = open_world.http.post("/auth/register", data=data, content_type=content_type, headers=headers)
        assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_client_metadata")
    assert open_world.http.get("/auth/register").status_code == 405
