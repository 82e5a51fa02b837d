"""Users, sign-in, sessions, the way to consent, launches and the pages of all that."""

from smart_auth.people.mounting import register_people
from smart_auth.people.records import EncounterLine, PatientLine, PatientSearch, Records, read_search

__all__ = ["EncounterLine", "PatientLine", "PatientSearch", "Records", "read_search", "register_people"]
