"""The pages in a real browser: every step can be done, nothing is blocked, and axe-core finds nothing to object to.

https://www.w3.org/TR/WCAG22/

FHIR_TEST_SHOTS=folder keeps a picture of every page in both colour schemes and two widths.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask, redirect, request
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from werkzeug.serving import BaseWSGIServer, make_server

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="There is no Chromium (apt-get install chromium)")

RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}
WIDTHS = (1280, 320)
PASSWORD = "correct horse battery"
EVERYTHING = (
    "openid fhirUser launch/patient launch/encounter offline_access online_access patient/Patient.rs patient/Condition.rs "
    "patient/Observation.rs patient/MedicationRequest.cruds patient/AllergyIntolerance.rs patient/Immunization.rs "
    "patient/Claim.s user/Practitioner.rs nonsense https://app.example.org/own"
)


@dataclass
class Site:
    """Our pages and an app, each at a port of its own."""

    world: Any
    root: str
    app: str
    client: Any
    problems: list[str] = field(default_factory=list)

    def authorize(self, **changed: str | None) -> str:
        changed = {"redirect_uri": f"{self.app}/callback", "aud": f"{self.root}/fhir", **changed}
        return f"{self.root}/auth/authorize?{urlencode(self.world.request(self.client, **changed))}"


def app_that_sends_its_users_on() -> Flask:
    """An app as many are: one address takes the launch or the code, and the user ends at another origin of the app."""
    app = Flask("app")

    @app.get("/launch")
    def launch() -> Any:
        return redirect(app.config["AUTHORIZE"](request.args["launch"]))

    @app.get("/callback")
    def callback() -> Any:
        return redirect(f"http://localhost:{app.config['OTHER']}/welcome?{request.query_string.decode()}")

    @app.get("/welcome")
    def welcome() -> str:
        return "<!doctype html><title>Welcome</title>Welcome to the app"

    return app


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[[Flask], BaseWSGIServer]]:
    running: list[tuple[BaseWSGIServer, threading.Thread]] = []

    def start(app: Flask) -> BaseWSGIServer:
        server = make_server("127.0.0.1", 0, app, threaded=True)
        server.log_startup = lambda: None
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        running.append((server, thread))
        return server

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join(10)
        server.server_close()


@pytest.fixture(scope="module")
def site(make_world: Callable[..., Any], serve: Callable[[Flask], BaseWSGIServer]) -> Site:
    front = Flask("front")  # the port is known only once something listens at it
    port = serve(lambda *call: front.config["APP"](*call)).server_port
    root = f"http://localhost:{port}"
    world = make_world(f"{root}/fhir")
    front.config["APP"] = world.app
    app = app_that_sends_its_users_on()
    address = f"http://127.0.0.1:{serve(app).server_port}"
    app.config["OTHER"] = serve(app).server_port
    client = world.client(
        name="Growth Charts",
        publisher="Example Health Apps, Inc.",
        redirect_uris=[f"{address}/callback"],
        launch_uris=[f"{address}/launch"],
        policy_uri="https://app.example.org/privacy",
        tos_uri="https://app.example.org/terms",
        scope=(
            "openid fhirUser launch launch/patient launch/encounter offline_access online_access "
            "https://app.example.org/own patient/*.cruds user/*.cruds"
        ),
    )
    site = Site(world, root, address, client)
    app.config["AUTHORIZE"] = lambda launch: site.authorize(launch=launch, scope="launch openid patient/Goal.rs")
    return site


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, site: Site) -> Iterator[Page]:
    """A tab in which nothing may be blocked and nothing may come from elsewhere."""
    page = context.new_page()
    site.problems.clear()

    def note(message: Any) -> None:
        # Chromium reports every answer of 400 and more as an error of the page; those are wanted.
        if message.type == "error" and "Failed to load resource" not in message.text:
            site.problems.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: site.problems.append(str(error)))
    yield page
    assert site.problems == []


def look(page: Page, name: str) -> None:
    """Check a page as it is shown, in both colour schemes, on a screen and on a small phone."""
    shots = os.environ.get("FHIR_TEST_SHOTS")
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            found += [
                (scheme, width, rule["id"], [node["html"] for node in rule["nodes"]])
                for rule in Axe().run(page, options=RULES).response["violations"]
            ]
            overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if overflow > 0:
                found.append((scheme, width, "wider than the screen", [f"{overflow} px"]))
            if shots:
                page.screenshot(path=Path(shots) / f"{name}-{scheme}-{width}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 900})
    assert found == []
    assert page.evaluate("document.querySelectorAll('h1').length") == 1


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def code_in(page: Page) -> str:
    return parse_qs(urlsplit(page.url).query)["code"][0]


def test_the_whole_way_to_the_app_and_every_page_on_it(page, site):
    page.goto(site.authorize(scope=EVERYTHING))
    look(page, "sign-in")
    sign_in(page, "ines", "wrong")
    page.locator("#problem:focus").wait_for()
    look(page, "sign-in-problem")
    sign_in(page, "ines")
    page.wait_for_url("**/auth/continue*")
    look(page, "patient")
    page.get_by_label("Search for a patient").fill("nobody at all")
    page.get_by_role("button", name="Search").click()
    look(page, "patient-none")
    page.get_by_label("Search for a patient").fill("rosalía")
    page.get_by_role("button", name="Search").click()
    look(page, "patient-found")
    page.get_by_role("button", name="Rosalía Inés Castañeda").click()
    look(page, "encounter")
    page.get_by_role("button", name="Outpatient visit").click()
    look(page, "consent")
    for summary in page.locator("summary").all():
        summary.click()
    look(page, "consent-open")
    for box in page.get_by_role("checkbox").all():
        box.uncheck()
    page.get_by_role("button", name="Allow").click()
    page.locator("#problem:focus").wait_for()
    look(page, "consent-problem")
    page.get_by_label("Laboratory results").check()
    page.get_by_label("Your name").check()
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url("**/welcome*")
    scope = site.world.grant_of(code_in(page)).scope
    assert (
        "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory" in scope
    )
    assert "patient/Observation.rs " not in f"{scope} "


def test_denying_leads_to_the_app_too(page, site):
    page.goto(site.authorize(scope="patient/Goal.rs"))
    sign_in(page, "rosalia")
    page.get_by_role("button", name="Deny").click()
    page.wait_for_url("**/welcome*")
    assert "error=access_denied" in page.url


def test_everything_and_everybody_is_asked_for_in_words(page, site):
    page.goto(site.authorize(scope="openid patient/*.cruds user/*.rs"))
    sign_in(page, "linnea")
    look(page, "patient-family")
    page.get_by_role("button", name="Åke").click()
    look(page, "consent-everything")


def test_the_way_without_scripts(chromium, site):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site.authorize(scope="launch/patient patient/Goal.rs offline_access"))
    sign_in(page, "ines")
    page.get_by_role("button", name="Åke").click()
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url("**/welcome*")
    assert site.world.grant_of(code_in(page)).context.patient == "ake"
    context.close()


def test_a_request_posted_by_the_app_s_page_finds_the_session(page, site):
    page.goto(f"{site.root}/auth/manage")
    sign_in(page, "rosalia")
    page.goto(f"{site.app}/welcome")
    fields = site.world.request(
        site.client, redirect_uri=f"{site.app}/callback", aud=f"{site.root}/fhir", scope="patient/Goal.rs"
    )
    inputs = "".join(f'<input name="{name}" value="{value}">' for name, value in fields.items())
    form = f'<form method="post" action="{site.root}/auth/authorize">{inputs}<button>Go</button></form>'
    page.evaluate("markup => { document.body.innerHTML = markup }", form)
    page.get_by_role("button", name="Go").click()
    page.get_by_role("heading", name="Allow Growth Charts").wait_for()


def test_connected_apps_are_shown_and_ended(page, site):
    page.goto(site.authorize(scope="launch/patient patient/Goal.cruds patient/Observation.rs offline_access"))
    sign_in(page, "rosalia")
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url("**/welcome*")
    page.goto(site.authorize(scope="openid patient/*.rs online_access"))
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url("**/welcome*")
    page.goto(f"{site.root}/auth/manage")
    look(page, "manage")
    page.get_by_role("link", name="End access of Growth Charts").first.click()
    look(page, "revoke")
    page.get_by_role("button", name="End access").click()
    look(page, "manage-ended")
    page.get_by_role("link", name="End access of all apps").or_(
        page.get_by_role("link", name="End access")
    ).first.click()
    page.get_by_role("button", name="End access").click()
    look(page, "manage-empty")
    page.get_by_role("button", name="Sign out", exact=True).click()
    look(page, "signed-out")


@pytest.mark.parametrize("where", ["Start here", "Start in a new tab"])
def test_an_app_is_started_from_here(context, page, site, where):
    page.goto(f"{site.root}/auth/launch")
    sign_in(page, "ines")
    if where == "Start here":
        look(page, "launch-patient")
    page.get_by_role("button", name="Rosalía").click()
    if where == "Start here":
        look(page, "launch-app")
        page.get_by_label("What the app is opened for").fill("two words")
        page.get_by_label("Growth Charts").check()
        page.get_by_role("button", name=where).click()
        look(page, "launch-problem")
        page.get_by_label("What the app is opened for").fill("")
    page.get_by_label("Growth Charts").check()
    page.get_by_label("Outpatient visit").check()
    if where == "Start here":
        page.get_by_role("button", name=where).click()
        target = page
    else:
        with context.expect_page() as opened:
            page.get_by_role("button", name=where).click()
        target = opened.value
        assert target.evaluate("window.opener") is None
    target.get_by_role("heading", name="Allow Growth Charts").wait_for()
    target.get_by_role("button", name="Allow").click()
    target.wait_for_url("**/welcome*")
    launched = site.world.grant_of(code_in(target)).context
    assert (launched.patient, launched.encounter, launched.need_patient_banner) == ("rosalia", "visit-2", True)


def test_errors_are_pages_too(page, site):
    page.goto(site.authorize(client_id="unknown"))
    look(page, "error")


def test_the_focus_is_visible_on_everything_that_can_have_it(page, site):
    page.goto(site.authorize(scope=EVERYTHING))
    sign_in(page, "rosalia")
    page.get_by_role("button", name="Outpatient visit").click()
    page.get_by_role("heading", name="Allow Growth Charts").wait_for()
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
