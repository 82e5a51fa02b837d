"""What the checks are told of a server: the apps registered there, who signs in, and whose records there are.

It is a JSON file; `conformance/README.md` describes every member.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any


class ConfigurationError(ValueError):
    """The configuration cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class App:
    """A registered app. secret: of a symmetric one; private_keys: JWKs of an asymmetric or backend one, RSA first."""

    client_id: str
    redirect_uri: str = ""
    launch_uri: str = ""
    secret: str = ""
    private_keys: tuple[Mapping[str, Any], ...] = ()

    @property
    def kind(self) -> str:
        """How it authenticates: `public`, `symmetric` or `asymmetric`."""
        return "symmetric" if self.secret else "asymmetric" if self.private_keys else "public"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signs in."""

    name: str
    password: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """All that the checks need. base_url: of the FHIR API, without a slash at its end.

    public, symmetric, asymmetric, backend: apps of these kinds. patient: a user who has one record, with the logical id
    own_patient; practitioner: one who sees both patients. own_encounter: of own_patient. other_patient: of somebody else.
    patient_search: what finds own_patient where patients are searched for. launch_page: where a practitioner starts apps.
    origin: of the public app's pages. revoked_within: seconds after which a revoked token must have ended.
    """

    base_url: str
    public: App
    symmetric: App
    asymmetric: App
    backend: App
    patient: Person
    practitioner: Person
    own_patient: str
    own_encounter: str
    other_patient: str
    patient_search: str
    launch_page: str
    origin: str
    revoked_within: int = 10

    def app(self, kind: str) -> App:
        """An app by its kind."""
        app: App = getattr(self, kind)
        return app

    def secrets(self) -> Iterator[str]:
        """What must never be shown."""
        yield from (self.patient.password, self.practitioner.password)
        for app in (self.public, self.symmetric, self.asymmetric, self.backend):
            yield app.secret
            for key in app.private_keys:
                yield from (value for name, value in key.items() if name in ("d", "p", "q", "dp", "dq", "qi"))


def read_configuration(path: Path, base_url: str | None = None) -> Configuration:
    """The configuration in a file. base_url: in place of the file's. Raises ConfigurationError."""
    try:
        values = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from None
    if not isinstance(values, dict):
        raise ConfigurationError(f"{path} holds no JSON object.")
    return configuration_of({**values, **({"base_url": base_url} if base_url else {})})


def configuration_of(values: Mapping[str, Any]) -> Configuration:
    """The configuration that a JSON object describes. Raises ConfigurationError."""
    known = {field.name for field in fields(Configuration)}
    if unknown := sorted(set(values) - known):
        raise ConfigurationError(f"These members mean nothing here: {', '.join(unknown)}.")
    made: dict[str, Any] = dict(values)
    try:
        for name in ("public", "symmetric", "asymmetric", "backend"):
            app = dict(values[name])
            app["private_keys"] = tuple(app.get("private_keys", ()))
            made[name] = App(**app)
        for name in ("patient", "practitioner"):
            made[name] = Person(**values[name])
        made["base_url"] = str(values["base_url"]).rstrip("/")
        return Configuration(**made)
    except KeyError as missing:
        raise ConfigurationError(f"The member {missing} is missing.") from None
    except TypeError as error:
        raise ConfigurationError(f"The configuration is not as it should be: {error}.") from None
