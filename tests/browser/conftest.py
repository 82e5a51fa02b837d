"""A browser without a screen, and a running server with people, records and apps for it.

The browser is the Chromium of the system: Playwright drives it, and downloads none.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.browser.apps import make_apps
from tests.browser.people import PATIENCE_MS
from tests.browser.site import Served, Site, prepare
from tests.running_server import RunningServer

NAMES_OF_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
NO_CHROMIUM = "There is no Chromium; install it (Debian, Ubuntu: apt-get install chromium)"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One server for all of these tests: each takes grants of its own, and leaves the records as they are."""
    settings: dict[str, Any] = {"scope": "openid fhirUser offline_access patient/*.rs user/*.rs"}
    app = make_apps(settings, lambda launch: site.authorize("launch openid patient/Goal.rs", launch=launch))
    served, other = Served(app), Served(app)
    server = RunningServer(tmp_path_factory.mktemp("site") / "data", settings={"FHIR_AUTH": "on"})
    site = Site(server, served.address, other.address)
    try:
        prepare(site)
        settings.update(client_id=site.registered["Own Page"]["client_id"], iss=server.base_url, other=other.address)
        yield site
    finally:
        server.stop()
        served.stop()
        other.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, NAMES_OF_CHROMIUM)), None)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(NO_CHROMIUM)
        pytest.skip(NO_CHROMIUM)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage"], timeout=PATIENCE_MS
        )
        yield browser
        browser.close()


@pytest.fixture
def new_context(chromium: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Makes browsers that share nothing with any other."""
    contexts: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        given = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce", **options}
        context = chromium.new_context(**given)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def context(new_context: Callable[..., BrowserContext]) -> Iterator[BrowserContext]:
    """A browser in which no page may have anything blocked, load anything from elsewhere, or raise an error."""
    context = new_context()
    problems: list[str] = []

    def note(message: ConsoleMessage) -> None:
        # Chromium reports every answer of 400 and more as an error of the page; those are wanted.
        if message.type == "error" and "Failed to load resource" not in message.text:
            problems.append(message.text)

    context.on("console", note)
    context.on("weberror", lambda error: problems.append(str(error.error)))
    yield context
    assert problems == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()
