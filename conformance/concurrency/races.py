"""Several clients at once: lost updates, races for one resource, reads beside writes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from conformance.answers import expect_status, location_of, version_of
from conformance.api import json_of
from conformance.check import Checks, Skip, expect
from conformance.claims import CONDITIONAL_CREATES, CONDITIONAL_UPDATES, UPDATE_CREATES, UPDATES, VERSIONED
from conformance.clauses import (
    CONCURRENCY,
    CONDITIONAL_CREATE,
    CONDITIONAL_UPDATE,
    UPDATE,
    UPSERT,
    VERSIONING,
)
from conformance.concurrency.if_match import put
from conformance.history.entries import entries_of
from conformance.rest.updating import created
from conformance.rest_context import RestContext
from conformance.samples import identifier_of, new_id, sample
from conformance.statement import interaction

checks = Checks("Concurrency: races")
CLIENTS = 8
BUSY = (409, 412, 429, 503)
"""How a server may turn a client away that came at the same time as another one."""

Answer = TypeVar("Answer")


def together(task: Callable[[int], Answer], clients: int = CLIENTS) -> list[Answer]:
    """The results of a task for the numbers from 0, in threads that begin at the same time."""
    line = threading.Barrier(clients)

    def begin(number: int) -> Answer:
        line.wait(60)
        return task(number)

    with ThreadPoolExecutor(clients) as pool:
        return list(pool.map(begin, range(clients)))


@checks(
    "concurrency.updates_lose_no_version",
    "Updates at the same time make one version each, without a gap in what was acknowledged.",
    VERSIONING,
    UPDATES,
    interaction("vread", "Patient"),
    VERSIONED,
)
def _(context: RestContext) -> None:
    made = created(context)
    path = f"Patient/{made['id']}"
    answers = together(lambda number: put(context, made, birthDate=f"1980-01-{number + 1:02}"))
    done = {number: answer for number, answer in enumerate(answers) if answer.status_code == 200}
    others = {answer.status_code for answer in answers} - {200}
    expect(others <= set(BUSY), f"Updates at the same time were answered {sorted(others)}.")
    expect(done, "No update at the same time as others was done.")
    versions = [version_of(answer) for answer in done.values()]
    expect(len(set(versions)) == len(versions), f"Two updates were given the same version: {sorted(versions)}.")
    for number, answer in done.items():
        found = context.api.resource(f"{path}/_history/{version_of(answer)}")
        expect(
            found.get("birthDate") == f"1980-01-{number + 1:02}",
            f"Version {version_of(answer)} was acknowledged to one client and has what another one sent.",
        )


@checks(
    "concurrency.history_after_updates",
    "After updates at the same time the history has each version once.",
    VERSIONING,
    UPDATES,
    interaction("history-instance", "Patient"),
)
def _(context: RestContext) -> None:
    made = created(context)
    answers = together(lambda number: put(context, made, birthDate=f"1980-01-{number + 1:02}"))
    done = [version_of(answer) for answer in answers if answer.status_code == 200]
    entries = entries_of(context, f"Patient/{made['id']}/_history")
    versions = [entry["resource"]["meta"].get("versionId") for entry in entries if "resource" in entry]
    expect(len(set(versions)) == len(versions), "A version is in the history twice.")
    lost = sorted(set(done) - set(versions))
    expect(not lost, f"Acknowledged and not in the history: version {', '.join(lost)}.")
    expect(
        len(versions) == len(done) + 1, f"The history has {len(versions)} versions, where {len(done) + 1} were made."
    )


@checks(
    "concurrency.if_match_one_wins",
    "Of updates at the same time with If-Match of the same version, one is done.",
    CONCURRENCY,
    UPDATES,
    VERSIONED,
)
def _(context: RestContext) -> None:
    made = created(context)
    version = made["meta"]["versionId"]
    answers = together(lambda number: put(context, made, version, birthDate=f"1980-01-{number + 1:02}"))
    winners = [number for number, answer in enumerate(answers) if answer.status_code == 200]
    expect(len(winners) == 1, f"{len(winners)} of {CLIENTS} updates of the same version were done.")
    found = context.api.resource(f"Patient/{made['id']}")
    expect(found.get("birthDate") == f"1980-01-{winners[0] + 1:02}", "What is read is not what the one that won sent.")


@checks(
    "concurrency.conditional_creates_leave_one",
    "Conditional creates at the same time leave one resource.",
    CONDITIONAL_CREATE,
    CONDITIONAL_CREATES,
)
def _(context: RestContext) -> None:
    resource = sample(context)
    condition = identifier_of(resource)
    answers = together(lambda _: context.records.post(resource, If_None_Exist=condition))
    others = {answer.status_code for answer in answers} - {200, 201}
    expect(others <= set(BUSY), f"Conditional creates at the same time were answered {sorted(others)}.")
    ids = {location_of(answer, "Patient")[0] for answer in answers if answer.status_code == 201}
    expect(len(ids) == 1, f"{len(ids)} resources were made by conditional creates at the same time.")


@checks(
    "concurrency.conditional_updates_leave_one",
    "Conditional updates at the same time that nothing matches leave one resource.",
    CONDITIONAL_UPDATE,
    CONDITIONAL_UPDATES,
)
def _(context: RestContext) -> None:
    resource = sample(context)
    condition = identifier_of(resource)
    body = context.records.tagged(resource)
    answers = together(lambda _: context.api.send("PUT", f"Patient?{condition}", body))
    for answer in answers:
        if answer.status_code == 201:
            context.records.note(f"Patient/{location_of(answer, 'Patient')[0]}")
    others = {answer.status_code for answer in answers} - {200, 201}
    expect(others <= set(BUSY), f"Conditional updates at the same time were answered {sorted(others)}.")
    made = sum(answer.status_code == 201 for answer in answers)
    expect(made == 1, f"{made} resources were made by conditional updates at the same time.")


@checks(
    "concurrency.puts_of_one_id", "PUTs at the same time to a new id create it once.", UPSERT, UPDATES, UPDATE_CREATES
)
def _(context: RestContext) -> None:
    resource = sample(context, id=new_id(context))
    answers = together(lambda number: context.records.put({**resource, "birthDate": f"1980-01-{number + 1:02}"}))
    statuses = [answer.status_code for answer in answers]
    expect(set(statuses) <= {200, 201, *BUSY}, f"PUTs at the same time were answered {sorted(set(statuses))}.")
    expect(statuses.count(201) == 1, f"{statuses.count(201)} PUTs were said to create the same resource.")
    versions = [version_of(answer) for answer in answers if answer.status_code in (200, 201)]
    expect(len(set(versions)) == len(versions), "Two PUTs were given the same version.")


@checks(
    "concurrency.reads_never_go_back",
    "A read never shows an older version than one that was acknowledged before.",
    UPDATE,
    UPDATES,
)
def _(context: RestContext) -> None:
    made = created(context)
    path = f"Patient/{made['id']}"
    acknowledged = [0]
    ended = threading.Event()
    faults: list[str] = []

    def write() -> None:
        try:
            for number in range(1, 16):
                if put(context, made, multipleBirthInteger=number).status_code == 200:
                    acknowledged[0] = number
        finally:
            ended.set()

    def read() -> None:
        while not ended.is_set():
            least = acknowledged[0]
            answer = context.api.get(path)
            if answer.status_code != 200:
                faults.append(f"A read was answered {answer.status_code}.")
            elif (found := json_of(answer).get("multipleBirthInteger", 0)) < least:
                faults.append(f"A read showed {found}, though {least} was acknowledged before it began.")

    with ThreadPoolExecutor(3) as pool:
        running = [pool.submit(write), pool.submit(read), pool.submit(read)]
        for each in running:
            each.result()
    expect(not faults, faults[0] if faults else "")
    if acknowledged[0] == 0:
        raise Skip("No update was done.")


@checks("concurrency.read_your_write", "What was acknowledged is read at once.", UPDATE, UPDATES)
def _(context: RestContext) -> None:
    made = created(context)
    for number in range(1, 6):
        expect_status(put(context, made, multipleBirthInteger=number), 200)
        found = context.api.resource(f"Patient/{made['id']}").get("multipleBirthInteger")
        expect(found == number, f"Read is {found!r} right after {number} was acknowledged.")


@checks(
    "concurrency.creates_have_ids_of_their_own",
    "Creates at the same time are given different ids.",
    f"{UPDATE.replace('update', 'create')}",
    interaction("create", "Patient"),
)
def _(context: RestContext) -> None:
    answers = together(lambda _: context.records.post(sample(context)))
    ids = [location_of(answer, "Patient")[0] for answer in answers if answer.status_code == 201]
    expect(ids, "No create at the same time as others was done.")
    expect(len(set(ids)) == len(ids), "Two creates were given the same id.")
