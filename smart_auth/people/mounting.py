"""Puts the people side on a Flask application: sign-in, authorization, launches, connected apps."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, current_app, got_request_exception, request
from werkzeug.exceptions import HTTPException

from smart_auth.people.authorize_request import MAX_BYTES
from smart_auth.people.authorize_view import Authorization, add_authorize_view
from smart_auth.people.connected_apps_view import ConnectedApps, add_connected_apps_view
from smart_auth.people.desk import Desk
from smart_auth.people.launch_view import LaunchApps, add_launch_view
from smart_auth.people.records import Records
from smart_auth.people.rendering import style_sheet, with_safe_headers
from smart_auth.people.sign_in_view import SignIn, add_sign_in_view
from smart_auth.people.steps_view import Steps, add_steps_view
from smart_auth.services import AuthServices
from smart_auth.store import STORE_FAULTS

RETRY_SECONDS = 5


def register_people(app: Flask, services: AuthServices, records: Records) -> None:
    """Mount the pages at `/auth/...`. services: made in this process; records: where the pages look resources up.

    Errors of these pages are pages, too, and never reach the application's own handlers; faults are told to Flask's signal
    `got_request_exception`, as unhandled ones are.
    """
    desk = Desk(services, records)
    blueprint = Blueprint("people", __name__, url_prefix="/auth")
    authorization = Authorization(desk)
    add_authorize_view(blueprint, authorization)
    add_steps_view(blueprint, Steps(desk, authorization))
    add_sign_in_view(blueprint, SignIn(desk))
    add_connected_apps_view(blueprint, ConnectedApps(desk))
    add_launch_view(blueprint, LaunchApps(desk))
    blueprint.add_url_rule("/style.css", "style", style_sheet, methods=["GET"])
    blueprint.add_url_rule("/", "start", lambda: desk.to_page("manage"), methods=["GET"])
    blueprint.before_request(_limit)
    blueprint.after_request(with_safe_headers)
    _handle_errors(blueprint, desk)
    app.register_blueprint(blueprint)


def _limit() -> None:
    request.max_content_length = MAX_BYTES  # the application's own limit is made for Bundles


def _handle_errors(blueprint: Blueprint, desk: Desk) -> None:
    def no_database(error: Exception) -> Response:
        _tell(error)
        text = "The server cannot reach its database. Try again in a few seconds."
        return desk.error(503, "Not available just now", text, {"Retry-After": str(RETRY_SECONDS)})

    @blueprint.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        return desk.error(error.code or 500, "This request cannot be read", "Go back and try again.")

    @blueprint.errorhandler(Exception)
    def fault(error: Exception) -> Response:
        _tell(error)
        text = "This is a fault of the server and not yours. Try again; if it stays, tell whoever runs the server."
        return desk.error(500, "Something went wrong", text)

    for kind in STORE_FAULTS:
        blueprint.register_error_handler(kind, no_database)


def _tell(error: Exception) -> None:
    """Let the application log a fault that it does not get to see, because it was made a page of here."""
    got_request_exception.send(current_app, exception=error)
