"""What a comparison stores in another server: kept track of, and deleted in the end."""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Iterable, Iterator

import orjson

from benchmarks.comparison import Values
from benchmarks.population import Resource, batches, bundle, storing
from benchmarks.target import Answer, Client

NO_ANSWER = 0
RECORDS_A_TRANSACTION = 100
FIRST_PATIENT = "/Patient/demo-patient-00000"
_REFERENCE = re.compile(r"(?:^|/)([A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64})(?:/_history/[^/]+)?$")


class Records:
    """The records that were stored in one server, by a client that takes every answer as it comes."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.stored: list[str] = []  # such as Patient/1, in the order of their creation

    def ask(self, method: str, path: str, body: bytes = b"") -> Answer:
        """Send a request; an answer with the status 0 if none came."""
        try:
            return self.client.ask(method, path, body)
        except (OSError, http.client.HTTPException):
            self.client.close()
            return Answer(NO_ANSWER, b"", 0.0)

    def create(self, body: bytes) -> Answer:
        """Create a Patient, and keep track of it."""
        answer = self.ask("POST", "/Patient", body)
        if answer.status == 201:
            key = answer.tree().get("id")
            self._keep([f"Patient/{key}" if key else answer.location])
        return answer

    def transact(self, body: bytes) -> Answer:
        """Send a transaction, and keep track of what it created."""
        answer = self.ask("POST", "", body)
        if answer.status == 200:
            self._keep(entry.get("response", {}).get("location", "") for entry in answer.tree().get("entry", ()))
        return answer

    def _keep(self, locations: Iterable[str]) -> None:
        self.stored += [match[1] for location in locations if (match := _REFERENCE.search(location))]

    def store_population(self, population: Iterator[Resource]) -> Values:
        """Store the records of a demo population under their own ids: in transactions, or else one by one.

        What the server has already is not touched: it would be deleted in the end.
        """
        if self.ask("GET", FIRST_PATIENT).status == 200:
            return {"refused": f"it has {FIRST_PATIENT[1:]} already: nothing is sent, so that nothing of it is deleted"}
        began = time.perf_counter()
        number = 0
        takes_transactions = True
        for records in batches(population, RECORDS_A_TRANSACTION):
            status = self.ask("POST", "", storing(records)).status if takes_transactions else None
            if status in (200, NO_ANSWER):  # without an answer, it may have stored them
                self.stored += [f"{record['resourceType']}/{record['id']}" for record in records]
            takes_transactions = status == 200
            if not takes_transactions:
                for record in records:
                    reference = f"{record['resourceType']}/{record['id']}"
                    status = self.ask("PUT", f"/{reference}", orjson.dumps(record)).status
                    if status not in (200, 201):
                        return {"refused": status, "resources": number, "at": f"PUT {reference}"}
                    self.stored.append(reference)
            number += len(records)
        seconds = time.perf_counter() - began
        return {"resources": number, "seconds": seconds, "per_second": number / seconds}

    def delete(self) -> Values:
        """Delete all that was stored, the last first, as what refers to others came after them."""
        left: list[str] = []
        for references in _in_parts(list(dict.fromkeys(reversed(self.stored))), RECORDS_A_TRANSACTION):
            entries = [{"request": {"method": "DELETE", "url": reference}} for reference in references]
            if self.ask("POST", "", bundle("transaction", entries)).status != 200:
                left += [
                    each
                    for each in references
                    if self.ask("DELETE", f"/{each}").status not in (200, 202, 204, 404, 410)
                ]
        return {"stored": len(self.stored), "left": left}


def _in_parts(values: list[str], size: int) -> Iterator[list[str]]:
    return (values[start : start + size] for start in range(0, len(values), size))
