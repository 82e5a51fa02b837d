"""Which patients a version of a resource is about: those in whose compartments it is.

https://hl7.org/fhir/R4/compartmentdefinition-patient.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from fhir_server.audit.records import Seen
from fhir_server.services import Services
from fhir_server.store.reads import read_version
from fhir_server.store.stored_entries import read_entries
from resources.definitions import compartment_parameters
from resources.document import parse_document
from resources.problem import Problem
from search.index import index_values
from search.index_values import compartment_entry

_PATIENT = compartment_entry("Patient", "")

Subjects = Mapping[Seen, tuple[str, ...]]
"""Version → logical ids of patients. Version 0 stands for the one that is current now."""


def find_subjects(versions: Iterable[Seen], services: Services) -> Subjects:
    """The patients of each version; a deleted one's are those of the version before it."""
    found: dict[Seen, tuple[str, ...]] = {}
    by_type: dict[str, set[Seen]] = defaultdict(set)
    for seen in set(versions):
        if seen[0] == "Patient":
            found[seen] = (seen[1],)
        elif seen[0] in compartment_parameters("Patient"):
            by_type[seen[0]].add(seen)
    for type_name, wanted in by_type.items():
        current = read_entries(services.database, type_name, {logical_id for _, logical_id, _ in wanted})
        for seen in wanted:
            _, logical_id, version = seen
            at, entries = current.get(logical_id, (0, None))
            if entries is not None and version in (0, at):
                found[seen] = _patients(entries)
            elif at:
                found[seen] = _of_version(type_name, logical_id, version or at, services)
    return found


def _of_version(type_name: str, logical_id: str, version: int, services: Services) -> tuple[str, ...]:
    stored = read_version(services.database, type_name, logical_id, version)
    if stored is not None and stored.raw is None and version > 1:
        stored = read_version(services.database, type_name, logical_id, version - 1)
    if stored is None or stored.raw is None:
        return ()
    try:
        tree = parse_document(stored.raw, type_name).tree
        return _patients(index_values(tree, services.context()).entries)
    except (Problem, ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return ()  # loaded by an earlier release with other rules; the reference to the resource is in the event


def _patients(entries: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(entry[len(_PATIENT) :] for entry in entries if entry.startswith(_PATIENT)))
