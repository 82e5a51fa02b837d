"""Sign-in, sessions and forms: who is let in, and what an attacker can do with what they plant, steal or guess.

https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html
https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest
"""

from __future__ import annotations

import secrets
import threading

import pytest

from smart_auth.people.throttle import OF_ADDRESS, OF_NAME, OF_NAME_AT_ADDRESS, Throttle
from smart_auth.people.user_commands import add_user, disable_user


def attempt(browser, name, password):
    return browser.submit(browser.get("/auth/sign-in"), "/auth/sign-in", name=name, password=password)


def new_user(world, **values):
    name = secrets.token_hex(8)
    values = {"role": "practitioner", "fhir_user": "Practitioner/1", "display": "Some Body", **values}
    add_user(world.services, name=name, password="correct horse battery", **values)
    return name


def test_names_are_taken_whatever_their_case_and_outer_blanks(browser):
    assert attempt(browser, "  Rosalia ", "correct horse battery").status_code == 303


def test_a_wrong_name_a_wrong_password_and_a_disabled_user_get_the_same_answer(world, browser, words):
    disabled = new_user(world)
    disable_user(world.services, disabled)
    pages = [
        attempt(browser, name, password)
        for name, password in [("nobody", "x"), ("rosalia", "x"), (disabled, "correct horse battery")]
    ]
    assert [page.status_code for page in pages] == [401, 401, 401]
    texts = {words(page) for page in pages}
    assert len(texts) == 1
    assert "The name or the password is not right." in texts.pop()
    assert [event.code for event in world.events if not event.succeeded] == ["sign-in"] * 3


def test_neither_names_nor_passwords_that_were_typed_reach_the_audit(world, browser):
    attempt(browser, "my-password-in-the-name-field", "hunter2-hunter2")
    text = repr(world.events)
    assert "my-password" not in text
    assert "hunter2" not in text


def test_the_password_is_never_shown_again_but_the_name_is(browser):
    page = attempt(browser, "rosalia<b>", "hunter2-hunter2")
    assert "hunter2" not in page.text
    assert 'value="rosalia&lt;b&gt;"' in page.text


@pytest.mark.parametrize(("name", "password"), [("", ""), ("\x00", "\x00"), ("é" * 5000, "é" * 5000), ('"', "\ud800")])
def test_odd_names_and_passwords_are_only_wrong(browser, name, password):
    assert attempt(browser, name, password.encode("utf-8", "surrogatepass")).status_code == 401


def test_the_secret_of_a_session_is_new_after_sign_in_and_the_one_before_is_worth_nothing(world, browser):
    planted = browser.get("/auth/sign-in") and browser.secret()
    assert planted is not None
    browser.signed_in("rosalia")
    secret = browser.secret()
    assert secret != planted
    attacker = world.browser()
    attacker.http.set_cookie("fhir-session", planted)
    assert attacker.get("/auth/manage").status_code == 303
    attacker.http.set_cookie("fhir-session", secret)
    assert attacker.get("/auth/manage").status_code == 200


def test_signing_in_again_rotates_the_secret_and_keeps_the_session(world, browser):
    browser.signed_in("rosalia")
    first = browser.secret()
    world.clock.forward(1)
    page = browser.follow(browser.get("/auth/authorize", **world.request(world.client(), prompt="login")))
    browser.sign_in(page, "rosalia")
    assert browser.secret() != first
    other = world.browser()
    other.http.set_cookie("fhir-session", first)
    assert other.get("/auth/manage").status_code == 303


def test_the_secret_is_stored_nowhere(world, browser, mongodb):
    browser.signed_in("rosalia")
    secret = browser.secret()
    for name in mongodb["people"].list_collection_names():
        for document in mongodb["people"][name].find():
            assert secret not in repr(document)


def test_the_cookie_is_for_us_alone(world, browser, make_world):
    cookie = browser.get("/auth/sign-in").headers["Set-Cookie"]
    for part in ("HttpOnly", "SameSite=Lax", "Path=/"):
        assert part in cookie
    assert "Secure" not in cookie
    secure = make_world("https://fhir.example.org/fhir").browser().get("/auth/sign-in").headers["Set-Cookie"]
    assert secure.startswith("__Host-fhir-session=")
    assert "; Secure" in secure
    assert "Domain" not in secure


@pytest.mark.parametrize("planted", ["x", "", "a" * 44, "é", '"', "ab cd"])
def test_a_cookie_that_we_never_made_counts_as_none(world, planted):
    browser = world.browser()
    answer = browser.http.get("/auth/manage", headers={"Cookie": f"fhir-session={planted}"})
    assert answer.status_code == 303


def test_a_session_ends_after_half_an_hour_without_use(world, browser):
    browser.signed_in("rosalia")
    for _ in range(3):
        world.clock.forward(29 * 60)
        assert browser.get("/auth/manage").status_code == 200
    world.clock.forward(32 * 60)
    assert browser.get("/auth/manage").status_code == 303


def test_a_session_ends_after_twelve_hours_however_busy(world, browser):
    browser.signed_in("rosalia")
    for _ in range(35):
        world.clock.forward(20 * 60)
        assert browser.get("/auth/manage").status_code == 200
    world.clock.forward(21 * 60)
    assert browser.get("/auth/manage").status_code == 303


def test_a_disabled_user_is_out_at_once(world, browser):
    name = new_user(world)
    browser.signed_in(name)
    disable_user(world.services, name)
    assert browser.get("/auth/manage").status_code == 303


def test_signing_out_ends_the_session_for_whoever_has_the_cookie(world, browser):
    page = browser.signed_in("rosalia")
    secret = browser.secret()
    assert "You are signed out" in browser.follow(browser.submit(page, "/auth/sign-out")).text
    thief = world.browser()
    thief.http.set_cookie("fhir-session", secret)
    assert thief.get("/auth/manage").status_code == 303
    assert world.codes()[-2:] == ["sign-in", "sign-out"]


@pytest.mark.parametrize(
    "path",
    ["/sign-in", "/sign-out", "/patient", "/encounter", "/consent", "/manage/revoke", "/manage/sessions", "/launch"],
)
@pytest.mark.parametrize("csrf", [None, "", "x", "é", "0" * 64])
def test_no_form_is_taken_without_the_proof_that_we_showed_it_in_this_browser(world, browser, path, csrf):
    browser.signed_in("ines")
    form = {
        "name": "rosalia",
        "password": "correct horse battery",
        "all": "yes",
        "decision": "allow",
        "action": "launch",
    }
    events = len(world.events)
    answer = browser.post(f"/auth{path}", form if csrf is None else {**form, "csrf": csrf})
    assert answer.status_code == 400
    assert "Please send this again" in answer.text
    assert len(world.events) == events


def test_the_proof_of_one_browser_is_no_good_in_another(world, browser):
    page = browser.get("/auth/sign-in")
    other = world.browser()
    other.get("/auth/sign-in")
    assert other.submit(page, "/auth/sign-in", name="rosalia", password="correct horse battery").status_code == 400


def test_where_one_goes_after_sign_in_is_named_and_never_an_address(world, browser):
    for wanted in ("https://evil.example.org", "//evil.example.org", "/\\evil", "manage"):
        page = browser.get("/auth/sign-in", next=wanted)
        answer = browser.submit(page, "/auth/sign-in", name="ines", password="correct horse battery", next=wanted)
        assert answer.location == "/auth/manage"
    page = browser.get("/auth/sign-in", next="launch")
    assert (
        browser.submit(page, "/auth/sign-in", name="ines", password="correct horse battery").location == "/auth/launch"
    )


@pytest.mark.parametrize("tx", ["", "x", "é", "a" * 43, '"', "$ne", "\x00"])
def test_a_transaction_that_we_never_made_is_over(browser, tx):
    answer = browser.get("/auth/continue", tx=tx)
    assert answer.status_code == 400
    assert "This request is over" in answer.text
    assert browser.get("/auth/continue").status_code == 400


def test_a_transaction_ends_ten_minutes_after_the_last_step_and_an_hour_after_the_first(world, browser):
    client = world.client()
    start = browser.get("/auth/authorize", **world.request(client)).location
    world.clock.forward(599)
    page = browser.get(start)
    assert page.status_code == 200
    picker = browser.sign_in(page, "ines")
    world.clock.forward(599)
    assert browser.get(start).status_code == 200
    for _ in range(5):
        consent = browser.follow(browser.submit(picker, "/auth/patient", action="choose", patient="ake"))
        browser.submit(consent, "/auth/patient", action="change")
        world.clock.forward(599)
    assert browser.get(start).status_code == 400


def test_nobody_goes_on_with_another_user_s_transaction(world, browser, words):
    start = browser.get("/auth/authorize", **world.request(world.client())).location
    browser.sign_in(browser.get(start), "rosalia")
    other = world.browser()
    other.signed_in("ines")
    answer = other.get(start)
    assert answer.status_code == 403
    assert "somebody else" in words(answer)
    stranger = world.browser()
    assert stranger.sign_in(stranger.get(start), "linnea").status_code == 403


def test_attempts_on_one_name_from_one_place_are_limited_and_the_right_password_is_then_refused_too(
    world, browser, words
):
    name = new_user(world)
    for _ in range(OF_NAME_AT_ADDRESS):
        assert attempt(browser, name, "wrong").status_code == 401
    refused = attempt(browser, name, "correct horse battery")
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "900"
    assert "Wait for 15 minutes" in words(refused)
    elsewhere = world.browser()
    assert attempt(elsewhere, name, "correct horse battery").status_code == 303


def test_a_right_password_makes_the_mistypings_before_it_count_no_more(world, browser):
    name = new_user(world)
    for _ in range(3):
        for _ in range(OF_NAME_AT_ADDRESS - 1):
            assert attempt(browser, name, "wrong").status_code == 401
        assert attempt(browser, name, "correct horse battery").status_code == 303
        browser.http.delete_cookie("fhir-session")


def test_attempts_on_one_name_from_many_places_and_on_many_names_from_one_place_are_limited(world):
    throttle = Throttle(world.services)
    name, address = secrets.token_hex(8), secrets.token_hex(8)
    assert all(throttle.begin(name, f"{address}-{n}") for n in range(OF_NAME))
    assert throttle.begin(name, address) is None
    assert all(throttle.begin(f"{name}-{n}", address) for n in range(OF_ADDRESS))
    assert throttle.begin("another", address) is None


def test_attempts_that_arrive_together_in_several_processes_are_counted_together(world):
    name, allowed = secrets.token_hex(8), []
    throttles = [Throttle(world.services) for _ in range(30)]
    line = threading.Barrier(len(throttles))

    def begin(throttle):
        line.wait(30)
        allowed.append(throttle.begin(name, "198.51.100.7"))

    threads = [threading.Thread(target=begin, args=(throttle,)) for throttle in throttles]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(each is not None for each in allowed) == OF_NAME_AT_ADDRESS


def test_prompt_login_asks_again_once(world, browser, words, answer_to_app):
    browser.signed_in("rosalia")
    world.clock.forward(10)
    page = browser.follow(browser.get("/auth/authorize", **world.request(world.client(), prompt="login")))
    assert "Confirm that it is you" in words(page)
    page = browser.sign_in(page, "rosalia")
    assert "Allow Growth Charts" in words(page)
    grant = world.grant_of(answer_to_app(browser.submit(page, "/auth/consent", decision="allow"))["code"])
    assert grant.auth_time == world.clock.now


def test_another_user_may_answer_prompt_login_and_begins_at_the_beginning(world, browser, words):
    page = browser.follow(browser.get("/auth/authorize", **world.request(world.client())))
    start = page.request.full_path
    browser.sign_in(page, "rosalia")
    again = browser.submit(browser.get(start), "/auth/sign-out")
    assert "Choose a patient" in words(browser.sign_in(browser.follow(again), "linnea"))


@pytest.mark.parametrize(
    ("age", "max_age", "asks"), [(100, "99", True), (100, "101", False), (0, "0", False), (1, "0", True)]
)
def test_max_age_asks_again_when_the_sign_in_is_older(world, browser, words, age, max_age, asks):
    browser.signed_in("rosalia")
    world.clock.forward(age)
    page = browser.follow(browser.get("/auth/authorize", **world.request(world.client(), max_age=max_age)))
    assert ("Confirm that it is you" in words(page)) == asks
    if asks:
        assert "Allow Growth Charts" in words(browser.sign_in(page, "rosalia"))


def silent(world, browser, client, **changed):
    return browser.follow(browser.get("/auth/authorize", **world.request(client, prompt="none", **changed)))


def test_prompt_none_asks_nothing(world, browser, answer_to_app):
    agreed, asking = world.client(skips_consent=True), world.client()
    assert answer_to_app(silent(world, browser, agreed))["error"] == "login_required"
    browser.signed_in("rosalia")
    assert "code" in answer_to_app(silent(world, browser, agreed))
    assert answer_to_app(silent(world, browser, asking))["error"] == "interaction_required"
    world.clock.forward(60)
    assert answer_to_app(silent(world, browser, agreed, max_age="30"))["error"] == "login_required"


def test_prompt_none_does_not_pick_a_patient(world, browser, answer_to_app):
    browser.signed_in("ines")
    assert answer_to_app(silent(world, browser, world.client(skips_consent=True)))["error"] == "interaction_required"


def test_demo_users_sign_in_on_this_machine_only(make_world):
    browser = make_world("https://fhir.example.org/fhir").browser()
    page = browser.http.get("/auth/sign-in", base_url="https://fhir.example.org")
    csrf = page.text.split('name="csrf" value="')[1][:64]
    form = {"csrf": csrf, "name": "ines", "password": "correct horse battery"}
    answer = browser.http.post("/auth/sign-in", data=form, base_url="https://fhir.example.org")
    assert answer.status_code == 401
