"""How a client proves who it is at the token, revocation and introspection endpoints.

https://www.rfc-editor.org/rfc/rfc6749#section-2.3
https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-symmetric.html

    none                    a public client names itself by client_id
    client_secret_basic     client_id and secret in `Authorization: Basic`, form-encoded (RFC 6749 2.3.1) or raw
    client_secret_post      client_id and client_secret in the form
    private_key_jwt         client_assertion (see `assertion`)

Authlib's own methods fault on a Basic header that is not UTF-8 and answer 400 where 401 is due.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from smart_auth.clients.assertion import ASSERTION_TYPE, client_of_assertion
from smart_auth.clients.registration import auth_methods
from smart_auth.clients.secrets import matches
from smart_auth.errors import invalid_client, invalid_grant, invalid_request
from smart_auth.model import Client

if TYPE_CHECKING:
    from smart_auth.services import AuthServices

NONE, BASIC, POST, KEYS = "none", "client_secret_basic", "client_secret_post", "private_key_jwt"
ALL_METHODS = frozenset({NONE, BASIC, POST, KEYS})
CONFIDENTIAL_METHODS = ALL_METHODS - {NONE}


@dataclass(frozen=True, slots=True)
class Authenticated:
    """A client that proved who it is, and by which method."""

    client: Client
    method: str


def authenticate(
    services: AuthServices,
    form: Mapping[str, str],
    authorization: str | None,
    allowed: Collection[str] = ALL_METHODS,
    audience: str | None = None,
) -> Authenticated:
    """The client of a request, by exactly the method it registered.

    form: the parameters of the body. authorization: the header. audience: the address of the endpoint, which an assertion
    may name beside the token endpoint and the issuer.
    Raises OAuthError: invalid_client (401), invalid_request for more than one credential.
    """
    basic = _basic(authorization)
    given = [basic is not None, "client_secret" in form, "client_assertion" in form or "client_assertion_type" in form]
    if sum(given) > 1:
        raise invalid_request("The request has more than one client credential.")
    if basic is not None:
        found = Authenticated(_by_basic(services, basic, form.get("client_id")), BASIC)
    elif "client_secret" in form:
        found = Authenticated(_by_secret(services, form), POST)
    elif given[2]:
        found = Authenticated(_by_assertion(services, form, audience), KEYS)
    else:
        found = Authenticated(_by_name(services, form), NONE)
    if found.method not in auth_methods(found.client) or found.method not in allowed:
        raise invalid_client(_wrong_method(found, allowed), with_basic=found.method == BASIC)
    return found


def _basic(authorization: str | None) -> str | None:
    """What follows `Basic` in an Authorization header; None for another scheme or none."""
    scheme, _, value = (authorization or "").strip().partition(" ")
    return value.strip() if scheme.lower() == "basic" else None


def _by_basic(services: AuthServices, value: str, named: str | None) -> Client:
    try:
        text = base64.b64decode(value.encode("ascii"), validate=True).decode("utf-8")
    except (UnicodeError, binascii.Error, ValueError):
        raise invalid_client("The Basic credentials are not Base64 of UTF-8 text.", with_basic=True) from None
    client_id, mark, secret = text.partition(":")
    if not mark:
        raise invalid_client("The Basic credentials have no colon between client_id and secret.", with_basic=True)
    # Clients differ in whether they encode both as a form would; in what we hand out the two readings are the same.
    for pair in dict.fromkeys([(client_id, secret), (unquote_plus(client_id), unquote_plus(secret))]):
        if named is not None and named != pair[0]:
            continue
        client = services.store.clients.find(pair[0])
        if client is not None and client.is_active and matches(client.secrets, pair[1], services.clock()):
            return client
    if named is not None and named not in (client_id, unquote_plus(client_id)):
        raise invalid_request("The client_id is not the one of the Basic credentials.")
    raise invalid_client("There is no active client with this client_id and secret.", with_basic=True)


def _by_secret(services: AuthServices, form: Mapping[str, str]) -> Client:
    client = services.store.clients.find(form["client_id"]) if "client_id" in form else None
    if client is None or not client.is_active or not matches(client.secrets, form["client_secret"], services.clock()):
        raise invalid_client("There is no active client with this client_id and client_secret.")
    return client


def _by_assertion(services: AuthServices, form: Mapping[str, str], audience: str | None) -> Client:
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise invalid_client(f"The client_assertion_type is not {ASSERTION_TYPE}.")
    if "client_assertion" not in form:
        raise invalid_client("The client_assertion is missing.")
    settings = services.settings
    audiences = {settings.token_endpoint, settings.issuer, *([audience] if audience else [])}
    return client_of_assertion(services, form["client_assertion"], form.get("client_id"), audiences)


def _by_name(services: AuthServices, form: Mapping[str, str]) -> Client:
    if "client_id" not in form:
        if form.get("grant_type") == "refresh_token" and "refresh_token" in form:
            return _owner(services, form["refresh_token"])
        raise invalid_client("The request names no client: it has neither a client_id nor a credential.")
    client = services.store.clients.find(form["client_id"])
    if client is None or not client.is_active:
        raise invalid_client("There is no active client with this client_id.")
    return client


def _owner(services: AuthServices, refresh_token: str) -> Client:
    """The client that a refresh token was given to: browser apps refresh without naming themselves."""
    token = services.store.tokens.find_refresh(refresh_token)
    client = None if token is None else services.store.clients.find(token.client_id)
    if client is None:
        raise invalid_grant("The refresh token is unknown, expired or revoked.")
    if not client.is_active:
        raise invalid_client("The client of the refresh token is not active.")
    return client


def _wrong_method(found: Authenticated, allowed: Collection[str]) -> str:
    ways = [method for method in auth_methods(found.client) if method in allowed]
    if not ways:
        return "A public client cannot use this endpoint."
    return f"The client did not authenticate by {' or '.join(ways)}, as it is registered to."
