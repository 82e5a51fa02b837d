"""SMART launches, from the first request to the token: what is asked, what comes back at each step.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from conformance.browser import Arrived, Shown
from conformance.check import Failure
from conformance.smart.visit import Visit

IDENTITY = "openid fhirUser"
STANDALONE_SCOPE = f"{IDENTITY} launch/patient offline_access patient/*.rs"
EHR_SCOPE = f"{IDENTITY} launch offline_access user/*.rs"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A launch to be made.

    app: its kind in the configuration. person: `patient` or `practitioner`. is_ehr: started at the launch page. by_post: the
    authorization request is posted by a form. untick: beginnings of the values of checkboxes to untick at consent; tick:
    values of those to tick.
    """

    app: str = "symmetric"
    scope: str = STANDALONE_SCOPE
    person: str = "patient"
    is_ehr: bool = False
    by_post: bool = False
    untick: tuple[str, ...] = ()
    tick: tuple[str, ...] = ()
    refuses: bool = False


@dataclass(frozen=True, slots=True)
class Authorization:
    """What an authorization request led to.

    sent: its parameters. verifier: of PKCE. answer: the parameters that came back to the redirect URI; empty where nothing
    did. launched_at: where the browser arrived before, in an EHR launch.
    """

    wanted: Wanted
    sent: dict[str, str]
    verifier: str
    visit: Visit
    answer: dict[str, str]
    launched_at: str = ""

    @property
    def code(self) -> str:
        """The code. Raises a Failure where there is none."""
        if "code" not in self.answer:
            raise Failure(f"The authorization request brought no code, but {described(self.visit.end)}.")
        return self.answer["code"]


@dataclass(frozen=True, slots=True)
class Launched:
    """A finished launch: the authorization, and the answer of the token endpoint."""

    authorization: Authorization
    response: httpx.Response
    token: dict[str, Any]

    @property
    def access_token(self) -> str:
        return member(self.token, "access_token")

    @property
    def refresh_token(self) -> str:
        return member(self.token, "refresh_token")

    @property
    def scopes(self) -> list[str]:
        """The scopes that were granted, as spelled."""
        return member(self.token, "scope").split()


def member(answer: dict[str, Any], name: str) -> str:
    """A member of an answer that must be a text which is not empty. Raises a Failure."""
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise Failure(f"The answer has no {name}; its members are {', '.join(sorted(answer)) or 'none'}.")
    return value


def json_of(response: httpx.Response, status: int = 200) -> dict[str, Any]:
    """The JSON object of an answer that must have a status. Raises a Failure."""
    if response.status_code != status:
        raise Failure(
            f"{response.request.method} {response.request.url.copy_with(query=None)} was answered "
            f"{response.status_code} and not {status}: {response.text[:300]}"
        )
    try:
        body = response.json()
    except ValueError:
        raise Failure(f"The answer is not JSON: {response.text[:100]!r}") from None
    if not isinstance(body, dict):
        raise Failure("The answer is not a JSON object.")
    return body


def parameters_of(url: str) -> dict[str, str]:
    """The parameters of an address. Raises a Failure where one stands twice."""
    found = parse_qs(urlsplit(url).query, keep_blank_values=True, encoding="utf-8")
    if doubled := [name for name, values in found.items() if len(values) > 1]:
        raise Failure(f"The parameter {doubled[0]} stands twice in the address that the app got.")
    return {name: values[0] for name, values in found.items()}


def described(end: Arrived | Shown) -> str:
    """Where a visit ended, in words, for a reason."""
    if isinstance(end, Arrived):
        given = parameters_of(end.url)
        return f"the app got {given.get('error', 'no error')!r}: {given.get('error_description', '')}"
    return f"a page with status {end.status}: {end.page.text[:200]!r}"


def new_verifier() -> str:
    """https://www.rfc-editor.org/rfc/rfc7636#section-4.1"""
    return secrets.token_urlsafe(48)


def challenge_of(verifier: str) -> str:
    """https://www.rfc-editor.org/rfc/rfc7636#section-4.2"""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
