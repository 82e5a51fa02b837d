"""Launches from this server: who may start an app, what it is started in, and who can use the handle.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#launch-app-ehr-launch
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.smart_auth.people.conftest import MemoryRecords

LAUNCH_URI = "https://app.example.org/launch?site=1"
SCOPE = "launch openid patient/Observation.rs"


@pytest.fixture
def client(world):
    return world.client(launch_uris=[LAUNCH_URI])


def start(world, browser, client, patient="rosalia", **changed):
    """Pick a patient and start the app; the answer that leads to it."""
    page = browser.submit(browser.get("/auth/launch"), "/auth/launch", action="choose", patient=patient)
    app = f"{client.client_id} {client.launch_uris[0]}"
    return browser.submit(page, "/auth/launch", **{"app": app, **changed})


def handle_of(answer):
    assert answer.status_code == 303, answer.text
    return parse_qs(urlsplit(answer.location).query)["launch"][0]


def authorize(world, browser, client, handle, **changed):
    changed = {"scope": SCOPE, "launch": handle, **changed}
    return browser.follow(browser.get("/auth/authorize", **world.request(client, **changed)))


def test_the_app_is_sent_the_fhir_base_exactly_and_a_handle(world, browser, client):
    browser.signed_in("ines")
    answer = start(world, browser, client)
    assert answer.location.startswith(f"{LAUNCH_URI}&iss=http%3A%2F%2Flocalhost%3A8080%2Ffhir&launch=")
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", handle_of(answer))
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_app_gets_what_the_practitioner_chose_without_another_question(
    world, browser, client, answer_to_app, words
):
    browser.signed_in("ines")
    launched = start(world, browser, client, encounter="visit-1", intent="reconcile-medications", banner=None)
    page = authorize(world, browser, client, handle_of(launched), scope=f"{SCOPE} launch/patient launch/encounter")
    assert "See records of Rosalía Inés Castañeda" in words(page)
    assert "Choose another patient" not in words(page)
    grant = world.grant_of(answer_to_app(browser.submit(page, "/auth/consent", decision="allow"))["code"])
    context = grant.context
    assert (context.patient, context.encounter) == ("rosalia", "visit-1")
    assert (context.intent, context.need_patient_banner) == ("reconcile-medications", False)
    assert grant.scope.split() == [*SCOPE.split(), "launch/patient", "launch/encounter"]


def test_the_app_is_told_to_show_the_patient_unless_it_is_said_otherwise(world, browser, client, answer_to_app):
    browser.signed_in("ines")
    page = authorize(world, browser, client, handle_of(start(world, browser, client)))
    grant = world.grant_of(answer_to_app(browser.submit(page, "/auth/consent", decision="allow"))["code"])
    assert grant.context.need_patient_banner is True
    assert grant.context.encounter is None


def test_a_handle_is_good_once(world, browser, client, answer_to_app):
    browser.signed_in("ines")
    handle = handle_of(start(world, browser, client))
    assert authorize(world, browser, client, handle).status_code == 200
    assert answer_to_app(authorize(world, browser, client, handle))["error"] == "invalid_request"


def test_a_handle_is_good_for_five_minutes(world, browser, client, answer_to_app):
    browser.signed_in("ines")
    first, second = handle_of(start(world, browser, client)), handle_of(start(world, browser, client))
    world.clock.forward(299)
    assert authorize(world, browser, client, first).status_code == 200
    world.clock.forward(2)
    assert answer_to_app(authorize(world, browser, client, second))["error"] == "invalid_request"


def test_another_client_cannot_use_a_handle_or_use_it_up(world, browser, client, answer_to_app):
    browser.signed_in("ines")
    handle = handle_of(start(world, browser, client))
    assert answer_to_app(authorize(world, browser, world.client(), handle))["error"] == "invalid_request"
    assert authorize(world, browser, client, handle).status_code == 200


@pytest.mark.parametrize("user", ["rosalia", "ines"])
def test_another_user_or_another_session_cannot_use_a_handle(world, browser, client, answer_to_app, user):
    browser.signed_in("ines")
    handle = handle_of(start(world, browser, client))
    other = world.browser()
    other.signed_in(user)
    assert answer_to_app(authorize(world, other, client, handle))["error"] == "invalid_request"


def test_signing_in_again_in_the_same_browser_keeps_the_launch_good(world, browser, client, words):
    browser.signed_in("ines")
    handle = handle_of(start(world, browser, client))
    world.clock.forward(1)
    page = authorize(world, browser, client, handle, prompt="login")
    assert "Confirm that it is you" in words(page)
    assert "See records of" in words(browser.sign_in(page, "ines"))


@pytest.mark.parametrize("user", ["rosalia", "linnea", "root"])
def test_only_practitioners_start_apps(world, browser, client, words, user):
    page = browser.signed_in(user)
    assert "Start an app" not in words(page)
    assert browser.get("/auth/launch").status_code == 403
    csrf = page.text.split('name="csrf" value="')[1][:64]
    assert browser.post("/auth/launch", {"csrf": csrf, "action": "launch", "patient": "ake"}).status_code == 403


def test_whoever_is_not_signed_in_signs_in_first(world, browser):
    page = browser.follow(browser.get("/auth/launch"))
    assert "Start an app" in browser.sign_in(page, "ines").text


@pytest.mark.parametrize(
    "changed",
    [
        {"app": "x"},
        {"app": None},
        {"encounter": "stay-1"},
        {"encounter": 'x"'},
        {"intent": "two words"},
        {"intent": "é"},
        {"intent": "x" * 101},
    ],
)
def test_what_cannot_be_launched_is_said_on_the_page(world, browser, client, words, changed):
    browser.signed_in("ines")
    answer = start(world, browser, client, **changed)
    assert answer.status_code == 400
    assert "There is a problem" in words(answer)


def test_a_client_cannot_be_launched_at_an_address_that_is_not_its_own(world, browser, client):
    browser.signed_in("ines")
    other = world.client(launch_uris=["https://other.example.org/launch"])
    assert start(world, browser, client, app=f"{client.client_id} {other.launch_uris[0]}").status_code == 400


def test_the_search_for_a_patient_is_in_no_address(world, browser, client, words):
    browser.signed_in("ines")
    page = browser.submit(browser.get("/auth/launch"), "/auth/launch", search="wójcik")
    assert "Stanisław Wójcik" in words(page)
    assert page.request.query_string == b""
    assert 'method="get"' not in page.text


def test_switched_off_apps_are_not_offered(world, browser, client):
    gone = world.client(launch_uris=[LAUNCH_URI], name="Switched Off", is_active=False)
    browser.signed_in("ines")
    page = browser.submit(browser.get("/auth/launch"), "/auth/launch", action="choose", patient="ake")
    assert "Switched Off" not in page.text
    assert gone.client_id not in page.text


def test_apps_of_the_same_name_are_told_apart_by_their_addresses(world, browser, client, words):
    other = world.client(launch_uris=["https://other.example.org/launch"], name=client.name)
    browser.signed_in("ines")
    page = browser.submit(browser.get("/auth/launch"), "/auth/launch", action="choose", patient="ake")
    for each in (*client.launch_uris, *other.launch_uris):
        assert each in words(page)


def test_a_long_list_is_said_to_be_one_whether_or_not_somebody_searched(make_world, words):
    class Many(MemoryRecords):
        def find_patients(self, search, user):
            return [*self.patients.values()] * 6

    browser = make_world(records=Many()).browser()
    browser.signed_in("ines")
    page = browser.get("/auth/launch")
    assert "These are the first 20 patients by name. Search to find others." in words(page)
    page = browser.submit(page, "/auth/launch", search="e")
    assert "More than 20 patients match." in words(page)
