"""Introspection and revocation.

https://www.rfc-editor.org/rfc/rfc7662, https://www.rfc-editor.org/rfc/rfc7009
https://hl7.org/fhir/smart-app-launch/STU2.2/token-introspection.html
"""

import pytest

from smart_auth.model import LaunchContext
from smart_auth.tokens.access import find_access

SCOPE = "openid fhirUser launch patient/*.rs offline_access"
INACTIVE = {"active": False}


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def introspect(world, token, headers=None, **form):
    return world.post("/auth/introspect", {"token": token, **form}, headers)


def test_an_active_token_is_told_about_with_the_whole_context_that_was_issued(world):
    app = world.app("confidential-symmetric")
    context = LaunchContext(
        "p1", "e1", ({"reference": "ImagingStudy/9"},), need_patient_banner=True, intent="order", tenant="north"
    )
    body = world.tokens(app, SCOPE, context=context, stay="offline")
    answer = introspect(world, body["access_token"], app.basic)
    assert answer.status_code == 200
    told = answer.get_json()
    now = world.clock() // 1000
    assert told["active"] is True
    assert (told["client_id"], told["scope"], told["token_type"]) == (app.id, SCOPE, "Bearer")
    assert (told["iat"], told["exp"]) == (now, now + 3600)
    assert (told["iss"], told["aud"]) == ("http://localhost:8080/fhir", "http://localhost:8080/fhir")
    assert told["sub"].startswith("sub-")
    assert told["fhirUser"] == "http://localhost:8080/fhir/Practitioner/1"
    for name in ("patient", "encounter", "fhirContext", "need_patient_banner", "intent", "tenant", "smart_style_url"):
        assert told[name] == body[name]


def test_no_fhir_user_is_told_of_where_it_was_not_granted(world):
    app = world.app("confidential-symmetric")
    body = world.tokens(app, "patient/*.rs")
    told = introspect(world, body["access_token"], app.basic).get_json()
    assert "fhirUser" not in told


@pytest.mark.parametrize("token", ["invalid_token_value", "x" * 3000, "\u00e9"])
def test_an_unknown_token_is_not_active_and_nothing_more_is_said(world, token):
    app = world.app("confidential-symmetric")
    answer = introspect(world, token, app.basic)
    assert (answer.status_code, answer.get_json()) == (200, INACTIVE)


def test_expired_revoked_and_foreign_tokens_are_not_active(world):
    app, other = world.app("confidential-symmetric"), world.app("confidential-symmetric")
    expired, revoked = world.tokens(app), world.tokens(app)
    assert introspect(world, expired["access_token"], other.basic).get_json() == INACTIVE
    world.post("/auth/revoke", {"token": revoked["access_token"]}, app.basic)
    assert introspect(world, revoked["access_token"], app.basic).get_json() == INACTIVE
    world.clock.forward(3600)
    assert introspect(world, expired["access_token"], app.basic).get_json() == INACTIVE


def test_nobody_is_told_about_refresh_tokens(world):
    app = world.app("confidential-symmetric")
    body = world.tokens(app, SCOPE, stay="offline")
    assert introspect(world, body["refresh_token"], app.basic).get_json() == INACTIVE


def test_a_resource_server_may_ask_about_every_token(world):
    app = world.app()
    fence = world.app("confidential-symmetric", may_introspect=True)
    assert introspect(world, world.tokens(app)["access_token"], fence.basic).get_json()["active"] is True


def test_a_bearer_token_opens_introspection_for_the_tokens_of_its_own_client(world):
    app, other = world.app(), world.app()
    mine, foreign = world.tokens(app)["access_token"], world.tokens(other)["access_token"]
    assert introspect(world, mine, bearer(mine)).get_json()["active"] is True
    assert introspect(world, foreign, bearer(mine)).get_json() == INACTIVE
    service = world.app("backend", may_introspect=True)
    token = world.backend(service).get_json()["access_token"]
    assert introspect(world, foreign, bearer(token)).get_json()["active"] is True
    assert introspect(world, token, bearer(token)).get_json()["client_id"] == service.id


def test_a_backend_may_introspect_by_an_assertion_for_the_introspection_endpoint(world):
    app = world.app("backend")
    token = world.backend(app).get_json()["access_token"]
    form = world.assertion_form(app, aud="http://localhost:8080/auth/introspect")
    assert introspect(world, token, **form).get_json()["active"] is True


def test_who_does_not_authenticate_is_answered_401(world):
    app = world.app()
    token = world.tokens(app)["access_token"]
    for answer in (
        introspect(world, token),
        introspect(world, token, client_id=app.id),
        introspect(world, token, bearer("made-up")),
    ):
        assert answer.status_code == 401
    assert 'error="invalid_token"' in introspect(world, token, bearer("x")).headers["WWW-Authenticate"]


def test_a_question_without_a_token_is_answered_400(world):
    app = world.app("confidential-symmetric")
    for path in ("/auth/introspect", "/auth/revoke"):
        answer = world.post(path, {"token_type_hint": "access_token"}, app.basic)
        assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("member", ["access_token", "refresh_token"])
@pytest.mark.parametrize("kind", ["public", "confidential-symmetric", "confidential-asymmetric"])
def test_a_client_that_gives_either_token_back_ends_the_whole_grant(world, kind, member):
    app = world.app(kind)
    body = world.tokens(app, SCOPE, stay="offline")
    form = {"token": body[member], "token_type_hint": "made-up", **world.credentials(app)}
    answer = world.post("/auth/revoke", form, app.basic if app.secret else None)
    assert answer.status_code == 200
    assert find_access(world.services, body["access_token"]) is None
    assert world.refresh(app, body["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert [event.code for event in world.events if event.succeeded][-1] == "token-revoke"


def test_giving_back_an_unknown_token_is_fine_and_a_foreign_one_is_left_alone(world):
    app, other = world.app(), world.app()
    assert world.post("/auth/revoke", {"token": "made-up", "client_id": app.id}).status_code == 200
    token = world.tokens(other)["access_token"]
    answer = world.post("/auth/revoke", {"token": token, "client_id": app.id})
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_grant")
    assert find_access(world.services, token) is not None


def test_giving_back_needs_the_credential_of_a_confidential_client(world):
    app = world.app("confidential-symmetric")
    token = world.tokens(app)["access_token"]
    assert world.post("/auth/revoke", {"token": token, "client_id": app.id}).status_code == 401
    assert find_access(world.services, token) is not None
