"""The authorization server as part of this process: its services, and its endpoints on the application."""

from __future__ import annotations

from flask import Flask

from fhir_server.audit.journal import Journal, audit_folder
from fhir_server.audit.requests import RequestAudit
from fhir_server.audit.security import security_audit
from fhir_server.auth_settings import make_auth_settings
from fhir_server.demo_app import register_demo_app
from fhir_server.page_records import StoredRecords
from fhir_server.services import Services, new_id, system_clock
from fhir_server.settings import Settings
from fhir_server.store.database import Database
from smart_auth.endpoints import register_endpoints
from smart_auth.people.mounting import register_people
from smart_auth.people.sessions import session_check
from smart_auth.services import AuthServices
from smart_auth.store import AuthStore


def auth_services(settings: Settings, database: Database, journal: Journal) -> AuthServices | None:
    """The services of the authorization server; None where it is off. journal: of the audit."""
    if not settings.auth:
        return None
    return make_auth_services(settings, database, journal)


def make_auth_services(settings: Settings, database: Database, journal: Journal | None = None) -> AuthServices:
    """The services of the authorization server, whether requests need a token or not. journal: this process's, if any."""
    addresses = make_auth_settings(settings)
    store = AuthStore(database.mongo)
    audit = security_audit(journal or Journal(audit_folder(settings), new_id), system_clock)
    return AuthServices(addresses, store, audit=audit, is_session_live=session_check(store, system_clock))


def register_authorization(
    app: Flask, auth: AuthServices | None, services: Services, audit: RequestAudit | None
) -> None:
    """Mount the endpoints and pages, if authorization is on."""
    if auth is not None:
        register_endpoints(app, auth)
        register_people(app, auth, StoredRecords(services, audit))
        register_demo_app(app, auth)
