"""What the server says of itself is what it does: CapabilityStatement and OpenAPI document against the routes.

https://hl7.org/fhir/R4/http.html#capabilities
"""

from __future__ import annotations

import re
from functools import cache
from uuid import uuid4

import httpx
import pytest
from flask import Flask

from capability.interactions_table import INTERACTIONS
from fhir_server.routes import endpoint_of, register_routes
from fhir_server.services import services_for
from fhir_server.settings import Settings
from resources.definitions import resource_types

PLACES = {
    "read": ("GET", "/fhir/{type}/{id}"),
    "vread": ("GET", "/fhir/{type}/{id}/_history/{version}"),
    "update": ("PUT", "/fhir/{type}/{id}"),
    "patch": ("PATCH", "/fhir/{type}/{id}"),
    "delete": ("DELETE", "/fhir/{type}/{id}"),
    "history-instance": ("GET", "/fhir/{type}/{id}/_history"),
    "history-type": ("GET", "/fhir/{type}/_history"),
    "create": ("POST", "/fhir/{type}"),
    "search-type": ("GET", "/fhir/{type}"),
    "search-system": ("GET", "/fhir"),
    "history-system": ("GET", "/fhir/_history"),
    "transaction": ("POST", "/fhir"),
    "batch": ("POST", "/fhir"),
}
# Routes that the statement claims by a flag rather than by a code, and its own.
BESIDE_THE_CODES = {
    ("PUT", "/fhir/{type}"): "conditionalUpdate",
    ("DELETE", "/fhir/{type}"): "conditionalDelete",
    ("PATCH", "/fhir/{type}"): None,
    ("POST", "/fhir/{type}/_search"): None,
    ("POST", "/fhir/_search"): None,
    ("GET", "/fhir/{compartment}/{id}/{type}"): None,
    ("GET", "/fhir/{compartment}/{id}/*"): None,
    ("GET", "/fhir/metadata"): None,
    ("GET", "/fhir/$reindex"): None,
}


@pytest.fixture(scope="module")
def rules():
    """Method and address of every FHIR route of the application, as Flask has them."""
    app = Flask("routes")
    register_routes(app, services_for(Settings.from_environ({}), None))
    return {
        (method, re.sub(r"<\w+:(\w+)>", r"{\1}", rule.rule)): rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/fhir")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }


@pytest.fixture
def statement(client):
    return client.get("/metadata").json()


def rules_for(type_name, rules):
    """The routes that a type has: those for all, and those that name it."""
    return {place for place in rules if place[1].split("/")[2:3] in ([], [type_name]) or not is_a_type(place[1])}


def is_a_type(path):
    return path != "/fhir" and path.split("/")[2] in resource_types()


def operation_places(definitions, client, type_name):
    """The addresses that OperationDefinitions of the server promise."""
    found = set()
    for url in definitions:
        definition = definition_of(url, client)
        of_one = definition["resource"] == [type_name] and not definition["system"]
        level_places = {"system": "", "type": "/{type}", "instance": "/{type}/{id}"}
        needs_body = any(
            each["use"] == "in" and each["min"] and each["type"][0].isupper() for each in definition["parameter"]
        )
        methods = ["POST"] if definition["affectsState"] or needs_body else ["GET", "POST"]
        for level, place in level_places.items():
            if definition[level]:
                path = f"/fhir{place}/${definition['code']}"
                found |= {(method, path.replace("{type}", type_name) if of_one else path) for method in methods}
    return found


@cache
def definition_of(url, client):
    """An OperationDefinition, as the server answers it to whoever asks by its id."""
    answer = client.get(f"/OperationDefinition/{url.rpartition('/')[2]}")
    assert answer.status_code == 200
    assert answer.json()["url"] == url
    return answer.json()


def test_what_is_claimed_is_routed_and_what_is_routed_is_claimed(client, statement, rules):
    [rest] = statement["rest"]
    for resource in rest["resource"]:
        codes = {each["code"] for each in resource["interaction"] + rest["interaction"]}
        flags = {each for each in BESIDE_THE_CODES.values() if each and resource[each] not in (False, "not-supported")}
        claimed = {PLACES[code] for code in codes} | {
            p for p, flag in BESIDE_THE_CODES.items() if not flag or flag in flags
        }
        of_type = {operation["definition"] for operation in resource["operation"]}
        of_system = {operation["definition"] for operation in rest["operation"]}
        assert claimed | operation_places(of_type | of_system, client, resource["type"]) == rules_for(
            resource["type"], rules
        )
    assert set(rules.values()) <= {endpoint_of(row) for row in INTERACTIONS}


def test_every_claimed_interaction_is_answered_for_every_type(client, statement):
    """Addresses of what is not there: an answer about the resource, never 405 or `nothing at this address`."""
    for resource in statement["rest"][0]["resource"][::12]:
        name, logical_id = resource["type"], uuid4()
        answers = [
            client.get(f"/{name}/{logical_id}"),
            client.get(f"/{name}/{logical_id}/_history/1"),
            client.get(f"/{name}/{logical_id}/_history"),
        ]
        assert [answer.status_code for answer in answers] == [404] * 3
        assert not any("nothing at this address" in answer.text for answer in answers)
        assert client.get(f"/{name}/_history").json()["type"] == "history"
        assert client.get(f"/{name}").json()["type"] == "searchset"
        assert client.delete(f"/{name}/{logical_id}").status_code == 204
        assert client.post(f"/{name}").status_code == client.put(f"/{name}/{logical_id}").status_code == 400


def test_every_claimed_search_parameter_is_understood(client, statement):
    for resource in statement["rest"][0]["resource"][::12]:
        for parameter in resource["searchParam"]:
            value = {"date": "2020", "number": "1", "quantity": "1", "special": "1|2|3"}.get(parameter["type"], "x")
            if parameter["type"] == "composite":
                continue  # a value for each component, whose kinds the statement does not tell
            answer = client.get(f"/{resource['type']}?{parameter['name']}={value}&_count=1")
            assert answer.status_code == 200, answer.text


def test_the_statement_names_this_server(server, statement):
    assert statement["implementation"]["url"] == server.base_url
    assert statement["fhirVersion"] == "4.0.1"
    assert statement["rest"][0]["security"]["cors"] is True


@pytest.fixture(scope="module")
def document(server):
    """The OpenAPI document."""
    return httpx.get(f"{server.site}/openapi.json").json()


def operations(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield path, method, operation, [*item.get("parameters", ()), *operation.get("parameters", ())]


def test_the_openapi_document_names_every_route(document, rules):
    named = {(method.upper(), path) for path, method, _, _ in operations(document)}
    assert {place for place in named if place[1].startswith("/fhir")} == rules.keys()
    assert {("GET", "/healthz"), ("GET", "/readyz")} <= named


def test_the_openapi_document_is_sound(document):
    """What https://spec.openapis.org/oas/v3.0.3 demands: required members, declared path parameters, references that lead
    somewhere, operation ids that are unique."""
    assert re.fullmatch(r"3\.0\.\d", document["openapi"])
    assert document["info"]["title"]
    assert document["info"]["version"]
    ids = []
    for path, method, operation, parameters in operations(document):
        assert method in {"get", "put", "post", "patch", "delete"}
        assert path.startswith("/")
        assert operation["responses"]
        for status, response in operation["responses"].items():
            assert re.fullmatch(r"default|[1-5]\d\d", status)
            assert "$ref" in response or response["description"]
        in_path = {each["name"] for each in parameters if each["in"] == "path"}
        assert in_path == set(re.findall(r"\{(\w+)\}", path))
        assert all(each["required"] and each["schema"] for each in parameters if each["in"] == "path")
        if "operationId" in operation:
            ids.append(operation["operationId"])
    assert len(ids) == len(set(ids))


def test_every_reference_in_the_openapi_document_leads_somewhere(document):
    found = list(references(document))
    assert found
    for reference in found:
        node = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


def references(node):
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for child in node.values():
            yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)


def test_the_documentation_loads_nothing_from_elsewhere(server):
    page = httpx.get(f"{server.site}/docs")
    assert page.status_code == 200
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page.text)
    for asset in re.findall(r"""(?:src|href)=["']([^"']+\.(?:js|css))["']""", page.text):
        assert httpx.get(httpx.URL(f"{server.site}/docs").join(asset)).status_code == 200
