"""An authorization request as a value: what must be in it, and what becomes of one that is wrong. Pure but for two look-ups.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#obtain-authorization-code
https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1

A fault in what says where to answer (client_id, redirect_uri) stays on a page of ours. Every other one goes back to the app.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from smart_auth.clients.redirect_uris import is_registered
from smart_auth.model import Client
from smart_auth.scopes import LAUNCH, granted, parse

MAX_BYTES = 64 * 1024
PROMPTS = ("none", "login", "consent", "select_account")
# Of what this way of getting a token may give; `system/` is for clients without a user.
LEVELS = frozenset({"patient", "user"})

_CHALLENGE = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
_ADDRESS = re.compile(r"(https?)://([^/?#@]+)([^?#]*)", re.DOTALL)
_WHOLE_NUMBER = re.compile(r"\d{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class AuthorizeRequest:
    """A request that may go on to its user.

    scope: of what was asked, what the client may have, in its spelling. state: the bytes that the client sent.
    not_offered: each scope that is left out, with the reason. max_age: in seconds.
    """

    client_id: str
    redirect_uri: str
    scope: str
    state: bytes
    code_challenge: str
    launch: str | None = None
    nonce: str | None = None
    prompt: tuple[str, ...] = ()
    max_age: int | None = None
    not_offered: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Unanswerable:
    """A request whose sender is not known, so nothing is sent anywhere. message: for the person in front of the browser."""

    message: str
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that is answered with an error. error: of RFC 6749, section 4.1.2.1, or of OpenID Connect."""

    client_id: str
    redirect_uri: str
    error: str
    description: str
    state: bytes | None = None


class _Wrong(Exception):
    """What is wrong with a request whose sender is known."""

    def __init__(self, error: str, description: str) -> None:
        self.error, self.description = error, description


Parameters = dict[str, list[bytes]]


def read_parameters(*encoded: bytes) -> Parameters:
    """Form-encoded bytes → the values of each parameter, as bytes. A parameter without a value counts as left out."""
    found: Parameters = {}
    for text in encoded:
        for part in text.split(b"&"):
            name, _, value = part.partition(b"=")
            if value:
                decoded = unquote_to_bytes(name.replace(b"+", b" ")).decode("utf-8", "replace")
                found.setdefault(decoded, []).append(unquote_to_bytes(value.replace(b"+", b" ")))
    return found


def read_request(
    parameters: Parameters, fhir_base: str, find_client: Callable[[str], Client | None]
) -> AuthorizeRequest | Refused | Unanswerable:
    """What a request asks for, or why it is not served. find_client: a client by its id, active or not."""
    client_id = _only(parameters, "client_id")
    client = find_client(client_id) if client_id else None
    if client is None or not client.is_active or client.type == "backend":
        return Unanswerable("The app that sent you here is not registered, or it has been switched off.")
    redirect_uri = _only(parameters, "redirect_uri")
    if redirect_uri is None or not is_registered(client.redirect_uris, redirect_uri):
        return Unanswerable(
            "The app that sent you here wants its answer at an address that is not registered for it.", client.client_id
        )
    state = parameters.get("state", [])
    try:
        return _read(parameters, client, redirect_uri, fhir_base)
    except _Wrong as wrong:
        return Refused(
            client.client_id, redirect_uri, wrong.error, wrong.description, state[0] if len(state) == 1 else None
        )


def _only(parameters: Parameters, name: str) -> str | None:
    values = parameters.get(name, [])
    try:
        return values[0].decode("utf-8") if len(values) == 1 else None
    except UnicodeDecodeError:
        return None


def _read(parameters: Parameters, client: Client, redirect_uri: str, fhir_base: str) -> AuthorizeRequest:
    values = _decoded(parameters)
    for name in ("request", "request_uri"):
        if name in values:
            raise _Wrong(f"{name}_not_supported", f"The parameter {name} is not supported.")
    if _required(values, "response_type") != "code":
        raise _Wrong("unsupported_response_type", "The response_type must be code.")
    if values.get("response_mode", "query") != "query":
        raise _Wrong("invalid_request", "The response_mode must be query.")
    scope = _required(values, "scope")
    if "state" not in parameters:
        raise _Wrong("invalid_request", "The parameter state is missing.")
    _check_audience(values, fhir_base)
    challenge = _challenge(values)
    launch = values.get("launch")
    if launch is None and LAUNCH in parse(scope).others:
        raise _Wrong("invalid_request", "The scope launch needs the parameter launch that the app was started with.")
    offered = granted(scope, client.scope, LEVELS)
    if not offered.granted:
        raise _Wrong("access_denied", "None of the scopes that were asked for can be granted to this client.")
    return AuthorizeRequest(
        client_id=client.client_id,
        redirect_uri=redirect_uri,
        scope=offered.scope,
        state=parameters["state"][0],
        code_challenge=challenge,
        launch=launch,
        nonce=values.get("nonce"),
        prompt=_prompt(values.get("prompt")),
        max_age=_max_age(values.get("max_age")),
        not_offered=offered.dropped,
    )


def _decoded(parameters: Parameters) -> dict[str, str]:
    """Each parameter once, as text. `state` is left as it came. https://www.rfc-editor.org/rfc/rfc6749#section-3.1"""
    values = {}
    for name, given in parameters.items():
        if len(given) > 1:
            raise _Wrong("invalid_request", "A parameter is repeated.")
        if name == "state":
            continue
        try:
            values[name] = given[0].decode("utf-8")
        except UnicodeDecodeError:
            raise _Wrong("invalid_request", "A parameter is not UTF-8.") from None
    return values


def _required(values: dict[str, str], name: str) -> str:
    if name not in values:
        raise _Wrong("invalid_request", f"The parameter {name} is missing.")
    return values[name]


def _check_audience(values: dict[str, str], fhir_base: str) -> None:
    """https://www.rfc-editor.org/rfc/rfc8707: `resource` says the same as SMART's `aud`."""
    named = [values[name] for name in ("aud", "resource") if name in values]
    if not named:
        raise _Wrong("invalid_request", "The parameter aud is missing.")
    if any(_plain(address) != _plain(fhir_base) for address in named):
        raise _Wrong("invalid_request", "The aud is not the address of this FHIR server.")


def _plain(address: str) -> tuple[str, ...]:
    """An address without a slash at its end and with its host in lower case, for comparison."""
    found = _ADDRESS.fullmatch(address)
    return (address,) if found is None else (found[1], found[2].lower(), found[3].removesuffix("/"))


def _challenge(values: dict[str, str]) -> str:
    """https://www.rfc-editor.org/rfc/rfc7636#section-4.3, of S256 for every client."""
    challenge = _required(values, "code_challenge")
    if values.get("code_challenge_method") != "S256":
        raise _Wrong("invalid_request", "The code_challenge_method must be S256.")
    if not _CHALLENGE.fullmatch(challenge):
        raise _Wrong(
            "invalid_request", "The code_challenge must have 43 to 128 characters of A-Z, a-z, 0-9, -, ., _, ~."
        )
    return challenge


def _prompt(text: str | None) -> tuple[str, ...]:
    """https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest. Values of later specifications are ignored."""
    asked = (text or "").split()
    if "none" in asked and len(asked) > 1:
        raise _Wrong("invalid_request", "The prompt none cannot be combined with others.")
    return tuple(value for value in PROMPTS if value in asked)


def _max_age(text: str | None) -> int | None:
    if text is None:
        return None
    if not _WHOLE_NUMBER.fullmatch(text):
        raise _Wrong("invalid_request", "The max_age must be a whole number of seconds.")
    return int(text)
