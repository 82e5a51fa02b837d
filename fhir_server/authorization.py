"""The authorization server as part of this process: its services, and its endpoints on the application."""

from __future__ import annotations

from flask import Flask

from fhir_server.auth_settings import make_auth_settings
from fhir_server.demo_app import register_demo_app
from fhir_server.page_records import StoredRecords
from fhir_server.request_log import log
from fhir_server.services import Services, system_clock
from fhir_server.settings import Settings
from fhir_server.store.database import Database
from smart_auth.endpoints import register_endpoints
from smart_auth.events import Event
from smart_auth.people.mounting import register_people
from smart_auth.people.sessions import session_check
from smart_auth.services import AuthServices
from smart_auth.store import AuthStore


def auth_services(settings: Settings, database: Database) -> AuthServices | None:
    """The services of the authorization server; None where it is off."""
    if not settings.auth:
        return None
    return make_auth_services(settings, database)


def make_auth_services(settings: Settings, database: Database) -> AuthServices:
    """The services of the authorization server, whether requests need a token or not."""
    addresses = make_auth_settings(settings)
    store = AuthStore(database.mongo)
    return AuthServices(addresses, store, audit=_logged, is_session_live=session_check(store, system_clock))


def register_authorization(app: Flask, auth: AuthServices | None, services: Services) -> None:
    """Mount the endpoints and pages, if authorization is on."""
    if auth is not None:
        register_endpoints(app, auth)
        register_people(app, auth, StoredRecords(services))
        register_demo_app(app, auth)


def _logged(event: Event) -> None:
    log(
        "info" if event.succeeded else "warning",
        "authorization",
        code=event.code,
        succeeded=event.succeeded,
        client=event.client_id,
    )
