"""The demo's app: a small SMART app of our own, served beside the API, to see both kinds of launch at work.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html

It knows of the server only what any other app does, and is registered like any other.
"""

from __future__ import annotations

from importlib.resources import files

from flask import Blueprint, Flask, Response, abort, render_template

from smart_auth.clients.commands import add_client
from smart_auth.services import AuthServices

CLIENT_ID = "demo-app"
PATH = "/demo-app"
SCOPE = "launch launch/patient openid fhirUser online_access patient/*.rs"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


def add_demo_app(services: AuthServices) -> None:
    """Register the app, unless it is."""
    if services.store.clients.find(CLIENT_ID) is not None:
        return
    address = f"{services.settings.root}{PATH}"
    add_client(
        services,
        "Chart at a glance",
        "public",
        client_id=CLIENT_ID,
        scope=SCOPE,
        redirect_uris=[f"{address}/"],
        launch_uris=[f"{address}/launch"],
        publisher="fhir-server (demo)",
        is_demo=True,
    )


def is_registered(services: AuthServices) -> bool:
    """Whether the app is there to be used."""
    client = services.store.clients.find(CLIENT_ID)
    return client is not None and client.is_active


def register_demo_app(app: Flask, services: AuthServices) -> None:
    """Serve the app's page and script, where the app is registered."""
    blueprint = Blueprint("demo_app", __name__)
    script = (files("fhir_server") / "pages" / "demo_app.js").read_bytes()

    @blueprint.before_request
    def only_in_the_demo() -> None:
        if not is_registered(services):
            abort(404)

    @blueprint.get(f"{PATH}/")
    @blueprint.get(f"{PATH}/launch")
    def page() -> Response:
        settings = services.settings
        text = render_template(
            "demo_app.html", fhir_base=settings.fhir_base, root=settings.root, client_id=CLIENT_ID, scope=SCOPE
        )
        return Response(text, content_type="text/html; charset=utf-8")

    @blueprint.get(f"{PATH}/app.js")
    def code() -> Response:
        return Response(script, content_type="text/javascript; charset=utf-8")

    @blueprint.after_request
    def safe(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        return response

    app.register_blueprint(blueprint)
