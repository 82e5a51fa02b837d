"""The exchange of an authorization code: once, by whom it was issued to, with PKCE.

https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3, https://www.rfc-editor.org/rfc/rfc7636#section-4.6
"""

import base64
import hashlib

import pytest

from smart_auth.model import LaunchContext
from smart_auth.tokens.access import find_access, live_access

KINDS = ("public", "confidential-symmetric", "confidential-asymmetric")


@pytest.mark.parametrize("kind", KINDS)
def test_a_code_is_exchanged_for_an_access_token_by_each_kind_of_client(world, kind):
    app = world.app(kind)
    answer = world.exchange(app, world.code(app, "patient/*.rs"))
    assert answer.status_code == 200
    body = answer.get_json()
    assert body["token_type"] == "Bearer"
    assert type(body["expires_in"]) is int
    assert body["expires_in"] == 3600
    assert body["scope"] == "patient/*.rs"
    assert body["patient"] == "p1"
    assert "refresh_token" not in body
    assert "id_token" not in body
    access = find_access(world.services, body["access_token"])
    assert access is not None
    assert (access.client_id, access.scope, access.context.patient) == (app.id, "patient/*.rs", "p1")


def test_token_answers_are_json_that_nobody_keeps(world):
    app = world.app()
    for answer in (world.exchange(app, world.code(app)), world.exchange(app, world.code(app), code="BAD_CODE")):
        assert answer.content_type == "application/json"
        assert "no-store" in answer.headers["Cache-Control"]
        assert "no-cache" in answer.headers["Pragma"]


def test_the_whole_launch_context_stands_at_the_top_level(world):
    context = LaunchContext(
        patient="p1",
        encounter="e1",
        fhir_context=(
            {"reference": "Patient/p1"},
            {"reference": "Encounter/e1", "role": "launch"},
            {"reference": "ImagingStudy/9"},
            {"reference": "Patient/p2", "role": "https://example.org/roles/sibling"},
        ),
        need_patient_banner=False,
        intent="reconcile",
        tenant="north",
    )
    app = world.app()
    body = world.tokens(app, "launch patient/*.rs", context=context)
    assert body["patient"] == "p1"
    assert body["encounter"] == "e1"
    assert body["need_patient_banner"] is False
    assert body["intent"] == "reconcile"
    assert body["tenant"] == "north"
    assert body["smart_style_url"] == "http://localhost:8080/auth/smart-style.json"
    assert body["fhirContext"] == [
        {"reference": "ImagingStudy/9"},
        {"reference": "Patient/p2", "role": "https://example.org/roles/sibling"},
    ]


def test_a_code_that_comes_twice_is_refused_and_ends_everything_granted_with_it(world):
    app = world.app()
    code = world.code(app, "patient/*.rs offline_access", stay="offline")
    first = world.exchange(app, code).get_json()
    answer = world.exchange(app, code)
    assert answer.status_code == 400
    assert answer.get_json()["error"] == "invalid_grant"
    assert find_access(world.services, first["access_token"]) is None
    assert world.refresh(app, first["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert next(event.code for event in world.events if not event.succeeded) == "replay"
    grant = world.services.store.grants.find(code.grant.id)
    assert grant is not None
    assert grant.revoked_at is not None


def test_of_many_exchanges_of_one_code_at_once_exactly_one_succeeds(world, together):
    app = world.app()
    for _ in range(5):
        code = world.code(app)
        answers = together(lambda _, code=code: world.exchange(app, code), 8)
        assert sorted(answer.status_code for answer in answers) == [200, *[400] * 7]
        token = next(answer.get_json()["access_token"] for answer in answers if answer.status_code == 200)
        assert live_access(world.services, token) is None


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"code": "BAD_CODE"}, "invalid_grant"),
        ({"code": None}, "invalid_request"),
        ({"code": "x" * 5000}, "invalid_grant"),
        ({"redirect_uri": "https://app.example.org/callback/"}, "invalid_grant"),
        ({"redirect_uri": "https://evil.example.org/"}, "invalid_grant"),
        ({"redirect_uri": 'https://app.example.org/"\u00e9'}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "\u00e9\"'"}, "unsupported_grant_type"),
        ({"grant_type": None}, "invalid_request"),
    ],
)
def test_a_wrong_exchange_is_answered_400_with_the_error_that_fits_and_a_description(world, form, error):
    app = world.app()
    answer = world.exchange(app, world.code(app), **form)
    assert answer.status_code == 400
    assert answer.get_json()["error"] == error
    assert answer.get_json()["error_description"].isascii()
    assert not set('"\\') & set(answer.get_json()["error_description"])


@pytest.mark.parametrize("kind", ["public", "confidential-symmetric"])
@pytest.mark.parametrize(
    ("verifier", "error"),
    [
        (None, "invalid_request"),
        ("", "invalid_request"),
        ("x" * 42, "invalid_request"),
        ("x" * 129, "invalid_request"),
        ("\u00e9" * 50, "invalid_request"),
        ("x" * 43, "invalid_grant"),
    ],
)
def test_no_client_gets_a_token_without_the_right_code_verifier(world, kind, verifier, error):
    app = world.app(kind)
    answer = world.exchange(app, world.code(app), code_verifier=verifier)
    assert answer.status_code == 400
    assert answer.get_json()["error"] == error


def test_the_challenge_itself_is_no_verifier_because_plain_is_not_supported(world):
    app = world.app("confidential-symmetric")
    code = world.code(app)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(code.verifier.encode()).digest()).rstrip(b"=").decode()
    assert world.exchange(app, code, code_verifier=challenge).get_json()["error"] == "invalid_grant"


def test_a_wrong_verifier_burns_the_code(world):
    app = world.app()
    code = world.code(app)
    assert world.exchange(app, code, code_verifier="x" * 43).status_code == 400
    assert world.exchange(app, code).get_json()["error"] == "invalid_grant"


def test_a_code_of_another_client_is_refused_and_stays_good_for_its_own(world):
    app, thief = world.app(), world.app()
    code = world.code(app)
    assert world.exchange(thief, code).get_json()["error"] == "invalid_grant"
    assert world.exchange(app, code).status_code == 200


def test_a_code_lives_sixty_seconds(world):
    app = world.app()
    late, in_time = world.code(app), world.code(app)
    world.clock.forward(59)
    assert world.exchange(app, in_time).status_code == 200
    world.clock.forward(1)
    answer = world.exchange(app, late)
    assert answer.get_json()["error"] == "invalid_grant"
    assert "expired" in answer.get_json()["error_description"]


def test_a_code_of_a_revoked_grant_or_of_a_user_who_left_is_refused(world):
    app, user = world.app(), world.user()
    revoked, left = world.code(app), world.code(app, user=user)
    assert world.services.store.grants.revoke(revoked.grant.id, world.clock())
    assert world.services.store.users.set_active(user.sub, False)
    assert world.exchange(app, revoked).get_json()["error"] == "invalid_grant"
    assert world.exchange(app, left).get_json()["error"] == "invalid_grant"


def test_patient_scopes_without_a_patient_are_never_issued(world):
    app = world.app()
    answer = world.exchange(app, world.code(app, "patient/*.rs", context=LaunchContext()))
    assert answer.get_json()["error"] == "invalid_grant"


def test_a_client_uses_only_the_grant_types_of_its_kind(world):
    public = world.app()
    form = {"grant_type": "client_credentials", "client_id": public.id, "scope": "system/*.rs"}
    assert world.post("/auth/token", form).get_json()["error"] == "invalid_client"
    backend = world.app("backend")
    form = {"grant_type": "refresh_token", "refresh_token": "x", **world.assertion_form(backend)}
    answer = world.post("/auth/token", form)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "unauthorized_client")


def test_codes_and_tokens_have_only_characters_that_no_client_needs_to_escape(world):
    app = world.app()
    code = world.code(app, "patient/*.rs offline_access", stay="offline")
    body = world.exchange(app, code).get_json()
    for text in (code.text, body["access_token"], body["refresh_token"]):
        assert len(text) >= 43
        assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_neither_codes_nor_tokens_nor_secrets_are_stored_as_they_are(world, mongodb):
    app = world.app("confidential-symmetric")
    code = world.code(app, "patient/*.rs offline_access", stay="offline")
    body = world.exchange(app, code).get_json()
    stored = "".join(
        str(list(mongodb["protocol"][name].find())) for name in mongodb["protocol"].list_collection_names()
    )
    for text in (code.text, body["access_token"], body["refresh_token"], app.secret):
        assert text not in stored
