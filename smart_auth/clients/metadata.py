"""Client metadata in JSON, as registered over HTTP and as shown.

https://www.rfc-editor.org/rfc/rfc7591#section-2
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smart_auth.clients.registering import Unregistrable
from smart_auth.clients.registration import GRANT_TYPES, Fault, auth_methods
from smart_auth.model import Client, ClientType

# How a client says that it authenticates → its type, for one that users sign in to.
_TYPES: dict[str, ClientType] = {
    "none": "public",
    "client_secret_basic": "confidential-symmetric",
    "client_secret_post": "confidential-symmetric",
    "private_key_jwt": "confidential-asymmetric",
}
_DEFAULT_METHOD = "client_secret_basic"
_TEXTS = ("client_name", "client_uri", "logo_uri", "tos_uri", "policy_uri", "jwks_uri", "scope", "software_id")
_LISTS = ("redirect_uris", "grant_types", "response_types", "launch_uris", "allowed_origins")


def client_from(metadata: Mapping[str, Any], client_id: str, now: int) -> Client:
    """The client that metadata describes, unchecked but for the types of its members. Raises Unregistrable.

    launch_uris and allowed_origins are ours; members that are not known are ignored, as RFC 7591 asks.
    """
    faults = [Fault(name, f"{name} is not a string.") for name in _TEXTS if not _is_text(metadata.get(name))]
    faults += [Fault(name, f"{name} is not a list of strings.") for name in _LISTS if not _is_list(metadata.get(name))]
    method = metadata.get("token_endpoint_auth_method", _DEFAULT_METHOD)
    if not isinstance(method, str) or method not in _TYPES:
        faults.append(Fault("token_endpoint_auth_method", f"It is not one of {', '.join(_TYPES)}."))
    if faults:
        raise Unregistrable(faults)
    client_type = _type(method, metadata.get("grant_types"))
    response_types = metadata.get("response_types") or ["code"]
    if client_type != "backend" and response_types != ["code"]:
        raise Unregistrable([Fault("response_types", "The only response type is code.")])
    return Client(
        client_id=client_id,
        name=metadata.get("client_name") or f"App {client_id[:8]}",
        type=client_type,
        scope=metadata.get("scope") or "",
        created_at=now,
        redirect_uris=tuple(metadata.get("redirect_uris") or ()),
        launch_uris=tuple(metadata.get("launch_uris") or ()),
        allowed_origins=tuple(metadata.get("allowed_origins") or ()),
        jwks=metadata.get("jwks"),
        jwks_uri=metadata.get("jwks_uri"),
        client_uri=metadata.get("client_uri"),
        logo_uri=metadata.get("logo_uri"),
        tos_uri=metadata.get("tos_uri"),
        policy_uri=metadata.get("policy_uri"),
        auth_method=method if method in ("client_secret_basic", "client_secret_post") else None,
    )


def metadata_of(client: Client, secret: str | None = None) -> dict[str, Any]:
    """A client's metadata as JSON. secret: shown this once; 0 says that it does not expire by itself."""
    members: dict[str, Any] = {
        "client_id": client.client_id,
        "client_id_issued_at": client.created_at // 1000,
        "client_secret": secret,
        "client_secret_expires_at": None if secret is None else 0,
        "client_name": client.name,
        "client_uri": client.client_uri,
        "logo_uri": client.logo_uri,
        "tos_uri": client.tos_uri,
        "policy_uri": client.policy_uri,
        "redirect_uris": list(client.redirect_uris) or None,
        "launch_uris": list(client.launch_uris) or None,
        "allowed_origins": list(client.allowed_origins) or None,
        "grant_types": list(GRANT_TYPES[client.type]),
        "response_types": ["code"] if client.type != "backend" else [],
        "token_endpoint_auth_method": auth_methods(client)[0],
        "jwks": None if client.jwks is None else dict(client.jwks),
        "jwks_uri": client.jwks_uri,
        "scope": client.scope,
    }
    return {name: value for name, value in members.items() if value is not None}


def _type(method: str, grant_types: list[str] | None) -> ClientType:
    asked = grant_types or ["authorization_code"]
    client_type: ClientType = "backend" if asked == ["client_credentials"] else _TYPES[method]
    if client_type == "backend" and method != "private_key_jwt":
        raise Unregistrable([Fault("token_endpoint_auth_method", "A backend client authenticates by private_key_jwt.")])
    if not set(asked) <= set(GRANT_TYPES[client_type]):
        text = f"The grant types of such a client are {', '.join(GRANT_TYPES[client_type])}."
        raise Unregistrable([Fault("grant_types", text)])
    return client_type


def _is_text(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_list(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(each, str) for each in value))
