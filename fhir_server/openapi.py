"""The OpenAPI document and its page: the FHIR API from the table of interactions, the rest from its own blueprints.

https://spec.openapis.org/oas/v3.0.3
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from flask import Flask, Response, send_from_directory
from flask_smorest import Api, Blueprint
from swagger_ui_bundle import swagger_ui_path

from capability.interactions_table import INTERACTIONS, Interaction
from fhir_server.media_types import FHIR_JSON, FHIR_XML, FORM, JSON_PATCH, PATCH_TYPES
from fhir_server.routes import IdConverter, TypeConverter, endpoint_of
from resources.definitions import resource_types

DESCRIPTIONS = {
    200: "As asked",
    201: "Created",
    202: "Taken on; how far it is can be read",
    204: "Done; nothing to say",
    304: "Not modified",
}
ID_PATTERN = r"^[A-Za-z0-9\-\.]{1,64}$"


def register_openapi(app: Flask, blueprints: Sequence[Blueprint]) -> None:
    """Serve `/openapi.json` and the page `/docs`, and register the blueprints."""
    app.config.update(
        API_TITLE="fhir-server",
        API_VERSION=version("fhir-server"),
        OPENAPI_VERSION="3.0.3",
        OPENAPI_URL_PREFIX="/",
        OPENAPI_JSON_PATH="openapi.json",
        OPENAPI_SWAGGER_UI_PATH="/docs",
        OPENAPI_SWAGGER_UI_URL="/docs/assets/",  # from the installed package: no page here loads anything from elsewhere
    )
    api = Api(app)
    for blueprint in blueprints:
        api.register_blueprint(blueprint)
    for name, schema in _schemas().items():
        api.spec.components.schema(name, schema)
    api.register_converter(TypeConverter, lambda _: {"type": "string", "enum": sorted(resource_types())})
    api.register_converter(IdConverter, lambda _: {"type": "string", "pattern": ID_PATTERN})
    rows = {endpoint_of(row): row for row in INTERACTIONS}
    for rule in app.url_map.iter_rules():
        row = rows.get(rule.endpoint)
        if row is not None:
            api.spec.path(rule=rule, operations={row.method.lower(): _operation(row)})

    @app.get("/docs/assets/<path:name>")
    def _assets(name: str) -> Response:
        return send_from_directory(Path(swagger_ui_path), name, max_age=86400)


RESOURCE: Final[dict[str, Any]] = {"$ref": "#/components/schemas/Resource"}
OUTCOME: Final[dict[str, Any]] = {"$ref": "#/components/schemas/OperationOutcome"}
# The parameters that shape an answer; those that select are in the CapabilityStatement, type by type.
SHAPING: Final[dict[str, dict[str, Any]]] = {
    "_format": {"type": "string", "enum": ["json", "xml", FHIR_JSON, FHIR_XML]},
    "_pretty": {"type": "boolean"},
}
SEARCHING: Final[dict[str, dict[str, Any]]] = {
    "_count": {"type": "integer", "minimum": 0, "maximum": 1000},
    "_elements": {"type": "string", "description": "Names of elements, separated by commas"},
    "_id": {"type": "string"},
    "_lastUpdated": {"type": "string", "description": "A date, with a prefix such as ge"},
    "_sort": {"type": "string", "description": "Parameters, separated by commas; a minus turns the order round"},
    "_summary": {"type": "string", "enum": ["true", "text", "data", "count", "false"]},
    "_total": {"type": "string", "enum": ["none", "estimate", "accurate"]},
}


def _schemas() -> dict[str, dict[str, Any]]:
    """What is said of resources here; the rest is in R4's own definitions."""
    severities = ["fatal", "error", "warning", "information"]
    issue = {
        "type": "object",
        "required": ["severity", "code"],
        "properties": {
            "severity": {"type": "string", "enum": severities},
            "code": {"type": "string"},
            "diagnostics": {"type": "string"},
            "expression": {"type": "array", "items": {"type": "string"}},
        },
    }
    named = {"type": "string", "enum": sorted(resource_types())}
    return {
        "Resource": {"type": "object", "required": ["resourceType"], "properties": {"resourceType": named}},
        "OperationOutcome": {
            "type": "object",
            "required": ["resourceType", "issue"],
            "properties": {
                "resourceType": {"type": "string", "enum": ["OperationOutcome"]},
                "issue": {"type": "array", "minItems": 1, "items": issue},
            },
        },
    }


def _operation_id(row: Interaction) -> str:
    place: str = "compartment" if "{compartment}" in row.path else row.level
    if row.type is not None:
        place += f"_{row.type}"
    return f"{row.name}_{place}_{row.method.lower()}"


def _operation(row: Interaction) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(row),
        "summary": row.summary,
        "tags": ["FHIR"],
        "responses": {
            **{str(status): _response(status) for status in row.success},
            "default": {"description": "An OperationOutcome that says what is wrong", "content": _content(OUTCOME)},
        },
        "parameters": [{"in": "query", "name": n, "schema": schema} for n, schema in _parameters(row).items()],
    }
    if row.method == "PATCH":
        schemas = {
            media_type: {"type": "array"} if media_type == JSON_PATCH else RESOURCE for media_type in PATCH_TYPES
        }
        content = {media_type: {"schema": schemas[media_type]} for media_type in sorted(schemas)}
        operation["requestBody"] = {"required": True, "content": content}
    elif row.method in ("POST", "PUT"):
        media_type = FORM if row.path.endswith("_search") else FHIR_JSON
        content = {FORM: {"schema": {"type": "object"}}} if media_type == FORM else _content(RESOURCE)
        is_optional = media_type == FORM or "$" in row.path
        operation["requestBody"] = {"required": not is_optional, "content": content}
    return operation


def _parameters(row: Interaction) -> dict[str, dict[str, Any]]:
    """Name → schema of what may stand in the query of an interaction."""
    is_search = row.name in ("search", "search_system") and row.method == "GET"
    return {**SHAPING, **(SEARCHING if is_search else {})}


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    """A resource in its two forms; of XML nothing is said but that it is text."""
    return {FHIR_JSON: {"schema": schema}, FHIR_XML: {"schema": {"type": "string"}}}


def _response(status: int) -> dict[str, Any]:
    response: dict[str, Any] = {"description": DESCRIPTIONS[status]}
    if status in (200, 201, 202):
        response["content"] = _content(RESOURCE)
    return response
