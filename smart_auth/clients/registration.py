"""What a client must be like to be registered. The checks return all that is wrong; nothing is raised.

https://www.rfc-editor.org/rfc/rfc7591#section-2
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from smart_auth.clients.public_keys import key_set_faults, without_extras
from smart_auth.clients.redirect_uris import origin_of, origins_of, redirect_uri_fault, web_uri_fault
from smart_auth.model import Client, ClientType
from smart_auth.scopes import constraint_fault, parse

LONGEST_NAME = 200
LONGEST_SCOPE = 10_000
AT_MOST_URIS = 50
_CLIENT_ID = re.compile(r"[A-Za-z0-9._~\-]{1,128}")

APP_SCOPE = (
    "openid fhirUser profile launch launch/patient launch/encounter offline_access online_access "
    "patient/*.cruds user/*.cruds"
)
BACKEND_SCOPE = "system/*.rs"

GRANT_TYPES: dict[ClientType, tuple[str, ...]] = {
    "public": ("authorization_code", "refresh_token"),
    "confidential-symmetric": ("authorization_code", "refresh_token"),
    "confidential-asymmetric": ("authorization_code", "refresh_token"),
    "backend": ("client_credentials",),
}
AUTH_METHODS: dict[ClientType, tuple[str, ...]] = {
    "public": ("none",),
    "confidential-symmetric": ("client_secret_basic", "client_secret_post"),
    "confidential-asymmetric": ("private_key_jwt",),
    "backend": ("private_key_jwt",),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a client: which member of it, and a sentence."""

    member: str
    text: str


def completed(client: Client) -> Client:
    """A client with what follows from the rest: its origins are those of its redirect URIs, unless it names others."""
    origins = client.allowed_origins or origins_of(client.redirect_uris)
    scope = client.scope or (BACKEND_SCOPE if client.type == "backend" else APP_SCOPE)
    jwks = client.jwks if client.jwks is None or key_set_faults(client.jwks) else without_extras(client.jwks)
    return replace(client, allowed_origins=origins, scope=scope, jwks=jwks)


def faults_of(client: Client) -> list[Fault]:
    """All that keeps a client from being registered."""
    return [
        *_faults_of_names(client),
        *_faults_of_addresses(client),
        *_faults_of_keys(client),
        *_faults_of_scope(client),
    ]


def auth_methods(client: Client) -> tuple[str, ...]:
    """How a client may authenticate at the token endpoint: the one way it registered, or else those of its type."""
    of_type = AUTH_METHODS[client.type]
    return (client.auth_method,) if client.auth_method in of_type else of_type


def _faults_of_names(client: Client) -> Iterator[Fault]:
    if not _CLIENT_ID.fullmatch(client.client_id):
        yield Fault("client_id", "A client_id has 1 to 128 letters, digits, '.', '_', '~' or '-'.")
    if not client.name.strip() or len(client.name) > LONGEST_NAME or not client.name.isprintable():
        yield Fault("client_name", f"A client has a name of at most {LONGEST_NAME} characters, on one line.")
    if client.type not in AUTH_METHODS:
        yield Fault("type", f"A client is one of {', '.join(AUTH_METHODS)}.")
    elif client.auth_method is not None and client.auth_method not in AUTH_METHODS[client.type]:
        yield Fault("token_endpoint_auth_method", f"A {client.type} client cannot use {client.auth_method[:50]!r}.")


def _faults_of_addresses(client: Client) -> Iterator[Fault]:
    if client.type == "backend" and (client.redirect_uris or client.launch_uris):
        yield Fault("redirect_uris", "A backend client has no users, so it has no redirect and launch URIs.")
    if client.type != "backend" and not client.redirect_uris:
        yield Fault("redirect_uris", "A client that users sign in to needs at least one redirect URI.")
    if max(map(len, (client.redirect_uris, client.launch_uris, client.allowed_origins))) > AT_MOST_URIS:
        yield Fault("redirect_uris", f"A client has at most {AT_MOST_URIS} addresses of a kind.")
        return
    for uri in client.redirect_uris:
        if text := redirect_uri_fault(uri, is_native=client.type == "public"):
            yield Fault("redirect_uris", text)
    named = [("launch_uris", uri) for uri in client.launch_uris]
    named += [(n, u) for n in ("client_uri", "logo_uri", "tos_uri", "policy_uri") if (u := getattr(client, n))]
    for name, uri in named:
        if text := web_uri_fault(uri, name.removesuffix("s")):
            yield Fault(name, text)
    for origin in client.allowed_origins:
        if origin_of(origin) != origin:
            yield Fault("allowed_origins", f"{origin[:100]!r} is not an origin such as https://app.example.org.")


def _faults_of_keys(client: Client) -> Iterator[Fault]:
    if client.type not in ("confidential-asymmetric", "backend"):
        if client.jwks is not None or client.jwks_uri is not None:
            yield Fault("jwks", f"A {client.type} client does not authenticate with keys.")
        return
    if (client.jwks is None) == (client.jwks_uri is None):
        yield Fault("jwks", f"A {client.type} client has either a jwks or a jwks_uri.")
    elif client.jwks is not None:
        yield from (Fault("jwks", text) for text in key_set_faults(client.jwks))
    elif client.jwks_uri is not None and (text := web_uri_fault(client.jwks_uri, "jwks_uri")):
        yield Fault("jwks_uri", text)


def _faults_of_scope(client: Client) -> Iterator[Fault]:
    if len(client.scope) > LONGEST_SCOPE:
        yield Fault("scope", f"The scopes of a client have at most {LONGEST_SCOPE} characters.")
        return
    scopes = parse(client.scope)
    yield from (Fault("scope", f"{unknown.text[:100]!r}: {unknown.reason}") for unknown in scopes.unknown)
    for scope in scopes.resources:
        if (scope.level == "system") != (client.type == "backend"):
            yield Fault("scope", f"{str(scope)!r}: only backend clients have system/ scopes, and no others.")
        if text := constraint_fault(scope):
            yield Fault("scope", f"{str(scope)!r}: {text}")
    if client.type == "backend" and scopes.others:
        yield Fault("scope", f"{scopes.others[0]!r}: a backend client has only system/ scopes.")
    if not scopes.items:
        yield Fault("scope", "A client may ask for at least one scope.")
