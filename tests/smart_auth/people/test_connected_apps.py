"""The page on which users see and end what they have allowed.

https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html (management_endpoint)
"""

from __future__ import annotations

import secrets

import pytest

from smart_auth.people.user_commands import add_user

PASSWORD = "correct horse battery"


@pytest.fixture
def person(world):
    """The name of a patient who has allowed nothing yet."""
    name = secrets.token_hex(8)
    add_user(
        world.services, name=name, password=PASSWORD, display="Some Body", role="patient", fhir_user="Patient/stanislaw"
    )
    return name


def allow(world, browser, person, answer_to_app, **changed):
    client = world.client(publisher="Example Inc.")
    changed = {"scope": "patient/Observation.rs patient/Goal.cud offline_access", **changed}
    page = browser.follow(browser.get("/auth/authorize", **world.request(client, **changed)))
    if "Password" in page.text:
        page = browser.sign_in(page, person)
    return world.grant_of(answer_to_app(browser.submit(page, "/auth/consent", decision="allow"))["code"])


def test_each_app_is_shown_with_its_patient_what_it_may_and_its_times(world, browser, person, answer_to_app, words):
    grant = allow(world, browser, person, answer_to_app)
    text = words(browser.get("/auth/manage"))
    for part in (
        "Growth Charts",
        "by Example Inc.",
        "Stanisław Wójcik",
        "See: test results, vital signs and other observations",
        "Add and change: health goals",
        "Delete: health goals",
        "Yes, it may go on",
        "Not yet",
    ):
        assert part in text
    world.services.store.grants.touch(grant.id, world.clock.now)
    assert "Not yet" not in words(browser.get("/auth/manage"))


def test_ending_access_asks_first_and_then_ends_it_at_once(world, browser, person, answer_to_app, words):
    grant = allow(world, browser, person, answer_to_app)
    page = browser.get("/auth/manage/revoke", grant=grant.id)
    assert "End access of Growth Charts?" in words(page)
    assert world.services.store.grants.find(grant.id).revoked_at is None
    done = browser.follow(browser.submit(page, "/auth/manage/revoke"))
    assert "The app can no longer use your access." in words(done)
    assert "ended early" in words(done)
    assert world.services.store.grants.find(grant.id).revoked_at == world.clock.now
    assert world.codes()[-1] == "token-revoke"


def test_all_can_be_ended_together(world, browser, person, answer_to_app, words):
    grants = [allow(world, browser, person, answer_to_app) for _ in range(3)]
    page = browser.get("/auth/manage/revoke")
    assert "all apps" in words(page)
    done = browser.follow(browser.submit(page, "/auth/manage/revoke"))
    assert "No app uses your access now." in words(done)
    assert all(world.services.store.grants.find(grant.id).revoked_at for grant in grants)


def test_a_token_is_refused_once_its_grant_was_ended(world, browser, person, answer_to_app):
    client = world.client()
    page = browser.follow(
        browser.get("/auth/authorize", **world.request(client, scope="patient/Goal.rs offline_access"))
    )
    told = answer_to_app(browser.submit(browser.sign_in(page, person), "/auth/consent", decision="allow"))
    form = {
        "grant_type": "authorization_code",
        "code": told["code"],
        "redirect_uri": client.redirect_uris[0],
        "client_id": client.client_id,
        "code_verifier": "v" * 43,
    }
    http = world.app.test_client()
    tokens = http.post("/auth/token", data=form).json
    page = browser.get("/auth/manage/revoke")
    browser.submit(page, "/auth/manage/revoke")
    refresh = {
        "grant_type": "refresh_token",
        "refresh_token": tokens["refresh_token"],
        "client_id": client.client_id,
    }
    assert http.post("/auth/token", data=refresh).status_code == 400


def test_nobody_sees_or_ends_what_another_user_allowed(world, browser, person, answer_to_app, words):
    grant = allow(world, browser, person, answer_to_app)
    other = world.browser()
    other.signed_in("rosalia")
    assert "Stanisław" not in words(other.get("/auth/manage"))
    assert other.get("/auth/manage/revoke", grant=grant.id).location == "/auth/manage"
    page = other.get("/auth/manage/revoke")
    other.submit(page, "/auth/manage/revoke", all=None, grant=grant.id)
    assert world.services.store.grants.find(grant.id).revoked_at is None


@pytest.mark.parametrize("grant", ["", "x", 'a"b', "\x00", "é"])
def test_a_grant_that_is_not_there_leads_back(browser, person, grant):
    browser.signed_in(person)
    assert browser.get(f"/auth/manage/revoke?grant={grant}").location == "/auth/manage"


def test_what_has_ended_by_itself_is_told_apart(world, browser, person, answer_to_app, words):
    allow(world, browser, person, answer_to_app, scope="patient/Goal.rs")
    world.clock.forward(3700)
    browser.signed_in(person)
    assert "ended by itself on" in words(browser.get("/auth/manage"))


def test_other_browsers_can_be_signed_out(world, browser, person, words):
    other = world.browser()
    other.signed_in(person)
    page = browser.signed_in(person)
    assert "Here, and in 1 other browser." in words(page)
    done = browser.follow(browser.submit(page, "/auth/manage/sessions"))
    assert "Only here." in words(done)
    assert other.get("/auth/manage").status_code == 303


def test_notes_come_from_a_list_and_not_from_the_address(browser, person, words):
    browser.signed_in(person)
    assert "role" in browser.get("/auth/manage", done="revoked").text
    assert "You won" not in words(browser.get("/auth/manage", done="You won"))
