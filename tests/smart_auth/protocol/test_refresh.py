"""Refresh tokens: rotation, grace, theft, narrowing, and their ends.

https://www.rfc-editor.org/rfc/rfc6749#section-6, https://www.rfc-editor.org/rfc/rfc9700#section-2.2.2
"""

from dataclasses import replace

import pytest

from smart_auth.errors import OAuthError
from smart_auth.model import LaunchContext
from smart_auth.tokens.access import find_access
from smart_auth.tokens.refresh import refresh

SCOPE = "patient/*.rs launch/patient offline_access"


def offline(world, app, scope=SCOPE, **values):
    return world.tokens(app, scope, stay="offline", **values)


@pytest.mark.parametrize("kind", ["public", "confidential-symmetric", "confidential-asymmetric"])
def test_a_refresh_gives_a_new_access_token_for_the_same_scope_and_context(world, kind):
    app = world.app(kind)
    context = LaunchContext(patient="p1", encounter="e1")
    first = offline(world, app, context=context)
    answer = world.refresh(app, first["refresh_token"])
    assert answer.status_code == 200
    body = answer.get_json()
    assert body["access_token"] != first["access_token"]
    assert (body["scope"], body["patient"], body["encounter"]) == (SCOPE, "p1", "e1")
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 3600
    assert "no-store" in answer.headers["Cache-Control"]
    assert "no-cache" in answer.headers["Pragma"]
    assert find_access(world.services, body["access_token"]) is not None


def test_a_public_client_gets_a_new_refresh_token_at_each_use(world):
    app = world.app()
    tokens = [offline(world, app)["refresh_token"]]
    for _ in range(3):
        tokens.append(world.refresh(app, tokens[-1]).get_json()["refresh_token"])
    assert len(set(tokens)) == 4


def test_a_confidential_client_keeps_its_refresh_token(world):
    app = world.app("confidential-symmetric")
    token = offline(world, app)["refresh_token"]
    for _ in range(3):
        assert world.refresh(app, token).get_json()["refresh_token"] == token
        world.clock.forward(3600)


def test_a_refresh_token_repeated_within_thirty_seconds_gives_the_same_successor(world):
    app = world.app()
    token = offline(world, app)["refresh_token"]
    first = world.refresh(app, token).get_json()
    world.clock.forward(30)
    again = world.refresh(app, token).get_json()
    assert again["refresh_token"] == first["refresh_token"]
    assert again["access_token"] != first["access_token"]
    assert world.refresh(app, again["refresh_token"]).status_code == 200


def test_tabs_that_refresh_at_once_all_get_the_same_successor(world, together):
    app = world.app()
    token = offline(world, app)["refresh_token"]
    for _ in range(3):
        answers = together(lambda _, token=token: world.refresh(app, token), 6)
        assert {answer.status_code for answer in answers} == {200}
        (token,) = {answer.get_json()["refresh_token"] for answer in answers}


def test_a_refresh_token_repeated_later_is_theft_and_ends_the_family(world):
    app = world.app()
    first = offline(world, app)
    second = world.refresh(app, first["refresh_token"]).get_json()
    world.clock.forward(31)
    stolen = world.refresh(app, first["refresh_token"])
    assert (stolen.status_code, stolen.get_json()["error"]) == (400, "invalid_grant")
    assert world.events[-1].code == "replay"
    for body in (first, second):
        assert find_access(world.services, body["access_token"]) is None
    assert world.refresh(app, second["refresh_token"]).get_json()["error"] == "invalid_grant"


def test_a_refresh_token_whose_successor_was_used_is_theft_even_within_the_grace(world):
    app = world.app()
    first = offline(world, app)
    second = world.refresh(app, first["refresh_token"]).get_json()
    third = world.refresh(app, second["refresh_token"]).get_json()
    assert world.refresh(app, first["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert find_access(world.services, third["access_token"]) is None


def test_a_refresh_token_of_another_client_is_refused_and_left_as_it_is(world):
    app, thief = world.app(), world.app()
    token = offline(world, app)["refresh_token"]
    assert world.refresh(thief, token).get_json()["error"] == "invalid_grant"
    assert world.refresh(app, token).status_code == 200


def test_a_browser_app_may_refresh_without_naming_itself(world):
    app = world.app()
    token = offline(world, app)["refresh_token"]
    answer = world.post("/auth/token", {"grant_type": "refresh_token", "refresh_token": token})
    assert answer.status_code == 200
    unknown = world.post("/auth/token", {"grant_type": "refresh_token", "refresh_token": "random"})
    assert (unknown.status_code, unknown.get_json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("kind", ["confidential-symmetric", "confidential-asymmetric"])
def test_a_confidential_client_cannot_refresh_without_its_credential(world, kind):
    app = world.app(kind)
    token = offline(world, app)["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": token}
    for named in ({}, {"client_id": app.id}):
        answer = world.post("/auth/token", {**form, **named})
        assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")


def test_a_scope_is_narrowed_by_what_it_means_and_the_next_token_has_the_whole_again(world):
    app = world.app()
    first = offline(world, app)
    narrow = world.refresh(app, first["refresh_token"], scope="patient/Observation.rs offline_access").get_json()
    assert narrow["scope"] == "patient/Observation.rs offline_access"
    access = find_access(world.services, narrow["access_token"])
    assert access is not None
    assert access.scope == "patient/Observation.rs offline_access"
    assert world.refresh(app, narrow["refresh_token"]).get_json()["scope"] == SCOPE


@pytest.mark.parametrize(
    "scope",
    [
        "patient/*.cruds",
        "patient/Observation.c",
        "user/Observation.rs",
        "openid",
        "online_access",
        "patient/*.rs made-up",
        "patient/*.rs system/*.rs",
    ],
)
def test_a_scope_that_goes_beyond_is_refused_and_costs_nothing(world, scope):
    app = world.app()
    token = offline(world, app)["refresh_token"]
    answer = world.refresh(app, token, scope=scope)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_scope")
    world.clock.forward(60)
    assert world.refresh(app, token).status_code == 200


def test_an_id_token_comes_with_a_refresh_but_without_the_nonce(world):
    app = world.app()
    body = offline(world, app, "openid offline_access patient/*.rs", nonce="n")
    assert "id_token" in world.refresh(app, body["refresh_token"]).get_json()


def test_a_refresh_token_ends_after_ninety_days_unused_and_one_year_at_the_latest(world):
    app = world.app()
    day = 24 * 3600
    idle = offline(world, app)["refresh_token"]
    used = offline(world, app)["refresh_token"]
    for _ in range(4):
        world.clock.forward(89 * day)
        used = world.refresh(app, used).get_json()["refresh_token"]
    assert world.refresh(app, idle).get_json()["error"] == "invalid_grant"
    world.clock.forward(10 * day)
    assert world.refresh(app, used).get_json()["error"] == "invalid_grant"


def test_a_used_refresh_token_of_a_confidential_client_does_not_idle(world):
    app = world.app("confidential-symmetric")
    day = 24 * 3600
    token = offline(world, app)["refresh_token"]
    for _ in range(4):
        world.clock.forward(89 * day)
        assert world.refresh(app, token).status_code == 200
    world.clock.forward(10 * day)
    assert world.refresh(app, token).status_code == 400


def test_an_online_grant_ends_with_the_session_of_its_user(world):
    app = world.app()
    scope = "patient/*.rs online_access"
    signed_out = world.tokens(app, scope, stay="online", user_session="s-out")
    kept = world.tokens(app, scope, stay="online", user_session="s-kept")
    assert world.services.store.grants.revoke_of_session("s-out", world.clock()) == 1
    assert world.refresh(app, signed_out["refresh_token"]).get_json()["error"] == "invalid_grant"
    renewed = world.refresh(app, kept["refresh_token"])
    assert renewed.status_code == 200
    world.clock.forward(12 * 3600)
    assert world.refresh(app, renewed.get_json()["refresh_token"]).status_code == 400


def test_an_online_grant_is_not_refreshed_once_its_session_has_lapsed(make_world, shared_store):
    world = make_world(shared_store)
    app = world.app()
    token = world.tokens(app, "patient/*.rs online_access", stay="online", user_session="s")["refresh_token"]
    asked = []
    lapsed = replace(world.services, is_session_live=lambda session: bool(asked.append(session)))
    with pytest.raises(OAuthError, match="signed out"):
        refresh(lapsed, world.client(app), token, None)
    assert asked == ["s"]


def test_a_refresh_needs_an_active_user_and_an_active_client(world):
    app, user = world.app(), world.user()
    token = offline(world, app, user=user)["refresh_token"]
    world.services.store.users.set_active(user.sub, False)
    assert world.refresh(app, token).get_json()["error"] == "invalid_grant"
    world.services.store.users.set_active(user.sub, True)
    world.services.store.clients.set_active(app.id, False)
    answer = world.refresh(app, token)
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")
