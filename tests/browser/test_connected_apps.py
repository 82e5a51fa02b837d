"""Connected apps: what they may, said in words, and the end of it, on a running server.

https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html (management_endpoint)
"""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import expect

from tests.browser.looking import look
from tests.browser.people import PATIENCE_MS, at_the_app, heading, sign_in

pytestmark = pytest.mark.xdist_group("browser")


def until_refused(site, token: str) -> None:
    """Wait until a token is refused by every process of the server: some know of its end a little later than others."""
    refused_in_a_row, until = 0, time.monotonic() + PATIENCE_MS / 1000
    while refused_in_a_row < 10 and time.monotonic() < until:
        refused_in_a_row = refused_in_a_row + 1 if site.get("Patient", token).status_code == 401 else 0
    assert refused_in_a_row == 10


def test_connected_apps_are_shown_and_ended(page, site):
    page.goto(f"{site.root}/auth/manage")
    sign_in(page, "elsa")
    look(page, "manage-empty", "Connected apps")
    page.goto(
        site.authorize("launch/patient patient/Goal.cruds patient/Observation.rs patient/Patient.r offline_access")
    )
    page.get_by_role("button", name="Allow").click()
    away = site.redeem(at_the_app(page))
    page.goto(site.authorize("openid patient/*.rs online_access"))
    page.get_by_role("button", name="Allow").click()
    here = site.redeem(at_the_app(page))
    page.goto(f"{site.root}/auth/manage")
    look(page, "manage", "Connected apps")
    of_the_first = page.get_by_role("article").filter(has_text="Yes, it may go on")
    expect(of_the_first).to_contain_text("Elsa Sjögren")
    expect(of_the_first).to_contain_text("health goals")
    of_the_first.get_by_role("link", name="End access of Growth Charts").click()
    look(page, "revoke", "End access of Growth Charts?")
    page.get_by_role("button", name="End access").click()
    look(page, "manage-ended", page.get_by_text("The app can no longer use your access."))
    site.token("Growth Charts", 400, grant_type="refresh_token", refresh_token=away["refresh_token"])
    until_refused(site, away["access_token"])
    assert site.get("Patient", here["access_token"]).status_code == 200
    page.get_by_role("link", name="End access of Growth Charts").click()
    heading(page, "End access of Growth Charts?")
    page.get_by_role("button", name="End access").click()
    expect(page.get_by_text("No app uses your access now.")).to_be_visible()
    until_refused(site, here["access_token"])


def test_all_access_is_ended_at_once_and_signing_out_ends_what_lasts_as_long(page, site):
    page.goto(f"{site.root}/auth/manage")
    sign_in(page, "elsa")
    heading(page, "Connected apps")
    tokens = []
    for scope in ("patient/Patient.r offline_access", "patient/Patient.rs", "patient/*.rs online_access"):
        page.goto(site.authorize(scope))
        page.get_by_role("button", name="Allow").click()
        tokens.append(site.redeem(at_the_app(page)))
    page.goto(f"{site.root}/auth/manage")
    page.get_by_role("button", name="Sign out", exact=True).click()
    look(page, "signed-out", "You are signed out")
    site.token("Growth Charts", 400, grant_type="refresh_token", refresh_token=tokens[2]["refresh_token"])
    page.get_by_role("link", name="Sign in again").click()
    sign_in(page, "elsa")
    page.get_by_role("link", name="End access of all apps").click()
    look(page, "revoke-all", "End access of all apps?")
    page.get_by_role("button", name="End access").click()
    expect(page.get_by_text("No app uses your access now.")).to_be_visible()
    site.token("Growth Charts", 400, grant_type="refresh_token", refresh_token=tokens[0]["refresh_token"])
    for answer in tokens:
        until_refused(site, answer["access_token"])


def test_a_user_signs_out_everywhere_else(page, site, new_context):
    elsewhere = new_context().new_page()
    for each in (elsewhere, page):
        each.goto(f"{site.root}/auth/manage")
        sign_in(each, "stanislaw")
        heading(each, "Connected apps")
    page.get_by_role("button", name="Sign out everywhere else").click()
    expect(page.get_by_text("You are signed out everywhere else.")).to_be_visible()
    elsewhere.reload()
    heading(elsewhere, "Sign in")
