"""Two apps at an origin of their own: one without a script, and one that is nothing but a page with fhirclient in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from string import Template
from typing import Any

from flask import Flask, redirect, request, send_from_directory

from tests.browser.npm_packages import FHIRCLIENT

LIBRARY = "fhir-client.js"

# What the guide of fhirclient tells authors of apps to write.
PAGE = Template(
    """<!doctype html>
<html lang="en">
<title>Own Page</title>
<link rel="icon" href="data:,">
<h1>Own Page</h1>
<p id="state" role="status">Starting</p>
<script src="fhir-client.js"></script>
<script>
const say = text => { document.getElementById("state").textContent = text };
const fail = fault => say("Failed: " + fault);
$script
</script>
"""
)
AUTHORIZE = "FHIR.oauth2.authorize($settings).catch(fail);"
READY = """FHIR.oauth2.ready().then(client => {
  window.client = client;
  return client.patient.read().then(patient => say("The patient is " + patient.name[0].family));
}).catch(fail);"""


def make_apps(settings: dict[str, Any], authorize: Callable[[str], str]) -> Flask:
    """Both apps. settings: filled in later: `client_id`, `iss`, `scope`, `other`; authorize: launch handle → address."""
    app = Flask("apps")
    _add_plain_app(app, settings, authorize)

    def page(script: str) -> str:
        return PAGE.substitute(script=script)

    def authorizing(**more: str) -> str:
        scope = f"{settings['scope']} {'launch/patient launch/encounter' if 'iss' in more else 'launch'}"
        given = {"clientId": settings["client_id"], "scope": scope, "redirectUri": "app", **more}
        return page(Template(AUTHORIZE).substitute(settings=json.dumps(given)))

    app.add_url_rule("/launch", "launch", lambda: authorizing())
    app.add_url_rule("/start", "start", lambda: authorizing(iss=settings["iss"]))
    app.add_url_rule("/app", "ready", lambda: page(READY))
    app.add_url_rule(f"/{LIBRARY}", "library", lambda: send_from_directory(FHIRCLIENT.folder() / "build", LIBRARY))
    return app


def _add_plain_app(app: Flask, settings: dict[str, Any], authorize: Callable[[str], str]) -> None:
    """An app as many are: one address takes the launch or the code, and the user ends at another origin of the app."""

    @app.get("/begin")
    def begin() -> Any:
        return redirect(authorize(request.args["launch"]))

    @app.get("/callback")
    def callback() -> Any:
        return redirect(f"{settings['other']}/welcome?{request.query_string.decode()}")

    @app.get("/welcome")
    def welcome() -> str:
        return '<!doctype html><title>Welcome</title><link rel="icon" href="data:,"><h1>Welcome to the app</h1>'
