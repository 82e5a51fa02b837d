"""Access tokens that an administrator makes by command, to try things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smart_auth.model import Client, Grant, LaunchContext
from smart_auth.scopes import constraint_fault, granted, parse
from smart_auth.tokens.issue import TokenResponse, issue_access
from smart_auth.tokens.launch_context import needs_patient

if TYPE_CHECKING:
    from smart_auth.services import AuthServices

# It has neither keys nor secrets nor redirect URIs, so nobody can authenticate as it; disabling it ends all such tokens.
COMMAND_CLIENT = "fhir-server-token"


def issue_token(
    services: AuthServices,
    scope: str,
    sub: str | None = None,
    patient: str | None = None,
    seconds: int = 3600,
    client_id: str | None = None,
) -> TokenResponse:
    """Make a grant and an access token of it; what the token endpoint would answer.

    sub: the user to act for; needed for user/ scopes. patient: the logical id for patient/ scopes. client_id: of the app
    to make it for, which must be registered for these scopes; None for one that stands for the command itself.
    Raises ValueError with a sentence for what cannot be granted.
    """
    _check(services, scope, sub, patient)
    now = services.clock()
    if client_id is None:
        client_id = COMMAND_CLIENT
        name = "Tokens made by the fhir-server command"
        services.store.clients.add(Client(client_id, name, "backend", scope="system/*.cruds", created_at=now))
    else:
        _check_client(services, client_id, scope)
    grant = Grant(
        id=services.random_text(),
        client_id=client_id,
        scope=scope,
        created_at=now,
        expires_at=now + seconds * 1000,
        sub=sub,
        context=LaunchContext(patient=patient),
    )
    services.store.grants.add(grant)
    user = None if sub is None else services.store.users.find(sub)
    return issue_access(services, grant, scope, seconds, user)


def _check_client(services: AuthServices, client_id: str, scope: str) -> None:
    client = services.store.clients.find(client_id)
    if client is None or not client.is_active:
        raise ValueError(f"There is no active client {client_id!r}.")
    if dropped := granted(scope, client.scope).dropped:
        raise ValueError(f"{dropped[0][0]!r} cannot be granted to this client. {dropped[0][1]}")


def _check(services: AuthServices, scope: str, sub: str | None, patient: str | None) -> None:
    scopes = parse(scope)
    for unknown in scopes.unknown:
        raise ValueError(f"{unknown.text!r} is not a scope. {unknown.reason}")
    for each in scopes.resources:
        if fault := constraint_fault(each):
            raise ValueError(f"{str(each)!r} cannot be granted. {fault}")
        if each.level == "user" and sub is None:
            raise ValueError(f"{str(each)!r} needs a user.")
    if not scopes.items:
        raise ValueError("There is no scope.")
    if needs_patient(scope) and patient is None:
        raise ValueError("Scopes that begin with patient/ need a patient.")
    if sub is not None:
        user = services.store.users.find(sub)
        if user is None or not user.is_active:
            raise ValueError(f"There is no active user with the sub {sub!r}.")
