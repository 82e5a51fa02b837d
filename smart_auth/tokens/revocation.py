"""The end of a grant before its time, with all tokens and codes that belong to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smart_auth.events import Event

if TYPE_CHECKING:
    from smart_auth.services import AuthServices


def revoke_grant(services: AuthServices, grant_id: str) -> bool:
    """End a grant. This process refuses its access tokens at once, others within three seconds; False if it had ended."""
    is_revoked = services.store.grants.revoke(grant_id, services.clock())
    services.access_cache.forget()
    if is_revoked:
        grant = services.store.grants.find(grant_id)
        if grant is not None:
            services.audit(
                Event(
                    "token-revoke",
                    True,
                    client_id=grant.client_id,
                    sub=grant.sub,
                    grant_id=grant_id,
                    patient=grant.context.patient,
                )
            )
    return is_revoked
