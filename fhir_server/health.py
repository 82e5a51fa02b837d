"""Health: whether the process lives, and whether it can do its work."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from fhir_server.store.database import Database


class HealthSchema(Schema):
    """The state of the server, `ok` or `unavailable`, in one word."""

    status = fields.String(required=True)


def health_blueprint(database: Database) -> Blueprint:
    """`/healthz` and `/readyz`."""
    blueprint = Blueprint("health", __name__, description="Whether the server lives and works")

    @blueprint.route("/healthz")
    class Alive(MethodView):
        @blueprint.response(200, HealthSchema)
        def get(self) -> dict[str, Any]:
            """The process answers"""
            return {"status": "ok"}

    @blueprint.route("/readyz")
    class Ready(MethodView):
        @blueprint.response(200, HealthSchema)
        @blueprint.alt_response(503, schema=HealthSchema, description="The database cannot be reached")
        def get(self) -> Any:
            """The database answers and takes writes"""
            if database.is_reachable():
                return {"status": "ok"}
            return {"status": "unavailable"}, 503

    return blueprint
