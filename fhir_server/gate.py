"""The gate: who makes a request, and whether any of it may be done at all, before data is touched.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html and https://www.rfc-editor.org/rfc/rfc6750

What of a type may be seen or changed, the fence says (`search.fence`); the gate only asks it whether there is anything.
"""

from __future__ import annotations

from dataclasses import replace

from flask import Request

from fhir_server.call import Call
from fhir_server.services import Services
from resources.problem import Problem, problem
from search.fence import Letter, filter_within
from smart_auth.access_fence import fence_for
from smart_auth.services import AuthServices
from smart_auth.tokens.access import bearer_token, find_access

LETTERS: dict[str, tuple[Letter, ...]] = {
    "read": ("r",),
    "vread": ("r",),
    "update": ("u",),
    "patch": ("u",),
    "delete": ("d",),
    "create": ("c",),
    "search": ("s",),
    "conditional_update": ("u", "s"),
    "conditional_patch": ("u", "s"),
    "conditional_delete": ("d", "s"),
    "everything": ("r", "s"),
    "match": ("s",),
    "meta_add": ("u",),
    "meta_delete": ("u",),
}
"""Interaction with one type → what must be allowed; those that are not here look after it themselves, or are below."""

PUBLIC = frozenset({"capabilities", "versions"})
ENTRY_BY_ENTRY = frozenset({"bundle", "search_system", "history", "meta", "validate"})
"""Interactions with several types, or with other rules, that ask the fence type by type."""

TERMINOLOGY = frozenset({"expand", "validate_code", "lookup"})
"""Operations that know R4's own value sets for everybody; of those stored they ask the fence themselves."""

_NOT_BY_LETTERS = PUBLIC | ENTRY_BY_ENTRY | TERMINOLOGY


def admit(request: Request, interaction: str, services: Services, auth: AuthServices | None) -> Services:
    """The services as the holder of the request's token may use them. Raises a 401 `Problem` without a valid token.

    auth: None where authorization is off; then everything may be done.
    """
    if auth is None or interaction in PUBLIC:
        return services
    authorization = request.headers.get("Authorization")
    token = bearer_token(authorization)
    if token is None:
        raise _unauthorized("login", "A request needs an access token, as 'Authorization: Bearer ...'.", "")
    access = find_access(auth, token)
    if access is None:
        text = "The access token is unknown, expired or revoked."
        raise _unauthorized("expired", text, ', error="invalid_token"')
    is_administrator = access.role == "administrator"
    fence = fence_for(access, services.base_url)
    return replace(services, fence=fence, may_administer=is_administrator, access=access)


def check(call: Call, services: Services) -> None:
    """Raise a 403 `Problem` where a call asks for what may be done with no resource of its type. What is new is refused."""
    if call.interaction in _NOT_BY_LETTERS:
        return
    letters = LETTERS.get(call.interaction)
    if letters is None:
        if not services.may_administer:
            raise problem(403, "forbidden", "Only administrators may do this.")
        return
    assert call.type is not None  # the routes of these have it
    if call.interaction == "create" and call.if_none_exist is not None:
        letters = ("c", "s")
    for letter in letters:
        filter_within(services.fence, call.type, letter)


def _unauthorized(code: str, text: str, error: str) -> Problem:
    return problem(401, code, text, headers={"WWW-Authenticate": f'Bearer realm="fhir"{error}'})
