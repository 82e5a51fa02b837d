"""From the journal into the store: a few lines at a time become AuditEvents, and then the journal is told.

An AuditEvent has its id from the file and the place of its line. So lines that are taken again, because whoever took them
died before that was noted, are found to be there already.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from fhir_server.audit.audit_event import Names, audit_events, versions_of
from fhir_server.audit.journal import SUFFIX
from fhir_server.audit.records import Record, RequestRecord, record_of
from fhir_server.audit.subjects import find_subjects
from fhir_server.audit.tails import Line, Tail, journal_files
from fhir_server.request_log import log
from fhir_server.services import Services
from fhir_server.store.commit import commit_missing
from resources.change import Change, Stored
from resources.document import instant
from resources.problem import Problem
from search.context import Context
from search.index import index_values
from smart_auth.store import AuthStore

TYPE = "AuditEvent"
UNREADABLE = (Problem, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What a line can raise that holds no record, or a record of which no AuditEvent can be made."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A record with the line that it stood on."""

    line: Line
    record: Record


class _File:
    """A file of the journal with what was begun in it and not done yet: key → the record that begins it."""

    def __init__(self, path: Path) -> None:
        self.tail = Tail(path)
        self.begun: dict[int, _Read] = {}

    def read(self, most: int) -> list[_Read]:
        """The next records that can be taken; what has begun waits for its end."""
        found: list[_Read] = []
        for line in self.tail.read(most):
            try:
                read = _Read(line, record_of(line.text))
            except UNREADABLE as error:
                log("error", "audit journal has a damaged line", error=type(error).__name__, file=line.name)
                self.tail.note_damaged(line)
                continue
            record = read.record
            if isinstance(record, RequestRecord) and record.key is not None:
                if record.stage == "begun":
                    self.begun[record.key] = read
                    continue
                self.begun.pop(record.key, None)
            found.append(read)
        return found

    def left_open(self) -> list[_Read]:
        """What was begun and never done, in a file that is complete."""
        left = list(self.begun.values())
        self.begun = {}
        return left

    def done(self) -> int:
        """The position before which everything has been taken, once what was read is."""
        return min([self.tail.position, *(read.line.offset for read in self.begun.values())])


class Taker:
    """Takes the journal of one folder. Only one at a time may work on a folder; see `process`."""

    def __init__(self, folder: Path, services: Services, store: AuthStore) -> None:
        self._folder = folder
        self._services = services
        self._store = store
        self._files: dict[Path, _File] = {}

    def take(self, most: int) -> bool:
        """Take so many lines of each file at most; whether there were any. Raises the driver's errors; ask again then."""
        paths = journal_files(self._folder)
        for gone in self._files.keys() - set(paths):
            self._files.pop(gone).tail.close()
        took_any = False
        for path in paths:
            if path not in self._files:
                self._files[path] = _File(path)
            took_any |= self._take_from(path, self._files[path], most)
        return took_any

    def waiting(self) -> int:
        """How many bytes of the journal the store does not have."""
        return sum(file.tail.waiting() for file in self._files.values())

    def _take_from(self, path: Path, file: _File, most: int) -> bool:
        is_complete = file.tail.is_complete()
        before = file.tail.position
        try:
            found = file.read(most)
            is_at_end = file.tail.position == before
            if is_complete and is_at_end:
                found = file.left_open()
            self._store_events(found)
        except BaseException:
            # What was read and not stored is read again, from where everything before it is known to be stored.
            self._files.pop(path).tail.close()
            raise
        file.tail.note_taken(file.done())
        if is_complete and is_at_end:
            file.tail.remove()
            del self._files[path]
        return not is_at_end or bool(found)

    def _store_events(self, found: Sequence[_Read]) -> None:
        if not found:
            return
        names = self._names(read.record for read in found)
        subjects = find_subjects((seen for read in found for seen in versions_of(read.record)), self._services)
        now = self._services.clock()
        context = self._services.context()
        changes: list[Change] = []
        for read in found:
            try:
                events = audit_events(read.record, subjects, names, self._services.base_url)
                changes += [_change(read.line, number, event, now, context) for number, event in enumerate(events)]
            except UNREADABLE as error:
                # One that nothing can be made of must not keep all others from the store.
                log("error", "audit journal has a damaged line", error=type(error).__name__, file=read.line.name)
                self._files[self._folder / (read.line.name + SUFFIX)].tail.note_damaged(read.line)
        commit_missing(self._services.database, changes)

    def _names(self, records: Iterator[Record]) -> Names:
        everybody = {record.who for record in records}
        users = {who.sub: self._store.users.find(who.sub) for who in everybody if who.sub is not None}
        clients = {who.client: self._store.clients.find(who.client) for who in everybody if who.client is not None}
        return Names(
            {sub: user for sub, user in users.items() if user is not None},
            {client_id: client for client_id, client in clients.items() if client is not None},
        )


def _change(line: Line, number: int, event: dict[str, Any], now: int, context: Context) -> Change:
    """An AuditEvent as a new resource. number: among those of its line."""
    own_id = f"{line.name}-{line.offset}" + (f"-{number}" if number else "")
    meta = {"versionId": "1", "lastUpdated": instant(now)}
    tree = {"resourceType": TYPE, "id": own_id, "meta": meta, **event}
    after = Stored(TYPE, own_id, 1, now, orjson.dumps(tree), "POST", was_there=False)
    return Change(after, None, index_values(tree, context).fields)
