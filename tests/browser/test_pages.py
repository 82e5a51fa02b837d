"""The pages in a real browser, on a running server: every step can be done, nothing is blocked, and axe-core finds nothing.

https://www.w3.org/TR/WCAG22/
https://hl7.org/fhir/smart-app-launch/STU2.2/best-practices.html
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from tests.browser.looking import look
from tests.browser.people import at_the_app, heading, open_chart, sign_in

pytestmark = pytest.mark.xdist_group("browser")

EVERYTHING = (
    "openid fhirUser launch/patient launch/encounter offline_access online_access patient/Patient.rs patient/Condition.rs "
    "patient/Observation.rs patient/MedicationRequest.cruds patient/AllergyIntolerance.rs patient/Immunization.rs "
    "patient/Claim.s user/Practitioner.rs nonsense https://app.example.org/own"
)
LABORATORY = "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
ASK = "Allow Growth Charts to use health records?"


def test_the_whole_way_to_the_app_and_every_page_on_it(page, site):
    page.goto(site.authorize(EVERYTHING))
    look(page, "sign-in", "Sign in")
    sign_in(page, "ines", "wrong")
    look(page, "sign-in-problem", page.locator("#problem:focus"))
    sign_in(page, "ines")
    look(page, "patient", "Choose a patient")
    page.get_by_label("Search for a patient").fill("nobody at all")
    page.get_by_role("button", name="Search").click()
    look(page, "patient-none", page.get_by_text("No patient was found"))
    page.get_by_label("Search for a patient").fill("zeppelin")
    page.get_by_role("button", name="Search").click()
    look(page, "patient-many", page.get_by_text("More than 20 patients match"))
    page.get_by_label("Search for a patient").fill("rosalía 1969-03-05")
    page.get_by_role("button", name="Search").click()
    look(page, "patient-found", page.get_by_text("1 patient found"))
    page.get_by_role("button", name="Rosalía Inés Castañeda").click()
    look(page, "encounter", "Choose a visit")
    page.get_by_role("button", name="Outpatient visit").click()
    look(page, "consent", ASK)
    for summary in page.locator("summary").all():
        summary.click()
    look(page, "consent-open", ASK)
    for box in page.get_by_role("checkbox").all():
        box.uncheck()
    page.get_by_role("button", name="Allow").click()
    look(page, "consent-problem", page.locator("#problem:focus"))
    page.get_by_label("Laboratory results").check()
    page.get_by_label("Your name").check()
    page.get_by_role("button", name="Allow").click()
    answer = site.redeem(at_the_app(page))
    assert answer["scope"].split(" ") == ["openid", "fhirUser", "launch/patient", "launch/encounter", LABORATORY]
    assert (answer["patient"], answer["encounter"]) == ("rosalia", "visit-2")
    assert "refresh_token" not in answer
    found = site.get("Observation", answer["access_token"]).json()
    assert [entry["resource"]["id"] for entry in found["entry"]] == ["glucose"]
    assert site.get("Condition", answer["access_token"]).status_code == 403


def test_denying_leads_to_the_app_too(page, site):
    page.goto(site.authorize("patient/Goal.rs"))
    sign_in(page, "rosalia")
    page.get_by_role("button", name="Deny").click()
    assert "error=access_denied" in at_the_app(page)


def test_everything_and_everybody_is_asked_for_in_words(page, site):
    page.goto(site.authorize("openid patient/*.cruds user/*.rs"))
    sign_in(page, "linnea")
    look(page, "patient-family", "Choose a patient")
    page.get_by_role("button", name="Åke").click()
    look(page, "consent-everything", ASK)
    text = page.locator("main").inner_text()
    for words in ("Åke Sjögren", "All health records", "today", "to come", "The access ends 1 hour after"):
        assert words in text
    assert not re.search(r"patient/|user/|\.rs|\.cruds|openid|scope", text)


def test_a_request_posted_by_the_app_s_page_finds_the_session(page, site):
    page.goto(f"{site.root}/auth/manage")
    sign_in(page, "rosalia")
    heading(page, "Connected apps")
    page.goto(f"{site.app}/welcome")
    address = urlsplit(site.authorize("patient/Goal.rs"))
    page.evaluate(
        """([action, query]) => {
            const form = Object.assign(document.createElement("form"), {method: "post", action})
            for (const [name, value] of new URLSearchParams(query))
                form.append(Object.assign(document.createElement("input"), {name, value}))
            document.body.append(form)
            form.submit()
        }""",
        [f"{site.root}{address.path}", address.query],
    )
    heading(page, ASK)


@pytest.mark.parametrize("where", ["Start here", "Start in a new tab"])
def test_an_app_is_started_from_here(context, page, site, where):
    is_looked_at = where == "Start here"
    open_chart(page, site.root, "ines", "MRN-10001", "Rosalía Inés Castañeda")
    if is_looked_at:
        page.get_by_role("link", name="choose another patient").click()
        look(page, "launch-patient", "Start an app")
        page.get_by_role("button", name="Rosalía").click()
        look(page, "launch-app", "Start an app for Rosalía Inés Castañeda")
        page.get_by_label("What the app is opened for").fill("two words")
        page.get_by_label("Growth Charts").check()
        page.get_by_role("button", name=where).click()
        look(page, "launch-problem", page.locator("#problem:focus"))
        page.get_by_label("What the app is opened for").fill("")
    page.get_by_label("Growth Charts").check()
    page.get_by_label("Outpatient visit").check()
    if is_looked_at:
        page.get_by_role("button", name=where).click()
        target = page
    else:
        with context.expect_page() as opened:
            page.get_by_role("button", name=where).click()
        target = opened.value
    heading(target, ASK)
    if not is_looked_at:
        assert target.evaluate("window.opener") is None
    target.get_by_role("button", name="Allow").click()
    answer = site.redeem(at_the_app(target))
    assert (answer["patient"], answer["encounter"], answer["need_patient_banner"]) == ("rosalia", "visit-2", True)


def test_only_practitioners_start_apps_here(page, site):
    page.goto(f"{site.root}/auth/launch")
    sign_in(page, "rosalia")
    look(page, "launch-refused", "Only practitioners start apps here")


def test_errors_are_pages_too(page, site):
    page.goto(site.authorize("patient/Goal.rs", client_id="unknown"))
    look(page, "error", "This app cannot be opened")


def test_the_focus_is_visible_on_everything_that_can_have_it(page, site):
    page.goto(site.authorize(EVERYTHING))
    sign_in(page, "rosalia")
    page.get_by_role("button", name="Outpatient visit").click()
    heading(page, ASK)
    seen = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        what, outline = page.evaluate(
            "[document.activeElement.tagName, getComputedStyle(document.activeElement).outlineWidth]"
        )
        if what == "BODY":
            break
        assert outline == "3px", what
        seen.add(what)
    assert {"INPUT", "BUTTON", "SUMMARY", "A"} <= seen
