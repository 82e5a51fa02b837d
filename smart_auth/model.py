"""What the authorization server knows of clients, users, grants and access, as plain values.

Times are milliseconds since 1970, as everywhere in the house; OAuth's own answers count in seconds. Scopes are texts as the
client spells them; `smart_auth.scopes` gives them a meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

ClientType = Literal["public", "confidential-symmetric", "confidential-asymmetric", "backend"]

Role = Literal["patient", "related-person", "practitioner", "administrator"]

Stay = Literal["none", "online", "offline"]
"""How long a client may go on by refresh tokens: not at all, while the user is signed in, or when the user is away."""


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """SHA-256 of a client secret, in hexadecimal, and until when it is accepted (None: until it is rotated)."""

    digest: str
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """A registered application.

    https://www.rfc-editor.org/rfc/rfc7591#section-2
    scope: what it may ask for, separated by blanks. jwks or jwks_uri: the keys of an asymmetric or backend client.
    skips_consent: an administrator has agreed for all users. auth_method: the one way in which it authenticates; None for
    all that its type allows. may_introspect: it is a resource server, which may ask about every token.
    """

    client_id: str
    name: str
    type: ClientType
    scope: str
    created_at: int
    redirect_uris: tuple[str, ...] = ()
    launch_uris: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    jwks: Mapping[str, Any] | None = None
    jwks_uri: str | None = None
    secrets: tuple[ClientSecret, ...] = ()
    publisher: str | None = None
    client_uri: str | None = None
    logo_uri: str | None = None
    tos_uri: str | None = None
    policy_uri: str | None = None
    skips_consent: bool = False
    is_active: bool = True
    is_demo: bool = False
    auth_method: str | None = None
    may_introspect: bool = False


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who signs in.

    sub: opaque and stable; name: what is typed to sign in. fhir_user: the user's own resource, `Practitioner/1`; None for an
    administrator without one. patients: logical ids of the patients that a patient or related person may act for.
    """

    sub: str
    name: str
    display: str
    role: Role
    password_hash: str
    created_at: int
    fhir_user: str | None = None
    patients: tuple[str, ...] = ()
    is_active: bool = True
    is_demo: bool = False


def patients_of(role: Role, fhir_user: str | None, patients: tuple[str, ...]) -> tuple[str, ...]:
    """The patients whose records are a user's to use: a patient's own and those that are acted for; none for others."""
    if role == "patient":
        own = (fhir_user or "").removeprefix("Patient/")
        return tuple(dict.fromkeys([*([own] if own else []), *patients]))
    return patients if role == "related-person" else ()


@dataclass(frozen=True, slots=True)
class LaunchContext:
    """What an app is launched in.

    https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
    patient, encounter: logical ids. fhir_context: objects with reference, canonical or identifier, and maybe role and type.
    """

    patient: str | None = None
    encounter: str | None = None
    fhir_context: tuple[Mapping[str, Any], ...] = ()
    need_patient_banner: bool | None = None
    intent: str | None = None
    tenant: str | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """What a user allowed a client, or an administrator a backend client: the root of a family of tokens.

    scope: what was granted, in the client's spelling. user_session: id of the session that an online grant ends with.
    expires_at: when it ends at the latest; revoked_at: when it was ended before. auth_time: when the user signed in.
    """

    id: str
    client_id: str
    scope: str
    created_at: int
    expires_at: int
    sub: str | None = None
    context: LaunchContext = field(default_factory=LaunchContext)
    stay: Stay = "none"
    user_session: str | None = None
    auth_time: int | None = None
    nonce: str | None = None
    last_used_at: int | None = None
    revoked_at: int | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """What an access token stands for, as the resource server needs it: everything that a fence is built from.

    scope: of this token, which may be less than the grant's. role and fhir_user: of the user, if there is one; patients:
    as `patients_of` has them.
    """

    client_id: str
    grant_id: str
    scope: str
    expires_at: int
    sub: str | None = None
    role: Role | None = None
    fhir_user: str | None = None
    patients: tuple[str, ...] = ()
    context: LaunchContext = field(default_factory=LaunchContext)
