"""What comes next on the way from an authorization request to a code. Pure: from what is known to the next step.

sign-in → (patient) → (encounter) → consent → done
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from smart_auth.model import Client, User
from smart_auth.people.records import may_see, own_patients
from smart_auth.people.sessions import Session
from smart_auth.people.transactions import Transaction
from smart_auth.scopes import parse

LAUNCH_PATIENT, LAUNCH_ENCOUNTER = "launch/patient", "launch/encounter"

Step = Literal["sign-in", "patient", "encounter", "consent", "done"]


@dataclass(frozen=True, slots=True)
class Stop:
    """The request ends here, with an error for the app."""

    error: str
    description: str


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is at the browser: a session and its user, who is active."""

    session: Session
    user: User


def needs_sign_in(transaction: Transaction, visitor: Visitor | None, now: int) -> bool:
    """Whether a password is needed before going on.

    https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest: prompt=login, and max_age in seconds
    """
    if visitor is None:
        return True
    signed_in_for_this = visitor.session.auth_time >= transaction.created_at
    if signed_in_for_this:
        return False
    request = transaction.request
    if "login" in request.prompt or "select_account" in request.prompt:
        return True
    return request.max_age is not None and now - visitor.session.auth_time > request.max_age * 1000


def needs_patient(transaction: Transaction) -> bool:
    """Whether a patient must be known.

    https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
    Any patient/ scope means one patient's records, and an encounter is a patient's.
    """
    asked = parse(transaction.request.scope)
    wanted = LAUNCH_PATIENT in asked.others or any(scope.level == "patient" for scope in asked.resources)
    return wanted or needs_encounter(transaction)


def needs_encounter(transaction: Transaction) -> bool:
    """Whether the user is asked for an encounter. Whoever launched the app from here has answered already."""
    return transaction.launch is None and LAUNCH_ENCOUNTER in parse(transaction.request.scope).others


def with_known_context(transaction: Transaction, user: User) -> Transaction:
    """The transaction with what needs no question: the launch's patient and encounter, a patient's only record."""
    if transaction.launch is not None:
        launch = transaction.launch
        return replace(
            transaction,
            patient=launch.patient or transaction.patient,
            encounter=launch.encounter or transaction.encounter,
        )
    own = own_patients(user)
    if user.role == "patient" and len(own) == 1 and needs_patient(transaction):
        return replace(transaction, patient=own[0])
    return transaction


def next_step(transaction: Transaction, visitor: Visitor | None, client: Client, now: int) -> Step | Stop:
    """What comes next. transaction: as `with_known_context` made it, once there is a visitor. now: milliseconds."""
    is_silent = "none" in transaction.request.prompt
    if visitor is None or needs_sign_in(transaction, visitor, now):
        return Stop("login_required", "The user must sign in.") if is_silent else "sign-in"
    step = _after_sign_in(transaction, visitor, client)
    if is_silent and not isinstance(step, Stop) and step != "done":
        return Stop("interaction_required", f"The user must be asked: {step}.")
    return step


def _after_sign_in(transaction: Transaction, visitor: Visitor, client: Client) -> Step | Stop:
    if transaction.launch_session is not None and transaction.launch_session != visitor.session.id:
        return Stop("invalid_request", "The launch was made by another user, or in a session that is over.")
    if transaction.patient is not None and not may_see(visitor.user, transaction.patient):
        return Stop("access_denied", "The user has no access to this patient.")
    if needs_patient(transaction) and transaction.patient is None:
        if visitor.user.role != "practitioner" and not own_patients(visitor.user):
            return Stop("access_denied", "The user has no access to patients.")
        return "patient"
    if needs_encounter(transaction) and transaction.encounter is None:
        return "encounter"
    if client.skips_consent and "consent" not in transaction.request.prompt:
        return "done"
    return "consent"
