"""The discovery documents.

https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html#using-well-known
"""

import re

import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.discovery import OpenIDProviderMetadata

from smart_auth.scopes import constraint_fault, parse
from smart_auth.settings import AuthSettings

ROOT = "http://localhost:8080"
SMART = ("/fhir/.well-known/smart-configuration", "/.well-known/smart-configuration")
OPENID = ("/fhir/.well-known/openid-configuration", "/.well-known/openid-configuration")
OAUTH = (
    "/.well-known/oauth-authorization-server/fhir",
    "/.well-known/oauth-authorization-server",
    "/fhir/.well-known/oauth-authorization-server",
)


@pytest.mark.parametrize("path", [*SMART, *OPENID, *OAUTH, "/auth/smart-style.json"])
@pytest.mark.parametrize("accept", ["application/json", "application/fhir+json", "*/*", "text/html"])
def test_documents_are_json_for_everybody_whatever_is_accepted(world, path, accept):
    answer = world.http.get(path, headers={"Accept": accept, "Origin": "https://anywhere.example.org"})
    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    age = int(re.fullmatch(r"public, max-age=(\d+)", answer.headers["Cache-Control"])[1])
    assert 0 < age <= 3600
    assert world.http.get(path, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize("path", [*SMART, *OPENID, *OAUTH, "/auth/jwks"])
def test_documents_answer_preflights(world, path):
    answer = world.http.options(
        path, headers={"Origin": "https://a.example.org", "Access-Control-Request-Method": "GET"}
    )
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "GET" in answer.headers["Access-Control-Allow-Methods"]


def test_the_smart_configuration_has_every_member_that_smart_asks_for(world):
    document, at_root = (world.http.get(path).get_json() for path in SMART)
    assert document == at_root
    assert document["issuer"] == f"{ROOT}/fhir"
    for member, path in {
        "jwks_uri": "jwks",
        "authorization_endpoint": "authorize",
        "token_endpoint": "token",
        "introspection_endpoint": "introspect",
        "revocation_endpoint": "revoke",
        "management_endpoint": "manage",
    }.items():
        assert document[member] == f"{ROOT}/auth/{path}"
    assert document["token_endpoint_auth_methods_supported"] == [
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
    ]
    assert document["token_endpoint_auth_signing_alg_values_supported"] == ["RS384", "ES384"]
    assert document["grant_types_supported"] == ["authorization_code", "client_credentials"]
    assert document["response_types_supported"] == ["code"]
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert "registration_endpoint" not in document


def test_the_capabilities_are_those_of_the_g10_kit(world):
    capabilities = set(world.http.get(SMART[0]).get_json()["capabilities"])
    assert capabilities >= {
        *("launch-standalone", "launch-ehr", "client-public", "client-confidential-symmetric"),
        *("client-confidential-asymmetric", "sso-openid-connect", "context-standalone-patient", "context-banner"),
        *("context-style", "context-ehr-patient", "context-ehr-encounter", "permission-offline", "permission-patient"),
        *("permission-user", "authorize-post", "permission-v1", "permission-v2"),
    }
    assert not [each for each in capabilities if each.startswith("context-passthrough")]


def test_every_scope_that_is_listed_is_one_that_can_be_granted(world):
    listed = world.http.get(SMART[0]).get_json()["scopes_supported"]
    scopes = parse(" ".join(listed))
    assert scopes.unknown == ()
    assert [str(item) for item in scopes.items] == listed
    assert [constraint_fault(scope) for scope in scopes.resources] == [None] * len(scopes.resources)
    granular = r"(patient|user|system|\*)/([a-zA-Z*]+)\.([cruds]+)(\?\w+=[^\s&]+(&\w+=[^\s&]+)*)?"
    assert any(re.fullmatch(granular, scope) and "?" in scope for scope in listed)


def test_the_other_documents_are_complete_by_authlibs_measure(world):
    openid = world.http.get(OPENID[0]).get_json()
    oauth = world.http.get(OAUTH[0]).get_json()
    secure = {name: _https(value) for name, value in openid.items()}
    OpenIDProviderMetadata(secure).validate()
    AuthorizationServerMetadata({name: _https(value) for name, value in oauth.items()}).validate()
    assert openid["id_token_signing_alg_values_supported"] == ["RS256"]
    assert openid["subject_types_supported"] == ["public"]
    for document in (openid, oauth):
        assert document["issuer"] == f"{ROOT}/fhir"
        assert document["authorization_response_iss_parameter_supported"] is True
        assert "none" in document["token_endpoint_auth_methods_supported"]
        assert "refresh_token" in document["grant_types_supported"]


def _https(value):
    return value.replace("http://localhost:8080", "https://localhost") if isinstance(value, str) else value


def test_the_registration_endpoint_is_named_where_it_is_open(make_world, shared_store):
    world = make_world(shared_store, allow_registration=True)
    assert world.http.get(SMART[0]).get_json()["registration_endpoint"] == f"{ROOT}/auth/register"


def test_addresses_never_come_from_the_request(world):
    headers = {"Host": "evil.example.org", "X-Forwarded-Host": "evil.example.org", "X-Forwarded-Proto": "https"}
    assert "evil" not in world.http.get(SMART[0], headers=headers).text


@pytest.mark.parametrize(
    ("base", "root"),
    [
        ("https://fhir.example.org/fhir", "https://fhir.example.org"),
        ("https://example.org/a/fhir", "https://example.org/a"),
        ("https://example.org/r4", "https://example.org"),
        ("https://example.org", "https://example.org"),
        ("http://127.0.0.1:8080/fhir", "http://127.0.0.1:8080"),
    ],
)
def test_the_endpoints_stand_beside_the_fhir_base(base, root):
    assert AuthSettings(base, base).root == root


@pytest.mark.parametrize(
    "base",
    [
        "http://example.org/fhir",
        "https://example.org/fhir/",
        "ftp://example.org",
        "https:///fhir",
        "https://e.org/?a=1",
    ],
)
def test_a_base_that_oauth_must_not_be_served_on_is_refused(base):
    with pytest.raises(ValueError, match="FHIR base"):
        AuthSettings(base, base)
