"""What an administrator does with users from a command line: add, list, new password, disable, enable; and the demo users.

Each takes the services and plain values and returns plain dicts that may be printed: no hashes, no passwords. What cannot be
done raises UserError with a sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

from resources.primitives import is_id
from smart_auth.events import Event
from smart_auth.model import Role, User
from smart_auth.people.passwords import hashed, problem_with
from smart_auth.people.sessions import Sessions
from smart_auth.people.sign_in import MAX_NAME, folded_name
from smart_auth.services import AuthServices

ROLES: tuple[Role, ...] = get_args(Role)
# What `fhirUser` may point to; Inferno accepts no PractitionerRole.
OWN_TYPES: dict[Role, tuple[str, ...]] = {
    "patient": ("Patient",),
    "related-person": ("RelatedPerson", "Person"),
    "practitioner": ("Practitioner",),
    "administrator": ("Practitioner", "Person"),
}


class UserError(ValueError):
    """A user cannot be added or changed like this; the message says why."""


@dataclass(frozen=True, slots=True)
class DemoUser:
    """A user of the demo, whose password anybody may read."""

    name: str
    password: str
    display: str
    role: Role
    fhir_user: str | None
    patients: tuple[str, ...] = ()


def add_user(
    services: AuthServices,
    *,
    name: str,
    password: str,
    display: str,
    role: Role,
    fhir_user: str | None = None,
    patients: Iterable[str] = (),
    is_demo: bool = False,
) -> dict[str, Any]:
    """Store a new user. fhir_user: their own resource, `Practitioner/1`; patients: ids of those they may act for.

    Raises UserError.
    """
    folded, patients = folded_name(name), tuple(patients)
    problem = (
        _problem_of_name(folded, display)
        or _problem_of_role(role, fhir_user, patients)
        or (None if is_demo else problem_with(password, folded))
    )
    if problem is not None:
        raise UserError(problem)
    user = User(
        sub=services.random_text(),
        name=folded,
        display=display.strip(),
        role=role,
        password_hash=hashed(password),
        created_at=services.clock(),
        fhir_user=fhir_user,
        patients=patients,
        is_demo=is_demo,
    )
    if not services.store.users.add(user):
        raise UserError(f"There is a user of the name {folded!r} already.")
    return described(user)


def add_demo_users(services: AuthServices, users: Sequence[DemoUser]) -> list[dict[str, Any]]:
    """Add those of the demo users that are not there yet; all of them. They can sign in on a loopback address only."""
    found = []
    for demo in users:
        user = services.store.users.find_by_name(folded_name(demo.name))
        found.append(
            described(user)
            if user
            else add_user(
                services,
                name=demo.name,
                password=demo.password,
                display=demo.display,
                role=demo.role,
                fhir_user=demo.fhir_user,
                patients=demo.patients,
                is_demo=True,
            )
        )
    return found


def sub_of(services: AuthServices, name: str) -> str:
    """The `sub` of the user of a name. Raises UserError."""
    return _found(services, name).sub


def list_users(services: AuthServices) -> list[dict[str, Any]]:
    """All users in the order of their names."""
    return [described(user) for user in services.store.users.all()]


def change_password(services: AuthServices, name: str, password: str) -> dict[str, Any]:
    """Give a user another password and end their sessions. What they allowed apps goes on. Raises UserError."""
    user = _found(services, name)
    problem = problem_with(password, user.name)
    if problem is not None:
        raise UserError(problem)
    services.store.users.replace(replace(user, password_hash=hashed(password)))
    Sessions(services).end_all_of(user.sub)
    return described(user)


def disable_user(services: AuthServices, name: str) -> dict[str, Any]:
    """Let a user in no more, and end their sessions and all that they allowed. Raises UserError."""
    user = _found(services, name)
    services.store.users.set_active(user.sub, False)
    Sessions(services).end_all_of(user.sub)
    services.store.grants.revoke_of_user(user.sub, services.clock())
    services.audit(Event("token-revoke", True, sub=user.sub, reason="The user was disabled by an administrator."))
    return described(replace(user, is_active=False))


def enable_user(services: AuthServices, name: str) -> dict[str, Any]:
    """Let a disabled user in again; what they had allowed stays ended. Raises UserError."""
    user = _found(services, name)
    services.store.users.set_active(user.sub, True)
    return described(replace(user, is_active=True))


def described(user: User) -> dict[str, Any]:
    """A user as may be printed."""
    return {
        "name": user.name,
        "display": user.display,
        "role": user.role,
        "fhir_user": user.fhir_user,
        "patients": list(user.patients),
        "is_active": user.is_active,
        "is_demo": user.is_demo,
        "created_at": user.created_at,
    }


def _found(services: AuthServices, name: str) -> User:
    user = services.store.users.find_by_name(folded_name(name))
    if user is None:
        raise UserError(f"There is no user of the name {folded_name(name)!r}.")
    return user


def _problem_of_name(name: str, display: str) -> str | None:
    if not name or len(name) > MAX_NAME or not name.isprintable():
        return f"A name has 1 to {MAX_NAME} printable characters."
    return None if display.strip() else "Give the name that is shown to others, too."


def _problem_of_role(role: str, fhir_user: str | None, patients: tuple[str, ...]) -> str | None:
    if role not in ROLES:
        return f"{role!r} is not a role; these are: {', '.join(ROLES)}."
    if fhir_user is not None:
        type_name, slash, own_id = fhir_user.partition("/")
        if not slash or type_name not in OWN_TYPES[role] or not is_id(own_id):
            wanted = " or ".join(f"{name}/<id>" for name in OWN_TYPES[role])
            return f"{fhir_user!r} cannot be the own resource of a user with the role {role}: it must be {wanted}."
    elif role != "administrator":
        return f"A user with the role {role} needs a resource of their own, such as {OWN_TYPES[role][0]}/<id>."
    if role == "related-person" and not patients:
        return "A related person needs at least one patient to act for."
    if patients and role not in ("patient", "related-person"):
        return f"A user with the role {role} acts for no particular patients."
    wrong = [patient for patient in patients if not is_id(patient)]
    return f"{wrong[0]!r} is not the logical id of a patient." if wrong else None
