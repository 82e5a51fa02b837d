"""What the checks of SMART work with: the configuration, HTTP clients, discovery, and launches, each made once and kept."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx

from conformance.api import Api
from conformance.browser import Arrived, Browser
from conformance.check import Failure
from conformance.html_forms import Control
from conformance.http_log import HttpLog, recorded_client
from conformance.smart.client_credentials import credentials
from conformance.smart.configuration import App, Configuration, Person
from conformance.smart.launch import (
    Authorization,
    Launched,
    Wanted,
    challenge_of,
    described,
    json_of,
    new_verifier,
    parameters_of,
)
from conformance.smart.visit import Choices, visit
from conformance.statement import Statement

TIMEOUT_SECONDS = 60
BACKEND_SCOPE = "system/*.rs"


class SmartContext:
    """One a run. Close it in the end. options: of the HTTP clients, such as `verify`."""

    def __init__(self, configuration: Configuration, **options: Any) -> None:
        self.configuration = configuration
        self.log = HttpLog(configuration.secrets())
        self.notes: list[str] = []
        self.statement = Statement()  # the checks of SMART look for claims in discovery
        self._options = {"timeout": TIMEOUT_SECONDS, **options}
        self.http = recorded_client(self.log, **self._options)
        self._browsers: dict[str, tuple[httpx.Client, Browser]] = {}
        self._launches: dict[Wanted, Launched | Failure] = {}
        self._backend_tokens: dict[str, dict[str, Any]] = {}
        self._discovered: dict[str, Any] | None = None

    def __enter__(self) -> SmartContext:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
        for client, _browser in self._browsers.values():
            client.close()

    def discovered(self) -> dict[str, Any]:
        """`.well-known/smart-configuration`. Raises a Failure where there is none."""
        if self._discovered is None:
            address = f"{self.configuration.base_url}/.well-known/smart-configuration"
            self._discovered = json_of(self.http.get(address, headers={"Accept": "application/json"}))
        return self._discovered

    def endpoint(self, name: str) -> str:
        """The address of `token_endpoint` and the like. Raises a Failure where discovery names none."""
        address = self.discovered().get(name)
        if not isinstance(address, str) or not address:
            raise Failure(f"The SMART configuration names no {name}.")
        return address

    def api(self, token: str | None) -> Api:
        """The FHIR API with an access token, or without one."""
        return Api(self.http, self.configuration.base_url, token)

    def browser(self, person: str) -> Browser:
        """A browser in which one of the configured people signs in; always the same one."""
        if person not in self._browsers:
            settings = self.configuration
            apps = (settings.public, settings.symmetric, settings.asymmetric)
            stops = [address for app in apps for address in (app.redirect_uri, app.launch_uri) if address]
            client = recorded_client(self.log, follow_redirects=False, **self._options)
            self._browsers[person] = (client, Browser(client, stops))
        return self._browsers[person][1]

    def person(self, name: str) -> Person:
        """`patient` or `practitioner`."""
        person: Person = getattr(self.configuration, name)
        return person

    def choices(self, wanted: Wanted) -> Choices:
        """How the user of a launch answers what the pages ask."""
        settings = self.configuration

        def tick(control: Control) -> bool | None:
            if control.value in wanted.tick:
                return True
            return False if control.value.startswith(wanted.untick) and wanted.untick else None

        records = (settings.own_patient, settings.own_encounter, settings.app(wanted.app).launch_uri)
        chosen = tuple(record for record in records if record)
        return Choices(self.person(wanted.person), chosen, settings.patient_search, tick, wanted.refuses)

    def start(self, wanted: Wanted) -> str:
        """Start an app at the launch page; the address of the app that the browser was sent to."""
        browser = self.browser(wanted.person)
        end = visit(browser, browser.open(self.configuration.launch_page), self.choices(wanted)).end
        if not isinstance(end, Arrived):
            raise Failure(f"The app could not be started from the launch page: {described(end)}.")
        return end.url

    def authorize(self, wanted: Wanted, **changed: str | None) -> Authorization:
        """Make an authorization request and go through its pages.

        changed: parameters in place of the right ones, or beside them; None leaves one out.
        """
        app, verifier = self.configuration.app(wanted.app), new_verifier()
        launched_at = self.start(wanted) if wanted.is_ehr else ""
        given = parameters_of(launched_at)
        parameters = {
            "response_type": "code",
            "client_id": app.client_id,
            "redirect_uri": app.redirect_uri,
            "scope": wanted.scope,
            "state": secrets.token_urlsafe(16),
            "aud": given.get("iss", self.configuration.base_url),
            "launch": given.get("launch"),
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
            **changed,
        }
        sent = {name: value for name, value in parameters.items() if value is not None}
        browser, address = self.browser(wanted.person), self.endpoint("authorization_endpoint")
        if wanted.by_post:
            at = browser.post(address, list(sent.items()))
        else:
            at = browser.open(f"{address}{'&' if '?' in address else '?'}{urlencode(sent)}")
        done = visit(browser, at, self.choices(wanted))
        answer = parameters_of(done.end.url) if isinstance(done.end, Arrived) else {}
        return Authorization(wanted, sent, verifier, done, answer, launched_at)

    def exchange(self, authorization: Authorization, **changed: str | None) -> httpx.Response:
        """Exchange the code of an authorization. changed: as for `authorize`."""
        app = self.configuration.app(authorization.wanted.app)
        form = {
            "grant_type": "authorization_code",
            "code": authorization.code,
            "redirect_uri": app.redirect_uri,
            "code_verifier": authorization.verifier,
            **changed,
        }
        return self.token_request(app, form)

    def token_request(self, app: App, form: Mapping[str, str | None]) -> httpx.Response:
        """Post to the token endpoint as an app. form: members; None leaves one out."""
        address = self.endpoint("token_endpoint")
        proof, headers = credentials(app, address)
        if app.kind == "public":
            headers["Origin"] = self.configuration.origin
        data = {name: value for name, value in {**proof, **form}.items() if value is not None}
        return self.http.post(address, data=data, headers=headers)

    def fresh(self, wanted: Wanted) -> Launched:
        """A launch of a check's own, which it may spoil. Raises a Failure where it does not lead to a token."""
        authorization = self.authorize(wanted)
        response = self.exchange(authorization)
        return Launched(authorization, response, json_of(response))

    def launched(self, wanted: Wanted) -> Launched:
        """A launch that checks share. Raises the Failure that it ended with, each time."""
        if wanted not in self._launches:
            try:
                self._launches[wanted] = self.fresh(wanted)
            except Failure as failure:
                self._launches[wanted] = failure
        found = self._launches[wanted]
        if isinstance(found, Failure):
            raise found
        return found

    def forget_launches(self) -> None:
        """Make launches anew from now on, because their tokens were revoked."""
        self._launches.clear()

    def as_patient(self, scope: str) -> Api:
        """The API for an app that the patient launched with a scope, for their own record."""
        return self.api(self.launched(Wanted(app="public", scope=scope)).access_token)

    def as_practitioner(self, scope: str = "user/*.cruds") -> Api:
        """The API for an app that the practitioner launched, who sees both patients."""
        return self.api(self.launched(Wanted(app="symmetric", scope=scope, person="practitioner")).access_token)

    def refresh(self, wanted: Wanted, refresh_token: str, scope: str | None = None) -> httpx.Response:
        """Use a refresh token of a launch."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "scope": scope}
        return self.token_request(self.configuration.app(wanted.app), form)

    def backend(self, scope: str = BACKEND_SCOPE) -> dict[str, Any]:
        """The answer of the token endpoint to the backend app."""
        if scope not in self._backend_tokens:
            form = {"grant_type": "client_credentials", "scope": scope}
            self._backend_tokens[scope] = json_of(self.token_request(self.configuration.backend, form))
        return self._backend_tokens[scope]

    def ends_soon(self, token: str) -> bool:
        """Whether an access token is refused within the configured time."""
        deadline = time.monotonic() + self.configuration.revoked_within
        address = f"Patient/{self.configuration.own_patient}"
        while True:
            if self.api(token).get(address).status_code in (401, 403, 404):
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(0.25)
