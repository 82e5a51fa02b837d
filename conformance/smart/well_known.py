"""Discovery: the SMART configuration, CORS on what is public, the CapabilityStatement's addresses, user access brands."""

from __future__ import annotations

from typing import Any

from conformance.check import Checks, Skip, expect
from conformance.smart.clauses import BRANDS, CONFORMANCE, CORS, WELL_KNOWN
from conformance.smart.context import SmartContext
from conformance.smart.launch import json_of, member

checks = Checks("Discovery")

OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
# Member of the extension → member of the SMART configuration.
OAUTH_MEMBERS = {
    "authorize": "authorization_endpoint",
    "token": "token_endpoint",
    "introspect": "introspection_endpoint",
    "manage": "management_endpoint",
    "register": "registration_endpoint",
    "revoke": "revocation_endpoint",
}
FOREIGN_ORIGIN = "https://inferno.example.org"


@checks("well_known_endpoint", "The SMART configuration is served as JSON.", WELL_KNOWN)
def _(context: SmartContext) -> None:
    address = f"{context.configuration.base_url}/.well-known/smart-configuration"
    answer = context.http.get(address, headers={"Accept": "application/json"})
    json_of(answer)
    kind = answer.headers.get("content-type", "")
    expect(kind.startswith("application/json"), f"The Content-Type is {kind!r} and not application/json.")


@checks("well_known_capabilities_stu2", "The SMART configuration has every required member.", WELL_KNOWN)
def _(context: SmartContext) -> None:
    document = context.discovered()
    for name in ("authorization_endpoint", "token_endpoint"):
        member(document, name)
    for name in ("capabilities", "grant_types_supported", "code_challenge_methods_supported"):
        value = document.get(name)
        expect(isinstance(value, list) and value, f"{name} is not an array with something in it.")
    expect("authorization_code" in document["grant_types_supported"], "The grant types lack authorization_code.")
    expect("S256" in document["code_challenge_methods_supported"], "The challenge methods lack S256.")
    expect("plain" not in document["code_challenge_methods_supported"], "The challenge methods have plain.")
    expect(all(isinstance(each, str) for each in document["capabilities"]), "A capability is not a string.")
    if "sso-openid-connect" in document["capabilities"]:
        for name in ("issuer", "jwks_uri"):
            member(document, name)
    elif "issuer" in document:
        context.notes.append("There is an issuer without the capability sso-openid-connect.")


@checks("smart_cors_well_known_endpoint", "Web pages from anywhere may read the SMART configuration.", CORS)
def _(context: SmartContext) -> None:
    _expect_cors(context, ".well-known/smart-configuration")


@checks("smart_cors_metadata_request", "Web pages from anywhere may read the CapabilityStatement.", CORS)
def _(context: SmartContext) -> None:
    _expect_cors(context, "metadata")


def _expect_cors(context: SmartContext, path: str) -> None:
    for origin in (FOREIGN_ORIGIN, context.configuration.origin):
        answer = context.api(None).get(path, headers={"Origin": origin})
        json_of(answer)
        allowed = answer.headers.get("access-control-allow-origin")
        expect(allowed in ("*", origin), f"For the origin {origin} Access-Control-Allow-Origin is {allowed!r}.")


@checks(
    "stu1_capability_statement_oauth_uris",
    "The CapabilityStatement names SMART-on-FHIR and the addresses of the SMART configuration.",
    f"{CONFORMANCE}#smart-on-fhir-oauth-authorization-endpoints-and-capabilities",
)
def _(context: SmartContext) -> None:
    statement = context.api(None).resource("metadata")
    security: list[dict[str, Any]] = [rest.get("security", {}) for rest in statement.get("rest", [])]
    codes = [
        coding.get("code")
        for each in security
        for service in each.get("service", [])
        for coding in service.get("coding", [])
    ]
    expect("SMART-on-FHIR" in codes, "rest.security has no service SMART-on-FHIR.")
    uris = {
        part["url"]: part.get("valueUri")
        for each in security
        for extension in each.get("extension", [])
        if extension.get("url") == OAUTH_URIS
        for part in extension.get("extension", [])
    }
    document = context.discovered()
    for name in ("authorize", "token"):
        expect(name in uris, f"The extension oauth-uris lacks {name}.")
    for name, there in OAUTH_MEMBERS.items():
        expect(
            name not in uris or uris[name] == document.get(there),
            f"{name} of oauth-uris is {uris.get(name)!r}, but {there} is {document.get(there)!r}.",
        )


@checks("user_access_brands", "The brands of the server are a Bundle whose parts refer to each other.", BRANDS)
def _(context: SmartContext) -> None:
    address = context.discovered().get("user_access_brand_bundle")
    if not isinstance(address, str):
        raise Skip("The SMART configuration names no user_access_brand_bundle, which is optional.")
    answer = context.http.get(address, headers={"Origin": FOREIGN_ORIGIN})
    bundle = json_of(answer)
    expect(bundle.get("resourceType") == "Bundle" and bundle.get("type") == "collection", "It is no collection Bundle.")
    expect(bundle.get("timestamp"), "The Bundle has no timestamp.")
    expect("access-control-allow-origin" in answer.headers, "Web pages may not read it.")
    expect("etag" in answer.headers, "It has no ETag.")
    found = [entry.get("resource", {}) for entry in bundle.get("entry", [])]
    organizations = [each for each in found if each.get("resourceType") == "Organization"]
    endpoints = [each for each in found if each.get("resourceType") == "Endpoint"]
    expect(organizations and endpoints, "The Bundle has not at least one Organization and one Endpoint.")
    named = {f"Endpoint/{each.get('id')}" for each in endpoints}
    for organization in organizations:
        references = {each.get("reference") for each in organization.get("endpoint", [])}
        expect(
            references <= named or not references, "An Organization refers to an Endpoint that is not in the Bundle."
        )
