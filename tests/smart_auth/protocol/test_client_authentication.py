"""How clients prove who they are by secrets, and what is answered when they do not.

https://www.rfc-editor.org/rfc/rfc6749#section-2.3
"""

import base64
from dataclasses import replace
from urllib.parse import quote_plus

import pytest

from smart_auth.clients.commands import disable_client, rotate_client


def basic(text):
    raw = text if isinstance(text, bytes) else text.encode()
    return {"Authorization": "Basic " + base64.b64encode(raw).decode()}


def exchange_with(world, app, headers, **form):
    """An exchange with no credentials but these."""
    return world.exchange(app, world.code(app), headers={"Authorization": "", **headers}, **form)


def test_a_secret_is_accepted_in_the_header_raw_or_form_encoded_and_in_the_body(world):
    app = world.app("confidential-symmetric")
    encoded = basic(f"{quote_plus(app.id)}:{quote_plus(app.secret)}")
    assert exchange_with(world, app, app.basic).status_code == 200
    assert exchange_with(world, app, encoded).status_code == 200
    assert exchange_with(world, app, {}, client_id=app.id, client_secret=app.secret).status_code == 200


def test_a_client_id_that_differs_by_encoding_is_found_in_both_readings(world):
    app = world.app("confidential-symmetric", client_id=f"app~{world.clock()}")
    assert exchange_with(world, app, basic(f"{app.id}:{app.secret}")).status_code == 200
    assert exchange_with(world, app, basic(f"{app.id.replace('~', '%7E')}:{app.secret}")).status_code == 200


def test_the_client_id_may_stand_in_the_body_beside_basic_if_it_is_the_same(world):
    app = world.app("confidential-symmetric")
    assert exchange_with(world, app, app.basic, client_id=app.id).status_code == 200
    answer = exchange_with(world, app, app.basic, client_id="another")
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "credentials",
    [
        b"\xff\xfe:\xff",
        "no-colon",
        ":",
        "unknown:secret",
        "%zz:%zz",
        "a:b:c",
    ],
)
def test_wrong_basic_credentials_are_answered_401_with_a_challenge(world, credentials):
    app = world.app("confidential-symmetric")
    answer = exchange_with(world, app, basic(credentials))
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert answer.get_json()["error_description"]


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic \u00e9", "basic " + "A" * 5000, "Basic YQ"])
def test_a_basic_header_that_is_no_base64_is_answered_401(world, header):
    app = world.app("confidential-symmetric")
    answer = exchange_with(world, app, {"Authorization": header})
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")


def test_a_confidential_client_that_only_names_itself_is_answered_401(world):
    for kind in ("confidential-symmetric", "confidential-asymmetric"):
        app = world.app(kind)
        form = {"client_assertion": None, "client_assertion_type": None, "client_id": app.id}
        answer = exchange_with(world, app, {}, **form)
        assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")
        assert "WWW-Authenticate" not in answer.headers


def test_a_client_uses_only_the_method_of_its_kind(world):
    public, keyed = world.app(), world.app("confidential-asymmetric")
    secret = world.app("confidential-symmetric")
    for answer in (
        exchange_with(world, public, basic(f"{public.id}:")),
        exchange_with(world, public, {}, client_secret="x"),
        exchange_with(world, keyed, basic(f"{keyed.id}:x"), client_assertion=None, client_assertion_type=None),
        exchange_with(world, secret, {}, **world.assertion_form(secret)),
    ):
        assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")


def test_a_client_that_registered_one_way_of_sending_its_secret_must_use_it(world):
    app = world.app("confidential-symmetric")
    client = replace(world.client(app), auth_method="client_secret_post")
    assert world.services.store.clients.replace(client)
    assert exchange_with(world, app, app.basic).status_code == 401
    assert exchange_with(world, app, {}, client_id=app.id, client_secret=app.secret).status_code == 200


def test_more_than_one_credential_is_answered_400(world):
    app, keyed = world.app("confidential-symmetric"), world.app("confidential-asymmetric")
    assertion = world.assertion_form(keyed)
    for headers, form in (
        (app.basic, {"client_id": app.id, "client_secret": app.secret}),
        (app.basic, assertion),
        ({}, {"client_secret": "x", **assertion}),
    ):
        answer = exchange_with(world, app, headers, **form)
        assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


def test_unknown_and_disabled_clients_are_answered_401(world):
    app = world.app()
    code = world.code(app)
    assert world.exchange(app, code, client_id="nobody").status_code == 401
    assert world.exchange(app, code, client_id=None).status_code == 401
    disable_client(world.services, app.id)
    answer = world.exchange(app, code)
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")


def test_a_rotated_secret_is_accepted_for_the_overlap_and_no_longer(world):
    app = world.app("confidential-symmetric")
    new = rotate_client(world.services, app.id, overlap_seconds=600)["client_secret"]
    assert new != app.secret
    assert exchange_with(world, app, basic(f"{app.id}:{new}")).status_code == 200
    world.clock.forward(599)
    assert exchange_with(world, app, app.basic).status_code == 200
    world.clock.forward(1)
    assert exchange_with(world, app, app.basic).status_code == 401
    assert exchange_with(world, app, basic(f"{app.id}:{new}")).status_code == 200


def test_secrets_rotated_by_many_at_once_all_stay_known_or_expire_in_order(world, together):
    app = world.app("confidential-symmetric")
    together(lambda _: rotate_client(world.services, app.id, 600), 4)
    secrets = world.client(app).secrets
    assert len(secrets) == 3
    assert [secret.expires_at is None for secret in secrets] == [True, False, False]


def test_another_scheme_in_the_header_is_no_credential(world):
    app = world.app()
    assert world.exchange(app, world.code(app), headers={"Authorization": "Bearer stale"}).status_code == 200


def test_failures_are_taken_down_with_their_reason_and_without_secrets(world):
    app = world.app("confidential-symmetric")
    exchange_with(world, app, basic(f"{app.id}:wrong-secret"), client_id=app.id)
    event = world.events[-1]
    assert (event.code, event.succeeded, event.client_id) == ("token-issue", False, app.id)
    assert event.reason.startswith("invalid_client: ")
    assert "wrong-secret" not in str(world.events)
