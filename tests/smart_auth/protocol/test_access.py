"""What the resource server asks with every request, tokens made by command, and records that expire."""

import pytest

from smart_auth.model import LaunchContext
from smart_auth.store import AuthStore
from smart_auth.tokens.access import bearer_token, find_access
from smart_auth.tokens.by_hand import COMMAND_CLIENT, issue_token
from smart_auth.tokens.revocation import revoke_grant


def test_an_access_token_stands_for_its_client_user_scope_and_context(world):
    app = world.app()
    user = world.user(role="related-person", fhir_user="RelatedPerson/9", patients=("p1", "p2"))
    body = world.tokens(app, "patient/*.rs", user=user, context=LaunchContext("p2", "e1"))
    access = find_access(world.services, body["access_token"])
    assert access is not None
    assert (access.client_id, access.sub, access.role) == (app.id, user.sub, "related-person")
    assert (access.fhir_user, access.patients) == ("RelatedPerson/9", ("p1", "p2"))
    assert (access.scope, access.context) == ("patient/*.rs", LaunchContext("p2", "e1"))
    assert access.expires_at == world.clock() + 3_600_000


def test_a_patient_s_token_stands_for_the_own_record_though_no_other_is_named(world):
    user = world.user(role="patient", fhir_user="Patient/p1")
    access = find_access(world.services, world.tokens(world.app(), "patient/*.rs", user=user)["access_token"])
    assert access is not None
    assert access.patients == ("p1",)


@pytest.mark.parametrize("text", ["", "x", "\u00e9", "x" * 10_000, "\ud800"])
def test_what_is_no_token_stands_for_nothing(world, text):
    assert find_access(world.services, text) is None


def test_a_refresh_token_is_no_access_token(world):
    body = world.tokens(world.app(), "patient/*.rs offline_access", stay="offline")
    assert find_access(world.services, body["refresh_token"]) is None


def test_a_token_is_refused_from_the_moment_it_expires_however_fresh_the_memory(world):
    token = world.tokens(world.app())["access_token"]
    world.clock.forward(3599)
    assert find_access(world.services, token) is not None
    world.clock.forward(0.999)
    assert find_access(world.services, token) is not None
    world.clock.forward(0.001)
    assert find_access(world.services, token) is None


@pytest.mark.parametrize("end", ["grant", "client", "user"])
def test_another_process_refuses_a_token_within_five_seconds_of_its_end(make_world, shared_store, end):
    here = make_world(shared_store)
    there = make_world(AuthStore(shared_store._database), clock=here.clock)
    app, user = here.app(), here.user()
    code = here.code(app, user=user)
    token = here.exchange(app, code).get_json()["access_token"]
    assert find_access(there.services, token) is not None
    {
        "grant": lambda: revoke_grant(here.services, code.grant.id),
        "client": lambda: here.services.store.clients.set_active(app.id, False),
        "user": lambda: here.services.store.users.set_active(user.sub, False),
    }[end]()
    here.clock.forward(3)
    assert find_access(there.services, token) is None
    assert find_access(here.services, token) is None


def test_the_process_that_revokes_refuses_at_once(world):
    app = world.app()
    code = world.code(app)
    token = world.exchange(app, code).get_json()["access_token"]
    assert find_access(world.services, token) is not None
    assert revoke_grant(world.services, code.grant.id)
    assert find_access(world.services, token) is None
    assert not revoke_grant(world.services, code.grant.id)


def test_a_remembered_token_costs_no_read(world, monkeypatch):
    token = world.tokens(world.app())["access_token"]
    first = find_access(world.services, token)

    def fails(*_):
        raise AssertionError("the store was read")

    monkeypatch.setattr(world.services.store.tokens, "find_access", fails)
    assert find_access(world.services, token) is first


def test_the_memory_does_not_grow_without_end(world):
    cache = world.services.access_cache
    access = find_access(world.services, world.tokens(world.app())["access_token"])
    for number in range(10_500):
        cache.remember(str(number), access, world.clock())
    assert len(cache._entries) <= 10_000
    for number in range(50):
        find_access(world.services, f"made-up-{number}")
    assert "made-up-1" not in cache._entries


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer abc", "abc"),
        ("Bearer  abc ", "abc"),
        ("Basic abc", None),
        ("Bearer", None),
        ("Bearer ", None),
        ("", None),
        (None, None),
    ],
)
def test_a_bearer_token_is_read_from_the_authorization_header(header, token):
    assert bearer_token(header) == token


def test_a_token_made_by_command_works_like_any_other_until_its_client_is_disabled(world):
    user = world.user()
    body = issue_token(world.services, "user/*.rs patient/*.cruds", sub=user.sub, patient="p9", seconds=600)
    assert (body["expires_in"], body["patient"]) == (600, "p9")
    access = find_access(world.services, body["access_token"])
    assert access is not None
    assert (access.sub, access.fhir_user, access.context.patient) == (user.sub, "Practitioner/1", "p9")
    system = issue_token(world.services, "system/*.cruds")["access_token"]
    assert find_access(world.services, system).sub is None
    assert world.services.store.clients.set_active(COMMAND_CLIENT, False)
    world.clock.forward(3)
    assert find_access(world.services, system) is None
    assert world.services.store.clients.set_active(COMMAND_CLIENT, True)


@pytest.mark.parametrize(
    ("scope", "values", "why"),
    [
        ("", {}, "no scope"),
        ("nonsense", {}, "not a scope"),
        ("patient/*.rs", {}, "need a patient"),
        ("user/*.rs", {}, "needs a user"),
        ("user/*.rs", {"sub": "nobody"}, "no active user"),
        ("system/Observation.rs?date=2020", {}, "date"),
    ],
)
def test_a_command_says_why_it_makes_no_token(world, scope, values, why):
    with pytest.raises(ValueError, match=why):
        issue_token(world.services, scope, **values)


def test_a_user_who_revokes_ends_all_grants_with_their_codes(world):
    app, user = world.app(), world.user()
    body = world.tokens(app, "patient/*.rs offline_access", user=user, stay="offline")
    pending = world.code(app, user=user)
    assert len(world.services.store.grants.of_user(user.sub)) == 2
    assert world.services.store.grants.revoke_of_user(user.sub, world.clock()) == 2
    assert world.exchange(app, pending).status_code == 400
    assert world.refresh(app, body["refresh_token"]).status_code == 400
    assert [grant.revoked_at for grant in world.services.store.grants.of_user(user.sub)] == [world.clock()] * 2
    assert world.services.store.grants.revoke_of_user(user.sub, world.clock()) == 0


def test_a_grant_remembers_when_it_was_last_used(world):
    app = world.app("confidential-symmetric")
    code = world.code(app, "patient/*.rs offline_access", stay="offline")
    token = world.exchange(app, code).get_json()["refresh_token"]
    world.clock.forward(100)
    world.refresh(app, token)
    assert world.services.store.grants.find(code.grant.id).last_used_at == world.clock()


def test_records_expire_by_the_clock_and_are_taken_once(world, database, together):
    records = AuthStore(database).records("things", "owner")
    now = world.clock()
    text = records.issue({"owner": "a", "n": 1}, now + 1000)
    assert records.find(text, now + 999) == {"owner": "a", "n": 1}
    assert records.find(text, now + 1000) is None
    assert records.update(text, {"n": 2}, now, expires_at=now + 5000)
    assert records.list({"owner": "a"}, now + 4999) == [{"owner": "a", "n": 2}]
    assert records.take(text, now, {"owner": "b"}) is None
    assert records.take(text, now + 5000) is None
    taken = together(lambda _: records.take(text, now), 5)
    assert [each for each in taken if each] == [{"owner": "a", "n": 2}]
    assert records.add("known", {"owner": "a"}, now + 1)
    assert not records.add("known", {"owner": "a"}, now + 1)
    assert records.remove_all({"owner": "a"}) == 1
    assert not records.remove("known")


def test_every_collection_whose_documents_expire_is_purged_by_the_database(world, database):
    AuthStore(database)
    purged = {name for name in database.list_collection_names() if "purge" in database[name].index_information()}
    assert purged >= {"oauth.codes", "oauth.tokens", "oauth.jti", "oauth.grants", "oauth.initial_access_tokens"}
