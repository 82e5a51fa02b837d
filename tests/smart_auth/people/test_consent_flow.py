"""The way from an authorization request to a code, as its user walks it.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
"""

from __future__ import annotations

import pytest

CONDITION = "http://terminology.hl7.org/CodeSystem/condition-category"
OBSERVATION = "http://terminology.hl7.org/CodeSystem/observation-category"


def to_consent(world, browser, client, user="rosalia", **changed):
    page = browser.follow(browser.get("/auth/authorize", **world.request(client, **changed)))
    return browser.sign_in(page, user)


def test_a_patient_signs_in_agrees_and_the_app_gets_a_code_for_their_own_record(world, browser, answer_to_app, words):
    client = world.client()
    page = to_consent(
        world, browser, client, scope="openid fhirUser launch/patient patient/Observation.rs", nonce="n-1"
    )
    assert "Rosalía Inés Castañeda (you)" in words(page)
    told = answer_to_app(browser.submit(page, "/auth/consent", decision="allow"))
    assert told["state"] == "s-1"
    assert told["iss"] == world.services.settings.issuer
    grant = world.grant_of(told["code"])
    assert grant.scope == "openid fhirUser launch/patient patient/Observation.rs"
    assert (grant.client_id, grant.sub, grant.nonce) == (client.client_id, world.user("rosalia").sub, "n-1")
    assert grant.context.patient == "rosalia"
    assert (grant.stay, grant.auth_time) == ("none", world.clock.now)
    code = world.services.store.codes.find(told["code"], world.clock.now).value
    assert code.redirect_uri == world.request(client)["redirect_uri"]
    assert code.code_challenge == world.request(client)["code_challenge"]
    assert code.aud == world.services.settings.fhir_base
    assert [(event.code, event.succeeded) for event in world.events[1:]] == [("sign-in", True), ("consent", True)]


def test_the_code_can_be_exchanged_for_a_token(world, browser, answer_to_app):
    client = world.client()
    told = answer_to_app(browser.submit(to_consent(world, browser, client), "/auth/consent", decision="allow"))
    form = {
        "grant_type": "authorization_code",
        "code": told["code"],
        "redirect_uri": client.redirect_uris[0],
        "client_id": client.client_id,
        "code_verifier": "v" * 43,
    }
    answer = world.app.test_client().post("/auth/token", data=form)
    assert answer.status_code == 200, answer.text
    assert answer.json["patient"] == "rosalia"
    assert answer.json["scope"] == "launch/patient patient/Observation.rs"


def test_a_practitioner_searches_for_the_patient(world, browser, answer_to_app, words):
    page = to_consent(world, browser, world.client(), "ines")
    assert "Choose a patient" in words(page)
    found = browser.submit(page, "/auth/patient", search="wójcik 30.11.1944")
    assert "Stanisław Wójcik" in words(found)
    assert "Castañeda" not in words(found)
    assert "MRN-10003" in words(browser.submit(page, "/auth/patient", search="MRN-10003"))
    assert "No patient was found" in words(browser.submit(page, "/auth/patient", search="nobody"))
    consent = browser.follow(browser.submit(found, "/auth/patient", action="choose", patient="stanislaw"))
    told = answer_to_app(browser.submit(consent, "/auth/consent", decision="allow"))
    assert world.grant_of(told["code"]).context.patient == "stanislaw"


def test_a_related_person_chooses_among_their_patients_only(world, browser, words):
    page = to_consent(world, browser, world.client(), "linnea")
    assert "Åke Sjögren" in words(page)
    assert "Elsa Sjögren" in words(page)
    assert "Wójcik" not in words(page)
    assert "Search for a patient" not in words(page)
    consent = browser.follow(browser.submit(page, "/auth/patient", patient="elsa"))
    assert "See records of Elsa Sjögren" in words(consent)


@pytest.mark.parametrize(
    ("user", "patient"), [("linnea", "rosalia"), ("ines", "nobody"), ("ines", "../rosalia"), ("ines", "")]
)
def test_a_patient_whom_the_user_may_not_see_or_who_is_not_there_cannot_be_picked(world, browser, words, user, patient):
    page = to_consent(world, browser, world.client(), user)
    refused = browser.submit(page, "/auth/patient", action="choose", patient=patient)
    assert refused.status_code == 400
    assert "Choose one of the patients." in words(refused)


def test_a_patient_cannot_pick_another_by_sending_the_picker_s_form(world, browser, words):
    page = to_consent(world, browser, world.client(), "rosalia")
    fields = {
        "csrf": page.text.split('name="csrf" value="')[1][:64],
        "tx": page.text.split('name="tx" value="')[1][:43],
    }
    again = browser.follow(browser.post("/auth/patient", {**fields, "action": "choose", "patient": "ake"}))
    assert "See records of Rosalía Inés Castañeda" in words(again)


def test_the_chosen_patient_can_be_changed_before_agreeing(world, browser, words):
    page = to_consent(world, browser, world.client(), "linnea")
    consent = browser.follow(browser.submit(page, "/auth/patient", patient="elsa"))
    picker = browser.follow(browser.submit(consent, "/auth/patient", action="change"))
    assert "Choose a patient" in words(picker)
    assert "Åke" in words(browser.follow(browser.submit(picker, "/auth/patient", patient="ake")))


def test_a_consent_page_that_shows_another_patient_than_was_chosen_since_grants_nothing(world, browser, words):
    page = to_consent(world, browser, world.client(), "linnea")
    consent = browser.follow(browser.submit(page, "/auth/patient", patient="elsa"))
    picker = browser.follow(browser.submit(consent, "/auth/patient", action="change"))
    browser.submit(picker, "/auth/patient", patient="ake")
    again = browser.follow(browser.submit(consent, "/auth/consent", decision="allow"))
    assert "See records of Åke Sjögren" in words(again)
    assert "consent" not in world.codes()


def test_the_encounter_is_asked_for_and_checked(world, browser, answer_to_app, words):
    page = to_consent(world, browser, world.client(), scope="launch/patient launch/encounter patient/Observation.rs")
    text = words(page)
    assert text.index("4 March 2027, 09:30") < text.index("12 November 2026") < text.index("No visit in particular")
    assert browser.submit(page, "/auth/encounter", encounter="stay-1").status_code == 400
    consent = browser.follow(browser.submit(page, "/auth/encounter", encounter="visit-1"))
    told = answer_to_app(browser.submit(consent, "/auth/consent", decision="allow"))
    assert world.grant_of(told["code"]).context.encounter == "visit-1"


def test_the_user_may_choose_no_encounter(world, browser, answer_to_app):
    page = to_consent(world, browser, world.client(), scope="launch/patient launch/encounter patient/Observation.rs")
    consent = browser.follow(browser.submit(page, "/auth/encounter", encounter="none"))
    told = answer_to_app(browser.submit(consent, "/auth/consent", decision="allow"))
    assert world.grant_of(told["code"]).context.encounter is None


def test_any_patient_scope_needs_a_patient_and_user_scopes_alone_need_none(world, browser, answer_to_app, words):
    client = world.client()
    assert "Choose a patient" in words(to_consent(world, browser, client, "ines", scope="patient/Observation.rs"))
    page = browser.follow(browser.get("/auth/authorize", **world.request(client, scope="openid user/Observation.rs")))
    assert "everyone whose records you may use" in words(page)
    told = answer_to_app(browser.submit(page, "/auth/consent", decision="allow"))
    assert world.grant_of(told["code"]).context.patient is None


def test_the_scope_is_what_was_ticked(world, browser, answer_to_app):
    asked = "launch/patient patient/Observation.rs patient/Condition.cruds patient/Goal.read offline_access"
    page = to_consent(world, browser, world.client(), scope=asked)
    ticked = ["patient/Condition.rs", "patient/Condition.d", "patient/Goal.rs"]
    told = answer_to_app(browser.submit(page, "/auth/consent", decision="allow", grant=ticked))
    grant = world.grant_of(told["code"])
    assert grant.scope == "launch/patient patient/Condition.rds patient/Goal.read"
    assert grant.stay == "none"


def test_parts_of_a_type_are_granted_where_the_whole_is_not_ticked(world, browser, answer_to_app):
    page = to_consent(
        world, browser, world.client(), scope="patient/Condition.rs patient/Observation.rs patient/Patient.rs"
    )
    parts = [
        f"patient/Condition.rs?category={CONDITION}|encounter-diagnosis",
        "patient/Condition.rs?category=http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern",
        f"patient/Observation.rs?category={OBSERVATION}|laboratory",
    ]
    told = answer_to_app(browser.submit(page, "/auth/consent", decision="allow", grant=[*parts, "patient/Patient.rs"]))
    assert set(world.grant_of(told["code"]).scope.split()) == {*parts, "patient/Patient.rs"}


def test_everything_can_be_narrowed_to_some_types(world, browser, answer_to_app):
    page = to_consent(world, browser, world.client(), scope="patient/*.rs")
    told = answer_to_app(browser.submit(page, "/auth/consent", decision="allow", grant=["patient/Goal.rs"]))
    assert world.grant_of(told["code"]).scope == "patient/Goal.rs"


def test_what_was_not_on_the_form_is_never_granted(world, browser, words):
    page = to_consent(world, browser, world.client(), scope="patient/Observation.r")
    forged = ["patient/*.cruds", "patient/Observation.cruds", "offline_access", "openid", "system/*.rs", 'x"y', "é"]
    answer = browser.submit(page, "/auth/consent", decision="allow", grant=forged)
    assert answer.status_code == 400
    assert "Tick at least one thing" in words(answer)


def test_staying_alone_is_nothing_to_agree_to(world, browser):
    page = to_consent(world, browser, world.client(), scope="patient/Observation.rs offline_access")
    assert browser.submit(page, "/auth/consent", decision="allow", grant=["offline_access"]).status_code == 400


def test_offline_access_is_told_with_its_date_and_granted_for_as_long(world, browser, answer_to_app, words):
    page = to_consent(world, browser, world.client(), scope="patient/Observation.rs offline_access")
    assert "can use this data when you are away, until" in words(page)
    grant = world.grant_of(answer_to_app(browser.submit(page, "/auth/consent", decision="allow"))["code"])
    assert grant.stay == "offline"
    assert grant.expires_at == world.clock.now + 365 * 24 * 3600 * 1000


def test_an_online_grant_lives_no_longer_than_the_session_it_was_made_in(world, browser, answer_to_app):
    page = to_consent(world, browser, world.client(), scope="patient/Observation.rs online_access")
    world.clock.forward(600 - 1)
    grant = world.grant_of(answer_to_app(browser.submit(page, "/auth/consent", decision="allow"))["code"])
    assert grant.stay == "online"
    assert grant.expires_at == grant.auth_time + 12 * 3600 * 1000
    assert world.services.is_session_live(grant.user_session)
    browser.submit(browser.get("/auth/manage"), "/auth/sign-out")
    assert not world.services.is_session_live(grant.user_session)
    assert world.services.store.grants.find(grant.id).revoked_at is not None


def test_denying_tells_the_app_and_the_audit(world, browser, answer_to_app):
    page = to_consent(world, browser, world.client())
    told = answer_to_app(browser.submit(page, "/auth/consent", decision="deny"))
    assert (told["error"], told["state"]) == ("access_denied", "s-1")
    assert "code" not in told
    last = world.events[-1]
    assert (last.code, last.succeeded, last.patient) == ("consent", False, "rosalia")


def test_a_form_that_says_neither_allow_nor_deny_grants_nothing(world, browser, answer_to_app):
    page = to_consent(world, browser, world.client())
    assert answer_to_app(browser.submit(page, "/auth/consent"))["error"] == "access_denied"


def test_consent_can_be_sent_once(world, browser, answer_to_app, words):
    page = to_consent(world, browser, world.client())
    answer_to_app(browser.submit(page, "/auth/consent", decision="allow"))
    again = browser.submit(page, "/auth/consent", decision="allow")
    assert again.status_code == 400
    assert "This request is over" in words(again)


def test_an_app_that_an_administrator_agreed_to_asks_nobody_unless_it_wants_to(world, browser, answer_to_app, words):
    client = world.client(skips_consent=True)
    told = answer_to_app(to_consent(world, browser, client))
    assert world.grant_of(told["code"]).scope == "launch/patient patient/Observation.rs"
    page = browser.follow(browser.get("/auth/authorize", **world.request(client, prompt="consent")))
    assert "Allow Growth Charts" in words(page)


def test_what_is_not_granted_is_told_to_the_developer_with_reasons(world, browser, answer_to_app, words):
    client = world.client(scope="launch/patient patient/Observation.rs patient/Goal.rs")
    asked = "launch/patient patient/Observation.rs patient/Goal.rs patient/Claim.rs nonsense patient/Observation.sr"
    page = to_consent(world, browser, client, scope=asked)
    assert "The app also asked for 3 things" in words(page)
    answer_to_app(browser.submit(page, "/auth/consent", decision="allow", grant=["patient/Goal.rs"]))
    reason = world.events[-1].reason
    for name in ("patient/Claim.rs", "nonsense", "patient/Observation.sr", "patient/Observation.rs"):
        assert f"{name}:" in reason


def test_a_request_of_which_nothing_can_be_granted_is_refused(world, browser, answer_to_app):
    client = world.client(scope="patient/Goal.rs")
    answer = browser.get("/auth/authorize", **world.request(client, scope="patient/Claim.rs"))
    assert answer_to_app(answer)["error"] == "access_denied"


@pytest.mark.parametrize("user", ["root", "lost"])
def test_a_user_without_a_patient_cannot_give_access_to_one(world, browser, answer_to_app, user):
    assert answer_to_app(to_consent(world, browser, world.client(), user))["error"] == "access_denied"


def test_another_account_can_be_used_instead(world, browser, words):
    page = to_consent(world, browser, world.client(), "rosalia")
    page = browser.follow(browser.submit(page, "/auth/sign-out"))
    assert "to go on to Growth Charts" in words(page)
    assert "Choose a patient" in words(browser.sign_in(page, "ines"))
