"""Launches of apps from this server: what an app is started in, under a handle that it brings back.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#launch-app-ehr-launch
A handle is good for minutes and once, for the client that it was made for, and for the session that it was made in.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from smart_auth.model import LaunchContext
from smart_auth.people.redirects import with_parameters
from smart_auth.people.sessions import Session
from smart_auth.services import AuthServices
from smart_auth.store.grants import context_of


@dataclass(frozen=True, slots=True)
class Launch:
    """What a handle stands for. session: the id of the session of the user who started the app."""

    client_id: str
    session: str
    context: LaunchContext


class Launches:
    """Launches that wait for their app to ask for authorization."""

    def __init__(self, services: AuthServices) -> None:
        self._clock = services.clock
        self._lifetime_ms = services.settings.launch_seconds * 1000
        self._records = services.store.records("launches")

    def begin(self, client_id: str, session: Session, context: LaunchContext) -> str:
        """Store a launch; its handle, the value of the parameter `launch`."""
        launch = Launch(client_id, session.id, context)
        return self._records.issue(asdict(launch), self._clock() + self._lifetime_ms)

    def take(self, handle: str, client_id: str) -> Launch | None:
        """Use a handle up; None if there is none, it is too old, or it is another client's, for whom it stays good."""
        values = self._records.take(handle, self._clock(), {"client_id": client_id})
        if values is None:
            return None
        return Launch(values["client_id"], values["session"], context_of(values["context"]))


def launch_address(launch_uri: str, fhir_base: str, handle: str) -> str:
    """Where the browser goes to start the app. iss: the FHIR base exactly as it is configured everywhere."""
    return with_parameters(launch_uri, [("iss", fhir_base), ("launch", handle)])
