"""Client assertions and backend services.

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html
"""

import base64
import hmac
import json
import secrets

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA384
from joserfc.jwk import ECKey, RSAKey

from smart_auth.clients.remote_keys import Fetched
from smart_auth.tokens.access import find_access

BASE = "http://localhost:8080/fhir"
JWKS_URI = "https://client.example.org/jwks.json"


def refused(answer):
    return (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")


@pytest.fixture
def backend(world):
    return world.app("backend")


@pytest.mark.parametrize("key", ["rsa", "ec"])
def test_a_backend_service_gets_a_token_by_rs384_and_es384(world, backend, key):
    answer = world.backend(backend, key=getattr(world, key))
    assert answer.status_code == 200
    body = answer.get_json()
    assert set(body) == {"access_token", "token_type", "expires_in", "scope"}
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 300, "system/*.rs")
    access = find_access(world.services, body["access_token"])
    assert access is not None
    assert (access.client_id, access.sub, access.role) == (backend.id, None, None)
    world.clock.forward(300)
    assert find_access(world.services, body["access_token"]) is None


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"iss": "other"}, "iss"),
        ({"iss": None}, "iss"),
        ({"sub": None}, "sub"),
        ({"sub": 7}, "sub"),
        ({"iss": "nobody", "sub": "nobody"}, "active client"),
        ({"aud": None}, "aud"),
        ({"aud": "https://elsewhere.example.org/token"}, "aud"),
        ({"aud": []}, "aud"),
        ({"aud": {"a": 1}}, "aud"),
        ({"exp": None}, "exp"),
        ({"exp": "soon"}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": 10**400}, "exp"),
        ({"nbf": 10**11}, "nbf"),
        ({"iat": 10**11}, "iat"),
        ({"iat": "now"}, "iat"),
        ({"jti": None}, "jti"),
        ({"jti": ""}, "jti"),
        ({"jti": "x" * 256}, "jti"),
        ({"jti": 5}, "jti"),
    ],
)
def test_an_assertion_with_wrong_claims_is_refused_with_the_claim_named(world, backend, claims, why):
    answer = world.backend(backend, **claims)
    assert refused(answer)
    assert why in answer.get_json()["error_description"]


def test_the_exp_of_an_assertion_is_held_to_with_a_minute_of_skew(world, backend):
    now = world.clock() // 1000
    assert world.backend(backend, exp=now - 58).status_code == 200
    assert world.backend(backend, exp=now + 358).status_code == 200
    assert refused(world.backend(backend, exp=now - 61))
    assert refused(world.backend(backend, exp=now + 362))
    assert refused(world.backend(backend, exp=now + 86400))


@pytest.mark.parametrize(
    "audience",
    [
        "http://localhost:8080/auth/token",
        ["https://elsewhere.example.org", "http://localhost:8080/auth/token"],
        "http://localhost:8080/fhir",
    ],
)
def test_the_audience_is_the_token_endpoint_or_the_issuer(world, backend, audience):
    assert world.backend(backend, aud=audience).status_code == 200


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ({"typ": None}, "typ"),
        ({"typ": "at+jwt"}, "typ"),
        ({"kid": None}, "kid"),
        ({"kid": 5}, "kid"),
        ({"kid": "unknown"}, "kid"),
        ({"jku": "https://evil.example.org/jwks.json"}, "jku"),
        ({"crit": ["x"], "x": 1}, "signature"),
    ],
)
def test_an_assertion_with_a_wrong_header_is_refused(world, backend, header, why):
    full = {"alg": "RS384", "kid": world.rsa.kid, "typ": "JWT", **header}
    now = world.clock() // 1000
    claims = {"iss": backend.id, "sub": backend.id, "aud": "http://localhost:8080/auth/token", "exp": now + 60}
    assertion = _signed({n: v for n, v in full.items() if v is not None}, {**claims, "jti": "j"}, world.rsa)
    answer = _ask(world, assertion)
    assert refused(answer)
    assert why in answer.get_json()["error_description"]


@pytest.mark.parametrize("algorithm", ["none", "HS256", "HS384", "RS256", "RS512", "PS384", "ES256", "EdDSA", "rs384"])
def test_no_other_algorithm_is_accepted(world, backend, algorithm):
    good = world.assertion(backend)
    _, payload, signature = good.split(".")
    header = _encoded({"alg": algorithm, "kid": world.rsa.kid, "typ": "JWT"})
    assert refused(_ask(world, f"{header}.{payload}.{signature}"))
    assert refused(_ask(world, f"{header}.{payload}."))


def test_a_public_key_is_not_taken_for_an_hmac_secret(world, backend):
    text = f"{_encoded({'alg': 'HS256', 'kid': world.rsa.kid, 'typ': 'JWT'})}.{world.assertion(backend).split('.')[1]}"
    signature = hmac.digest(world.rsa.as_pem(private=False), text.encode(), "sha256")
    assert refused(_ask(world, f"{text}.{_base64(signature)}"))


def test_a_sub_that_no_store_can_hold_is_refused(world, backend):
    claims = {"iss": "\ud800", "sub": "\ud800", "aud": BASE, "exp": world.clock() // 1000 + 60, "jti": "j"}
    assert refused(_ask(world, _signed({"alg": "RS384", "kid": "rsa-1", "typ": "JWT"}, claims, world.rsa)))


def test_the_signature_of_another_key_is_refused(world, backend):
    for other, kid in (
        (RSAKey.generate_key(2048, {"kid": "rsa-1"}), "rsa-1"),
        (ECKey.generate_key("P-384", {"kid": "ec-1"}), "ec-1"),
    ):
        assert other.kid == kid
        answer = world.backend(backend, key=other)
        assert refused(answer)
        assert "signature" in answer.get_json()["error_description"]


def test_an_assertion_is_accepted_once(world, backend):
    form = {"grant_type": "client_credentials", "scope": "system/*.rs", **world.assertion_form(backend)}
    assert world.post("/auth/token", form).status_code == 200
    assert refused(world.post("/auth/token", form))
    assert world.events[-1].code == "replay"


def test_of_many_uses_of_one_assertion_at_once_exactly_one_succeeds(world, backend, together):
    form = {"grant_type": "client_credentials", "scope": "system/*.rs", **world.assertion_form(backend)}
    answers = together(lambda _: world.post("/auth/token", form), 8)
    assert sorted(answer.status_code for answer in answers) == [200, *[401] * 7]


def test_a_jti_belongs_to_its_client_and_is_not_used_up_by_a_forgery(world, backend):
    jti = secrets.token_hex(8)
    forger = RSAKey.generate_key(2048, {"kid": "rsa-1"})
    assert refused(world.backend(backend, key=forger, jti=jti))
    assert world.backend(world.app("backend"), jti=jti).status_code == 200
    assert world.backend(backend, jti=jti).status_code == 200


@pytest.mark.parametrize("change", ["not_an_assertion_type", None])
def test_another_assertion_type_is_refused(world, backend, change):
    form = {"grant_type": "client_credentials", "scope": "system/*.rs", **world.assertion_form(backend)}
    form["client_assertion_type"] = change
    assert refused(world.post("/auth/token", {name: value for name, value in form.items() if value}))


@pytest.mark.parametrize(
    "assertion", ["x", "a.b.c", "..", "e30.e30.e30", "W10.W10.W10", "\u00e9.\u00e9.\u00e9", "x" * 20_000]
)
def test_what_is_no_jwt_is_refused(world, assertion):
    assert refused(_ask(world, assertion))


def test_the_client_id_beside_an_assertion_must_be_its_sub(world, backend):
    form = {"grant_type": "client_credentials", "scope": "system/*.rs", **world.assertion_form(backend)}
    assert refused(world.post("/auth/token", {**form, "client_id": "other"}))
    assert world.post("/auth/token", {**form, "client_id": backend.id}).status_code == 200


def test_a_wrong_grant_type_is_answered_400_before_the_client_is_looked_at(world, backend):
    form = {"scope": "system/*.rs", **world.assertion_form(backend), "grant_type": "not_a_grant_type"}
    answer = world.post("/auth/token", form)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "unsupported_grant_type")
    assert world.post("/auth/token", {**form, "grant_type": "client_credentials"}).status_code == 200


@pytest.mark.parametrize("scope", ["", "patient/*.rs", "user/*.rs openid", "made-up", "system/Claim.cruds", " "])
def test_a_backend_without_a_scope_that_it_may_have_is_answered_invalid_scope(world, scope):
    app = world.app("backend", scope="system/Patient.rs")
    answer = world.backend(app, scope)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_scope")


def test_a_backend_gets_what_it_asks_for_as_far_as_it_was_agreed_to(world):
    app = world.app("backend", scope="system/Patient.rs system/Observation.r")
    body = world.backend(app, "system/Patient.read system/Observation.rs openid patient/Patient.rs").get_json()
    assert body["scope"] == "system/Patient.read system/Observation.r"


def test_keys_are_fetched_from_the_registered_address_and_kept(world):
    app = world.app("backend", jwks_uri=JWKS_URI)
    world.served[JWKS_URI] = world.public_keys()
    assert world.backend(app).status_code == 200
    assert world.backend(app, header={"jku": JWKS_URI}).status_code == 200
    assert world.fetched == [JWKS_URI]
    assert refused(world.backend(app, header={"jku": JWKS_URI + "?other"}))
    world.clock.forward(301)
    assert world.backend(app).status_code == 200
    assert world.fetched == [JWKS_URI] * 2


def test_an_unknown_kid_makes_us_fetch_again_but_not_more_often_than_every_thirty_seconds(world):
    app = world.app("backend", jwks_uri=JWKS_URI)
    new = RSAKey.generate_key(2048, {"kid": "new"}, private=True)
    world.served[JWKS_URI] = world.public_keys()
    assert world.backend(app).status_code == 200
    world.served[JWKS_URI] = {"keys": [new.as_dict(private=False)]}
    for _ in range(3):
        assert refused(world.backend(app, key=new))
    assert len(world.fetched) == 1
    world.clock.forward(30)
    assert world.backend(app, key=new).status_code == 200
    assert len(world.fetched) == 2
    assert refused(world.backend(app))


def test_keys_that_must_not_be_kept_are_fetched_again_after_half_a_minute(world):
    app = world.app("backend", jwks_uri=JWKS_URI)
    world.served[JWKS_URI] = Fetched(tuple(world.public_keys()["keys"]), 0)
    assert world.backend(app).status_code == 200
    world.clock.forward(30)
    assert world.backend(app).status_code == 200
    assert len(world.fetched) == 2


def test_keys_that_are_not_to_be_had_are_named_as_the_reason(world):
    app = world.app("backend", jwks_uri=JWKS_URI)
    answer = world.backend(app)
    assert refused(answer)
    assert "404" in answer.get_json()["error_description"]
    world.backend(app)
    assert len(world.fetched) == 1
    world.served[JWKS_URI] = world.public_keys()
    world.clock.forward(30)
    assert world.backend(app).status_code == 200


@pytest.mark.parametrize(
    "case", ["two with the kid", "none with the kid", "for encryption", "too short", "wrong curve", "broken"]
)
def test_a_key_set_without_exactly_one_fitting_key_is_refused(world, case):
    app = world.app("backend", jwks_uri=JWKS_URI)
    jwk = world.rsa.as_dict(private=False)
    other = RSAKey.generate_key(2048, {"kid": "rsa-1"}).as_dict(private=False)
    small = ECKey.generate_key("P-256", {"kid": "ec-1"}).as_dict(private=False)
    keys = {
        "two with the kid": [jwk, other],
        "none with the kid": [{**jwk, "kid": "x"}],
        "for encryption": [{**jwk, "use": "enc"}],
        "too short": [{**jwk, "n": jwk["n"][:170]}],
        "wrong curve": [small],
        "broken": [{**jwk, "n": 5}],
    }[case]
    world.served[JWKS_URI] = {"keys": keys}
    answer = world.backend(app, key=world.ec if case == "wrong curve" else world.rsa)
    assert refused(answer)
    assert "exactly one" in answer.get_json()["error_description"]


def test_keys_of_another_type_with_the_same_kid_do_not_disturb(world):
    app = world.app("backend", jwks_uri=JWKS_URI)
    twin = ECKey.generate_key("P-384", {"kid": "rsa-1"}).as_dict(private=False)
    world.served[JWKS_URI] = {"keys": [twin, world.rsa.as_dict(private=False)]}
    assert world.backend(app).status_code == 200


def test_private_members_in_a_key_set_are_ignored(world):
    app = world.app("backend", jwks_uri=JWKS_URI)
    world.served[JWKS_URI] = {"keys": [world.rsa.as_dict(private=True)]}
    assert world.backend(app).status_code == 200


def _ask(world, assertion):
    form = {
        "grant_type": "client_credentials",
        "scope": "system/*.rs",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
    }
    return world.post("/auth/token", form)


def _encoded(value):
    return _base64(json.dumps(value).encode())


def _base64(value):
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _signed(header, claims, key):
    """A JWT that joserfc itself would refuse to write."""
    text = f"{_encoded(header)}.{_encoded(claims)}"
    return f"{text}.{_base64(key.private_key.sign(text.encode(), PKCS1v15(), SHA384()))}"
