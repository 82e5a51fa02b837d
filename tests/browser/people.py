"""What people do at the pages."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.site import PASSWORD

# Waits end when what they wait for is there; this is for when it never comes, on a machine with other things to do.
PATIENCE_MS = 30_000


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def heading(page: Page, text: str) -> None:
    """Wait for the page with this heading."""
    expect(page.get_by_role("heading", level=1, name=text)).to_be_visible()


def open_chart(page: Page, root: str, name: str, search: str, patient: str) -> None:
    """Sign in as a practitioner and choose the patient to start an app for. root: of the server; patient: the beginning."""
    page.goto(f"{root}/auth/launch")
    sign_in(page, name)
    page.get_by_label("Search for a patient").fill(search)
    page.get_by_role("button", name="Search").click()
    page.get_by_role("button", name=patient).click()
    heading(page, f"Start an app for {patient}")


def at_the_app(page: Page) -> str:
    """The address at which the browser is back at the app."""
    heading(page, "Welcome to the app")
    return page.url
