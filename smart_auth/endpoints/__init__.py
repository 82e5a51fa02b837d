"""The HTTP endpoints of the protocol: tokens, documents, registration. Pages for people are elsewhere."""

from __future__ import annotations

from flask import Blueprint, Flask

from smart_auth.endpoints.public_documents import register_public_documents
from smart_auth.endpoints.registration import register_registration
from smart_auth.endpoints.token_endpoints import register_token_endpoints
from smart_auth.services import AuthServices

__all__ = ["register_endpoints"]


def register_endpoints(app: Flask, services: AuthServices) -> None:
    """Mount all endpoints of the protocol on an application, at `/auth/...` and the `.well-known` addresses."""
    blueprint = Blueprint("smart_auth", __name__)
    register_public_documents(blueprint, services)
    register_token_endpoints(blueprint, services)
    register_registration(blueprint, services)
    app.register_blueprint(blueprint)
