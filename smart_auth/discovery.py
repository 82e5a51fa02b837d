"""What clients learn about the server before they talk to it: SMART, OpenID Connect and OAuth documents.

https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html#using-well-known
https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata
https://www.rfc-editor.org/rfc/rfc8414#section-2

Every document is made from the settings alone, and lists only what works.
"""

from __future__ import annotations

from typing import Any

from smart_auth.clients.public_keys import KEY_TYPES
from smart_auth.keys import ALGORITHM
from smart_auth.settings import AuthSettings

CAPABILITIES = (
    "launch-ehr",
    "launch-standalone",
    "authorize-post",
    "client-public",
    "client-confidential-symmetric",
    "client-confidential-asymmetric",
    "sso-openid-connect",
    "context-banner",
    "context-style",
    "context-ehr-patient",
    "context-ehr-encounter",
    "context-standalone-patient",
    "context-standalone-encounter",
    "permission-offline",
    "permission-online",
    "permission-patient",
    "permission-user",
    "permission-v1",
    "permission-v2",
)

_CONDITION = "http://terminology.hl7.org/CodeSystem/condition-category"
_OBSERVATION = "http://terminology.hl7.org/CodeSystem/observation-category"
_US_CORE = "http://hl7.org/fhir/us/core/CodeSystem"
# The categories of US Core, which apps ask for one by one.
_CATEGORIES = {
    "Condition": (
        f"{_CONDITION}|encounter-diagnosis",
        f"{_CONDITION}|problem-list-item",
        f"{_US_CORE}/condition-category|health-concern",
    ),
    "Observation": (
        f"{_US_CORE}/us-core-category|clinical-test",
        f"{_OBSERVATION}|laboratory",
        f"{_OBSERVATION}|social-history",
        f"{_US_CORE}/us-core-category|sdoh",
        f"{_OBSERVATION}|survey",
        f"{_OBSERVATION}|vital-signs",
    ),
}
SCOPES = (
    *("openid", "fhirUser", "profile", "launch", "launch/patient", "launch/encounter"),
    *("offline_access", "online_access"),
    *("patient/*.cruds", "patient/*.rs", "patient/*.read", "patient/*.write", "patient/*.*"),
    *("user/*.cruds", "user/*.rs", "user/*.read", "user/*.write", "user/*.*"),
    *("system/*.cruds", "system/*.rs", "system/*.read", "system/*.write", "system/*.*"),
    *(
        f"{level}/{type_name}.rs?category={category}"
        for level in ("patient", "user")
        for type_name, categories in _CATEGORIES.items()
        for category in categories
    ),
)
CONFIDENTIAL_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt")
CLAIMS = ("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "fhirUser", "name")


def smart_configuration(settings: AuthSettings) -> dict[str, Any]:
    """`.well-known/smart-configuration`. Of methods and grant types SMART lists fewer than RFC 8414 does."""
    return {
        **_common(settings),
        "token_endpoint_auth_methods_supported": list(CONFIDENTIAL_METHODS),
        "grant_types_supported": ["authorization_code", "client_credentials"],
        "management_endpoint": settings.management_endpoint,
        "capabilities": list(CAPABILITIES),
    }


def authorization_server_metadata(settings: AuthSettings) -> dict[str, Any]:
    """`.well-known/oauth-authorization-server`."""
    algorithms = list(KEY_TYPES)
    return {
        **_common(settings),
        "token_endpoint_auth_methods_supported": [*CONFIDENTIAL_METHODS, "none"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "response_modes_supported": ["query"],
        "introspection_endpoint_auth_methods_supported": [*CONFIDENTIAL_METHODS, "bearer"],
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
        "revocation_endpoint_auth_methods_supported": [*CONFIDENTIAL_METHODS, "none"],
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
        "authorization_response_iss_parameter_supported": True,
    }


def openid_configuration(settings: AuthSettings) -> dict[str, Any]:
    """`.well-known/openid-configuration`."""
    return {
        **authorization_server_metadata(settings),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "claims_supported": list(CLAIMS),
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }


def _common(settings: AuthSettings) -> dict[str, Any]:
    document = {
        "issuer": settings.issuer,
        "jwks_uri": settings.jwks_uri,
        "authorization_endpoint": settings.authorization_endpoint,
        "token_endpoint": settings.token_endpoint,
        "token_endpoint_auth_signing_alg_values_supported": list(KEY_TYPES),
        "introspection_endpoint": settings.introspection_endpoint,
        "revocation_endpoint": settings.revocation_endpoint,
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
    }
    if settings.allow_registration:
        document["registration_endpoint"] = settings.registration_endpoint
    return document
