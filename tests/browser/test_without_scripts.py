"""All that the pages are for, in a browser that runs no scripts, from the sign-in to the end of an app's access."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.people import at_the_app, heading, open_chart, sign_in

pytestmark = pytest.mark.xdist_group("browser")

VITAL_SIGNS = "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs"


@pytest.fixture
def plain_page(new_context):
    return new_context(java_script_enabled=False).new_page()


def test_an_app_is_allowed_some_of_what_it_asks_for(plain_page, site):
    page = plain_page
    page.goto(site.authorize("openid launch/patient patient/Observation.rs patient/Condition.rs offline_access"))
    sign_in(page, "linnea", "wrong")
    expect(page.get_by_text("The name or the password is not right.")).to_be_visible()
    sign_in(page, "linnea")
    page.get_by_role("button", name="Elsa").click()
    page.get_by_role("button", name="Choose another patient").click()
    page.get_by_role("button", name="Åke").click()
    page.get_by_label("Test results, vital signs and other observations", exact=True).uncheck()
    page.get_by_text("Share only some of these").last.click()
    page.get_by_label("Vital signs, such as").check()
    page.get_by_label("Health conditions and diagnoses", exact=True).uncheck()
    page.get_by_label("Growth Charts can use this data when you are away").uncheck()
    page.get_by_role("button", name="Allow").click()
    answer = site.redeem(at_the_app(page))
    assert answer["scope"].split(" ") == ["openid", "launch/patient", VITAL_SIGNS]
    assert answer["patient"] == "ake"
    assert "refresh_token" not in answer
    found = site.get("Observation", answer["access_token"]).json()
    assert [entry["resource"]["id"] for entry in found["entry"]] == ["fever"]


def test_an_app_is_started_from_a_chart_and_ended_again(plain_page, site):
    page = plain_page
    open_chart(page, site.root, "ines", "wójcik", "Stanisław")
    page.get_by_label("Growth Charts").check()
    page.get_by_label("Inpatient stay").check()
    page.get_by_role("button", name="Start here").click()
    heading(page, "Allow Growth Charts to use health records?")
    page.get_by_role("button", name="Allow").click()
    answer = site.redeem(at_the_app(page))
    assert (answer["patient"], answer["encounter"]) == ("stanislaw", "stay-1")
    page.goto(f"{site.root}/auth/manage")
    page.get_by_role("article").filter(has_text="Stanisław").get_by_role("link", name="End access").click()
    page.get_by_role("button", name="End access").click()
    expect(page.get_by_text("The app can no longer use your access.")).to_be_visible()
    page.get_by_role("button", name="Sign out", exact=True).click()
    heading(page, "You are signed out")
