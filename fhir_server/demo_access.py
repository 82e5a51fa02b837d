"""Who may sign in to the demo, and the app that it brings along.

The passwords can be read here by anybody, so these users are for a machine that others cannot reach.
"""

from __future__ import annotations

from dataclasses import dataclass

from fhir_server.demo_app import add_demo_app
from fhir_server.demo_data.organization import clinician
from fhir_server.store.database import Database
from smart_auth.people.user_commands import DemoUser, add_demo_users, sub_of
from smart_auth.services import AuthServices
from smart_auth.tokens.by_hand import issue_token

TRIAL_SECONDS = 3600
DOCTOR, SEED, CLINICS = "doctor", 1, 3

USERS = (
    DemoUser(
        DOCTOR,
        "demo-doctor",
        clinician(SEED, 0, CLINICS).display,
        "practitioner",
        "Practitioner/demo-practitioner-0000",
    ),
    DemoUser(
        "rosalia",
        "demo-rosalia",
        "Rosalía Castañeda",
        "patient",
        "Patient/demo-patient-00000",
        ("demo-patient-00000",),
    ),
    DemoUser(
        "linnea",
        "demo-linnea",
        "Linnéa Sjögren",
        "related-person",
        "RelatedPerson/demo-relatedperson-00001-1",
        ("demo-patient-00001",),
    ),
    DemoUser("admin", "demo-admin", "The administrator", "administrator", None),
)
WHO = {
    "doctor": "sees every patient, and starts apps from their charts",
    "rosalia": "a patient, who sees her own record",
    "linnea": "a mother, who sees the record of her son Åke",
    "admin": "an administrator",
}


@dataclass(frozen=True, slots=True)
class DemoAccess:
    """What to print for somebody who tries the demo. users: (name, password, who that is). token: of the doctor."""

    users: tuple[tuple[str, str, str], ...]
    token: str


def prepare_demo_access(services: AuthServices, database: Database) -> DemoAccess | None:
    """Add the users and the app of the demo that are not there yet; None where the store does not hold the demo's data."""
    own_record = USERS[1].patients[0]
    if not database.current("Patient").find_one({"_id": own_record}, {"_id": 1}):
        return None
    stored = add_demo_users(services, USERS)
    add_demo_app(services)
    if not all(user["is_demo"] and user["is_active"] for user in stored):
        return None  # an administrator has put others in their place
    token = issue_token(services, "user/*.rs", sub_of(services, DOCTOR), seconds=TRIAL_SECONDS)["access_token"]
    return DemoAccess(tuple((user.name, user.password, WHO[user.name]) for user in USERS), token)


def demo_users_left(services: AuthServices) -> list[str]:
    """The names of the demo's users that may still sign in."""
    return [user.name for user in services.store.users.all() if user.is_demo and user.is_active]
