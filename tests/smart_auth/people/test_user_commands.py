"""What an administrator does with users, and what the store keeps of a password."""

from __future__ import annotations

import secrets

import pytest

from smart_auth.people.passwords import hashed, is_outdated, matches, problem_with
from smart_auth.people.user_commands import (
    DemoUser,
    UserError,
    add_demo_users,
    add_user,
    change_password,
    disable_user,
    enable_user,
    list_users,
)

PASSWORD = "correct horse battery"


@pytest.fixture
def name():
    return secrets.token_hex(8)


def add(world, name, **values):
    values = {"display": "A B", "role": "practitioner", "fhir_user": "Practitioner/1", "password": PASSWORD, **values}
    return add_user(world.services, name=name, **values)


def test_a_user_is_described_without_secrets(world, name):
    made = add(world, name.upper())
    assert made["name"] == name
    assert made["is_active"]
    assert made in list_users(world.services)
    assert not any("hash" in key or "password" in key for user in list_users(world.services) for key in user)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"name": ""}, "printable"),
        ({"name": "a\nb"}, "printable"),
        ({"display": " "}, "shown to others"),
        ({"role": "doctor"}, "not a role"),
        ({"fhir_user": None}, "resource of their own"),
        ({"fhir_user": "Patient/1"}, "must be Practitioner/<id>"),
        ({"fhir_user": "PractitionerRole/1"}, "must be Practitioner/<id>"),
        ({"fhir_user": "Practitioner/a b"}, "must be Practitioner/<id>"),
        ({"patients": ["p"]}, "no particular patients"),
        ({"role": "related-person", "fhir_user": "RelatedPerson/1"}, "at least one patient"),
        ({"role": "related-person", "fhir_user": "RelatedPerson/1", "patients": ["a/b"]}, "logical id"),
        ({"password": "short"}, "at least 12"),
        ({"password": "aaaaaaaaaaaaa"}, "different"),
        ({"password": "x" * 257}, "at most 256"),
    ],
)
def test_what_is_wrong_with_a_user_is_said(world, name, values, reason):
    with pytest.raises(UserError, match=reason):
        add(world, **{"name": name, **values})


def test_a_name_belongs_to_one_user_whatever_its_case(world, name):
    add(world, name)
    with pytest.raises(UserError, match="already"):
        add(world, name.upper())


def test_a_password_must_not_be_the_name():
    assert problem_with("rosalia.castaneda", "rosalia.castaneda") is not None
    assert problem_with(PASSWORD, "rosalia") is None


@pytest.mark.usefixtures("full_cost")
def test_passwords_are_salted_argon2_and_the_same_however_they_are_typed():
    one, two = hashed("Pässwörter sind lang"), hashed("Pässwörter sind lang")
    assert one.startswith("$argon2id$")
    assert one != two
    assert matches(one, "Pa\u0308sswo\u0308rter sind lang")
    assert not matches(one, "Passworter sind lang")
    assert not matches(None, "anything")
    assert not matches("broken", "anything")


def test_a_password_kept_at_less_than_today_s_cost_is_kept_anew_at_the_next_sign_in(world, browser, name, request):
    add(world, name)
    assert is_outdated(world.user(name).password_hash) is False
    request.getfixturevalue("full_cost")
    assert is_outdated(world.user(name).password_hash)
    browser.signed_in(name)
    assert not is_outdated(world.user(name).password_hash)
    assert matches(world.user(name).password_hash, PASSWORD)


def test_a_new_password_replaces_the_old_one_and_ends_all_sessions(world, browser, name):
    add(world, name)
    browser.signed_in(name)
    change_password(world.services, name, "another long password")
    assert browser.get("/auth/manage").status_code == 303
    page = browser.get("/auth/sign-in")
    assert browser.submit(page, "/auth/sign-in", name=name, password=PASSWORD).status_code == 401
    assert browser.sign_in(page, name, "another long password").status_code == 200
    with pytest.raises(UserError, match="at least"):
        change_password(world.services, name, "short")


def test_a_disabled_user_can_be_enabled_again_but_what_they_allowed_stays_ended(world, browser, name, answer_to_app):
    add(world, name)
    page = browser.follow(browser.get("/auth/authorize", **world.request(world.client(), scope="user/Goal.rs")))
    told = answer_to_app(browser.submit(browser.sign_in(page, name), "/auth/consent", decision="allow"))
    grant = world.grant_of(told["code"])
    assert disable_user(world.services, name)["is_active"] is False
    assert world.services.store.grants.find(grant.id).revoked_at is not None
    assert enable_user(world.services, name)["is_active"] is True
    browser.signed_in(name)


def test_an_unknown_name_is_said(world):
    for command in (disable_user, enable_user):
        with pytest.raises(UserError, match="no user"):
            command(world.services, "nobody-at-all")


def test_demo_users_are_added_once(world, name):
    demo = DemoUser(name, "demo", "Demo", "practitioner", "Practitioner/1")
    assert add_demo_users(world.services, [demo]) == add_demo_users(world.services, [demo])
    assert add_demo_users(world.services, [demo])[0]["is_demo"]
