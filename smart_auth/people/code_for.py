"""From a request that its user agreed to, to a grant and the code that stands for it.

https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2
"""

from __future__ import annotations

from dataclasses import replace

from smart_auth.events import Event
from smart_auth.model import Grant, LaunchContext, Stay
from smart_auth.people.flow import LAUNCH_ENCOUNTER, LAUNCH_PATIENT, Visitor
from smart_auth.people.transactions import Transaction
from smart_auth.scopes import LAUNCH, OFFLINE, ONLINE, parse
from smart_auth.services import AuthServices
from smart_auth.tokens.codes import issue_code

# An audit's sentence must stay one.
LONGEST_REPORT = 1000


def code_for(
    services: AuthServices, transaction: Transaction, visitor: Visitor, scope: str, address: str | None
) -> str:
    """Store the grant and a code for it, and tell the audit what was left out, and why; the code.

    transaction: taken from the store by the caller, so that there is one code a request. scope: what is granted of it.
    """
    request, now = transaction.request, services.clock()
    stay = stay_of(scope)
    ends_at = now + services.settings.grant_seconds(stay) * 1000
    grant = Grant(
        id=services.random_text(),
        client_id=request.client_id,
        scope=scope,
        created_at=now,
        expires_at=min(ends_at, visitor.session.ends_at) if stay == "online" else ends_at,
        sub=visitor.user.sub,
        context=context_of_grant(transaction, scope),
        stay=stay,
        user_session=visitor.session.id,
        auth_time=visitor.session.auth_time,
        nonce=request.nonce,
    )
    services.store.grants.add(grant)
    code = issue_code(services, grant, request.redirect_uri, request.code_challenge)
    services.audit(
        Event(
            "consent",
            True,
            client_id=grant.client_id,
            sub=grant.sub,
            grant_id=grant.id,
            patient=grant.context.patient,
            reason=left_out(transaction, scope),
            address=address,
        )
    )
    return code


def stay_of(scope: str) -> Stay:
    """How long a grant of this scope lets the client go on."""
    others = parse(scope).others
    return "offline" if OFFLINE in others else "online" if ONLINE in others else "none"


def context_of_grant(transaction: Transaction, scope: str) -> LaunchContext:
    """The context that goes with the granted scope: nothing that the user did not agree to tell.

    https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
    """
    read = parse(scope)
    patient = transaction.patient or None
    encounter = transaction.encounter or None
    if transaction.launch is not None and LAUNCH in read.others:
        return replace(transaction.launch, patient=patient, encounter=encounter)
    needs_patient = LAUNCH_PATIENT in read.others or any(each.level == "patient" for each in read.resources)
    has_encounter = LAUNCH_ENCOUNTER in read.others
    return LaunchContext(
        patient=patient if needs_patient or has_encounter else None, encounter=encounter if has_encounter else None
    )


def left_out(transaction: Transaction, scope: str) -> str | None:
    """A sentence for the client's developer about what was asked for and not granted; None if that is nothing."""
    given = set(scope.split(" "))
    unticked = [each for each in transaction.request.scope.split(" ") if each not in given]
    reasons = [f"{name[:100]}: {reason}" for name, reason in transaction.request.not_offered]
    reasons += [f"{name[:100]}: The user did not agree to it, or to a part of it only." for name in unticked]
    return " ".join(["Not granted:", *reasons])[:LONGEST_REPORT] if reasons else None
