"""The Flask application: put together here from its parts, none of which it knows the inside of."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from flask import Flask, Response

from fhir_server.application import Application, FhirResponse
from fhir_server.audit.journal import Journal, audit_folder
from fhir_server.audit.requests import RequestAudit
from fhir_server.authorization import auth_services, register_authorization
from fhir_server.cors import register_cors
from fhir_server.end_with_parent import end_with_parent
from fhir_server.garbage import collect_seldom
from fhir_server.health import health_blueprint
from fhir_server.openapi import register_openapi
from fhir_server.reindexing.background import start_reindexing
from fhir_server.reply import register_error_handlers
from fhir_server.request_log import register_request_log
from fhir_server.routes import register_routes
from fhir_server.services import Services, services_for
from fhir_server.serving import threads_for
from fhir_server.settings import Settings
from fhir_server.slow_bodies import THREADS_FOR_BODIES, Turns, end_when_stuck
from fhir_server.start_page import register_start_page
from fhir_server.store.database import connect, prepare_guards
from smart_auth.services import AuthServices

FIRST_CLASS_TYPES = ("Patient", "Encounter", "Appointment", "MedicationRequest")


def create_app(services: Services, auth: AuthServices | None = None, audit: RequestAudit | None = None) -> Flask:
    """The application on the given services. auth: None where requests need no token; audit: None where none is kept."""
    app = Application(__name__, template_folder="pages", static_folder=None)
    # A browser that was lured to a foreign name which resolves to this machine must get nothing.
    app.config["TRUSTED_HOSTS"] = trusted_hosts(services.settings)
    app.config["MAX_CONTENT_LENGTH"] = services.settings.max_body_mb * 1024 * 1024
    app.config["MAX_FORM_MEMORY_SIZE"] = app.config["MAX_CONTENT_LENGTH"]
    register_request_log(app, services.settings.log_level)
    register_routes(app, services, auth, audit)
    register_authorization(app, auth, services, audit)
    register_start_page(app, services, auth)
    register_openapi(app, [health_blueprint(services.database)])
    register_error_handlers(app)  # after flask-smorest, which brings handlers of its own
    register_cors(app, services.settings.cors_origins, auth)

    @app.after_request
    def _safety(response: Response) -> Response:
        if not isinstance(response, FhirResponse):  # which has it from its beginning
            response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return app


def trusted_hosts(settings: Settings) -> list[str]:
    """The values of `Host` that are answered: loopback, and the host of the configured base URL."""
    named = urlsplit(settings.base_url).hostname
    return ["localhost", "127.0.0.1", "[::1]", *([named] if named else [])]


def worker_app() -> Turns:
    """The application of one worker process, configured by the environment. Called after the process has started."""
    end_with_parent()
    settings = Settings.from_environ(os.environ)
    if settings.mongodb_uri is None:
        raise RuntimeError("FHIR_MONGODB_URI is not set; start the server with 'fhir-server run'.")
    database = connect(settings.mongodb_uri, settings.database)
    prepare_guards(database)
    services = services_for(settings, database)
    start_reindexing(services)
    journal = Journal(audit_folder(settings), services.new_id)
    auth = auth_services(settings, database, journal)
    app = create_app(services, auth, RequestAudit(journal, settings.audit, services.clock) if auth else None)
    collect_seldom()
    turns = Turns(app, threads_for(settings))
    end_when_stuck(turns.waiting, threads_for(settings) + THREADS_FOR_BODIES)
    return turns
