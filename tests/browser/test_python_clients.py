"""The two FHIR clients that Python people use, as their authors published them.

fhirclient finds the endpoints in the CapabilityStatement, and sends its id in the body and by Basic. fhirpy is given a
token.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import fhirpy
import pytest
from fhirclient.client import FHIRClient
from fhirclient.models.observation import Observation
from fhirclient.models.patient import Patient
from fhirclient.server import FHIRNotFoundException, FHIRPermissionDeniedException, FHIRUnauthorizedException
from fhirpy.base.exceptions import AuthorizationError, OperationOutcome, ResourceNotFound

from tests.browser.people import at_the_app, heading, sign_in

pytestmark = pytest.mark.xdist_group("browser")


def signed_in(client: FHIRClient, page, name: str) -> FHIRClient:
    """The client after its user has signed in and allowed it all."""
    page.goto(client.authorize_url)
    sign_in(page, name)
    heading(page, "to use health records?")
    page.get_by_role("button", name="Allow").click()
    # The app's address is where the browser came by; what it was given there is what the client gets.
    query = urlsplit(at_the_app(page)).query
    client.handle_callback(f"{client.redirect}?{query}")
    return client


@pytest.fixture(scope="module", params=["public", "confidential-symmetric"])
def app(request, site):
    scope = "openid fhirUser launch/patient offline_access patient/*.rs"
    made = site.register(f"Python app, {request.param}", request.param, scope, "--redirect-uri", site.callback)
    return {
        "app_id": made["client_id"],
        "app_secret": made.get("client_secret"),
        "api_base": site.server.base_url,
        "redirect_uri": site.callback,
        "scope": scope,
    }


def test_fhirclient_signs_a_patient_in_reads_and_refreshes(page, app):
    client = signed_in(FHIRClient(settings=app), page, "rosalia")
    assert client.ready
    assert client.human_name(client.patient.name[0]).endswith("Castañeda")
    found = Observation.where({"subject": "Patient/rosalia", "_sort": "_id"}).perform_resources_iter(client.server)
    assert [each.id for each in found] == ["glucose", "weight"]
    before = client.server.auth.access_token
    client.reauthorize()
    assert client.server.auth.access_token != before
    assert Patient.read("rosalia", client.server).birthDate.isostring == "1969-03-05"
    with pytest.raises(FHIRNotFoundException):
        Patient.read("ake", client.server)
    with pytest.raises(FHIRPermissionDeniedException):
        client.server.request_json("AuditEvent")
    client.server.auth.access_token = "no-longer-good"
    with pytest.raises(FHIRUnauthorizedException):
        Patient.read("rosalia", client.server)


@pytest.fixture(scope="module")
def token(site):
    return site.command("token", "--scope", "system/*.cruds").strip()


def test_fhirpy_reads_searches_pages_and_writes_with_a_token(site, token):
    client = fhirpy.SyncFHIRClient(site.server.base_url, authorization=f"Bearer {token}")
    assert client.resources("Patient").search(name="castañeda").get()["id"] == "rosalia"
    everyone = client.resources("Patient").limit(10).fetch_all()
    assert len(everyone) > 25
    assert len({each["id"] for each in everyone}) == len(everyone)
    goal = client.resource(
        "Goal",
        lifecycleStatus="active",
        description={"text": "Walk every day"},
        subject=client.reference("Patient", "stanislaw"),
    ).create()
    goal["lifecycleStatus"] = "completed"
    goal.update()
    again = client.reference("Goal", goal["id"]).to_resource()
    assert (again["lifecycleStatus"], again["meta"]["versionId"]) == ("completed", "2")
    again.delete()
    with pytest.raises(ResourceNotFound):
        client.reference("Goal", goal["id"]).to_resource()
    with pytest.raises(OperationOutcome) as refused:
        client.resource("Goal", lifecycleStatus="nonsense").create()
    assert "nonsense" in str(refused.value)


def test_fhirpy_reads_as_an_asynchronous_client_too(site, token):
    async def read() -> tuple[str, int]:
        # Its count sends a parameter of another server's, which is refused unless the client says to ignore such.
        lenient = {"Prefer": "handling=lenient"}
        client = fhirpy.AsyncFHIRClient(site.server.base_url, authorization=f"Bearer {token}", extra_headers=lenient)
        patient = await client.reference("Patient", "ake").to_resource()
        return patient["birthDate"], await client.resources("Patient").search(name="sjögren").count()

    with ThreadPoolExecutor(1) as apart:  # the browser's driver has its own event loop in this thread
        assert apart.submit(lambda: asyncio.run(read())).result() == ("2019-07-21", 2)


def test_fhirpy_says_that_a_token_is_not_good(site):
    client = fhirpy.SyncFHIRClient(site.server.base_url, authorization="Bearer no-longer-good")
    with pytest.raises(AuthorizationError):
        client.resources("Patient").fetch()
