"""fhirclient, the library that most SMART apps in browsers use, as its authors published it.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html

The app is a page at an origin of its own, a public client; it sends no `client_id` when it refreshes.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.people import heading, open_chart, sign_in

pytestmark = pytest.mark.xdist_group("browser")

ASK = "Allow Own Page to use health records?"


def allow(page: Page) -> None:
    heading(page, ASK)
    page.get_by_role("button", name="Allow").click()


def run(page: Page, script: str) -> Any:
    """The value of a script that has the library's client."""
    return page.evaluate(f"async () => {{ {script} }}")


@pytest.fixture
def standalone(page, site):
    """The app's page after a standalone launch by a patient."""
    page.goto(f"{site.app}/start")
    sign_in(page, "rosalia")
    page.get_by_role("button", name="No visit in particular").click()
    allow(page)
    expect(page.get_by_role("status")).to_have_text("The patient is Castañeda")
    return page


def test_standalone_launch_reads_what_was_allowed(standalone):
    assert run(standalone, "return [client.patient.id, client.encounter.id, client.getFhirUser()]") == [
        "rosalia",
        None,
        "Patient/rosalia",
    ]
    assert run(standalone, "return (await client.user.read()).id") == "rosalia"
    found = run(standalone, "return (await client.patient.request('Observation', {flat: true})).map(each => each.id)")
    assert sorted(found) == ["glucose", "weight"]


def test_a_refresh_without_client_id_gives_a_new_token_and_keeps_the_context(standalone):
    refreshes: list[Request] = []
    standalone.on("request", lambda sent: refreshes.append(sent) if sent.url.endswith("/auth/token") else None)
    before, after, patient = run(
        standalone,
        """const before = client.state.tokenResponse.access_token
        await client.refresh()
        const patient = (await client.request(`Patient/${client.patient.id}`)).id
        return [before, client.state.tokenResponse.access_token, patient]""",
    )
    assert before != after
    assert patient == "rosalia"
    (refresh,) = (sent for sent in refreshes if sent.method == "POST")
    assert "client_id" not in parse_qs(refresh.post_data or "")


def test_a_401_can_be_read_across_origins_and_is_what_the_library_asks_to_sign_in_again_for(standalone, site):
    status, challenge, issue = run(
        standalone,
        f"""const answer = await fetch("{site.server.base_url}/Patient/rosalia", {{headers: {{Authorization: "Bearer x"}}}})
        return [answer.status, answer.headers.get("WWW-Authenticate"), (await answer.json()).issue[0].code]""",
    )
    assert (status, issue) == (401, "expired")
    assert 'error="invalid_token"' in challenge
    status, text = run(
        standalone,
        """client.state.tokenResponse.access_token = "no-longer-good"
        return client.request("Patient/rosalia").catch(fault => [fault.statusCode, fault.message])""",
    )
    assert status == 401
    assert "Please re-launch the app" in text


def test_the_library_refreshes_by_itself_when_a_token_is_about_to_end(standalone):
    before, after, patient = run(
        standalone,
        """const before = client.state.tokenResponse.access_token
        client.state.expiresAt = 0
        const patient = (await client.request("Patient/rosalia")).id
        return [before, client.state.tokenResponse.access_token, patient]""",
    )
    assert before != after
    assert patient == "rosalia"


def test_other_refusals_can_be_read_across_origins_too(standalone, site):
    codes = run(
        standalone,
        """const paths = ["Patient/ake", "Patient/no-such", "Patient?nonsense=1", "Nonsense", "AuditEvent"]
        return Promise.all(paths.map(path => client.request(path).then(() => 200, fault => fault.statusCode)))""",
    )
    assert codes == [404, 404, 400, 404, 403]


def test_ehr_launch_brings_the_patient_the_visit_and_the_user(page, site):
    open_chart(page, site.root, "ines", "castañeda", "Rosalía")
    page.get_by_label("Own Page").check()
    page.get_by_label("Emergency").check()
    page.get_by_label("What the app is opened for").fill("reconcile-medications")
    page.get_by_role("button", name="Start here").click()
    allow(page)
    expect(page.get_by_role("status")).to_have_text("The patient is Castañeda")
    assert run(page, "return [client.patient.id, client.encounter.id, client.getFhirUser()]") == [
        "rosalia",
        "visit-1",
        "Practitioner/ortega",
    ]
    assert run(page, "return (await client.encounter.read()).reasonCode[0].text") == "Chest pain"
    assert run(page, "return (await client.user.read()).name[0].family") == "Ortega"
    told = run(page, "return client.state.tokenResponse")
    assert told["intent"] == "reconcile-medications"
    assert told["need_patient_banner"] is True
    style = run(page, "return await (await fetch(client.state.tokenResponse.smart_style_url)).json()")
    assert style["color_background"]
    everyone = run(page, "return (await client.request('Patient?_count=100', {flat: true})).length")
    assert everyone > 25


def test_an_app_that_is_denied_is_told_so(page, site):
    page.goto(f"{site.app}/start")
    sign_in(page, "linnea")
    page.get_by_role("button", name="Elsa").click()
    page.get_by_role("button", name="No visit in particular").click()
    heading(page, ASK)
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("status")).to_contain_text("access_denied")
