"""Histories by time, and those of a type and of the whole system."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from conformance.answers import bundle_of, eventually, expect_status, instant, let_time_pass, refused
from conformance.check import Checks, Skip, expect
from conformance.clauses import HISTORY
from conformance.history.entries import entries_of, written
from conformance.history.instance import INSTANCE, LANGUAGES, made
from conformance.rest_context import RestContext
from conformance.samples import TYPES, sample
from conformance.statement import interaction

checks = Checks("History: by time, of types and of the system")
TYPE = interaction("history-type", "Patient")
SYSTEM = interaction("history-system")


@checks("history.bad_since", "A _since that is no instant is refused.", HISTORY, INSTANCE)
def _(context: RestContext) -> None:
    refused(context.api.get(f"{made(context)}/_history?_since=yesterday"), 400, 422)


def _three_moments(context: RestContext) -> dict[str, Any]:
    """A Patient of three versions with pauses between, and the moment at which each was made."""

    def make(it: RestContext) -> dict[str, Any]:
        resource = it.records.create(sample(it, language=LANGUAGES[0]))
        body = {name: value for name, value in resource.items() if name != "meta"}
        times = [resource["meta"]["lastUpdated"]]
        for language in LANGUAGES[1:]:
            let_time_pass(resource)
            expect_status(it.records.put({**body, "language": language}), 200)
            times.append(it.api.resource(f"Patient/{resource['id']}")["meta"]["lastUpdated"])
        return {"path": f"Patient/{resource['id']}", "times": times}

    return context.shared("history.moments", make)


@checks("history.since", "_since leaves out what was made before.", HISTORY, INSTANCE)
def _(context: RestContext) -> None:
    moments = _three_moments(context)
    entries = entries_of(context, f"{moments['path']}/_history?_since={quote(moments['times'][1])}")
    languages = [each.get("language") for each in written(entries)]
    expect(LANGUAGES[0] not in languages, "A version that is older than _since is there.")
    expect(languages[:1] == [LANGUAGES[2]], "The version after _since is missing.")
    expect(len(languages) <= 2, "There are more versions than were made since.")


@checks("history.since_later", "_since with a moment after the last change finds nothing.", HISTORY, INSTANCE)
def _(context: RestContext) -> None:
    path = _three_moments(context)["path"]
    expect(not entries_of(context, f"{path}/_history?_since=2999-01-01T00:00:00Z"), "There are versions of the future.")


@checks("history.at", "_at finds the version that was current then.", HISTORY, INSTANCE)
def _(context: RestContext) -> None:
    moments = _three_moments(context)
    answer = context.api.get(f"{moments['path']}/_history?_at={quote(moments['times'][1])}")
    if answer.status_code in (400, 501):
        raise Skip("_at, which a server need not have, is not served.")
    languages = [each.get("language") for each in written(bundle_of(answer, "history").get("entry", []))]
    if len(languages) == len(LANGUAGES):
        raise Skip("_at is ignored, which a server may do.")
    expect(
        LANGUAGES[1] in languages, f"Found are the versions in {languages}, where that in {LANGUAGES[1]} was current."
    )
    expect(LANGUAGES[2] not in languages, "A version that was made later is there.")


def _recent(context: RestContext, path: str) -> None:
    """That the history at an address has all that was just made, in order."""
    resource = context.records.create(sample(context, language=LANGUAGES[0]))
    since = quote(resource["meta"]["lastUpdated"])
    body = {name: value for name, value in resource.items() if name != "meta"}
    expect_status(context.records.put({**body, "language": LANGUAGES[1]}), 200)
    expect_status(context.api.request("DELETE", f"Patient/{resource['id']}"), 200, 202, 204)

    def look() -> None:
        entries = entries_of(context, f"{path}?_since={since}&_count=50")
        mine = [entry for entry in entries if str(entry.get("fullUrl", "")).endswith(f"Patient/{resource['id']}")]
        methods = [entry.get("request", {}).get("method") for entry in mine]
        expect(methods[:2] == ["DELETE", "PUT"], f"Of a create, an update and a deletion there is {methods}.")
        expect(len(mine) <= 3, f"There are {len(mine)} entries of three changes.")
        times = [instant(each["meta"].get("lastUpdated")) for each in written(entries)]
        expect(times == sorted(times, reverse=True), "The newest are not first.")

    eventually(context, look)


@checks("history.of_type", "The history of a type has its changes, the newest first.", HISTORY, TYPE)
def _(context: RestContext) -> None:
    _recent(context, "Patient/_history")


@checks("history.of_type_only", "The history of a type has no other types.", HISTORY, TYPE)
def _(context: RestContext) -> None:
    made(context, "Observation")
    bundle = bundle_of(context.api.get("Patient/_history?_count=50"), "history")
    types = {each.get("resourceType") for each in written(bundle.get("entry", []))}
    expect(types <= {"Patient"}, f"There are {', '.join(sorted(map(str, types)))}.")


@checks("history.of_system", "The history of the system has all changes, the newest first.", HISTORY, SYSTEM)
def _(context: RestContext) -> None:
    _recent(context, "_history")


@checks("history.of_system_types", "The history of the system has changes of every type.", HISTORY, SYSTEM)
def _(context: RestContext) -> None:
    since = None
    for type_name in TYPES:
        if "create" in context.statement.interactions(type_name):
            resource = context.records.create(sample(context, type_name))
            since = since or quote(resource["meta"]["lastUpdated"])
            newest = entries_of(context, f"_history?_since={since}&_count=50")
            expect(
                any(each.get("id") == resource["id"] for each in written(newest)), f"A new {type_name} is not there."
            )


@checks("history.pages_of_type", "The pages of a type's history repeat nothing.", HISTORY, TYPE)
def _(context: RestContext) -> None:
    resource = context.records.create(sample(context))
    since = quote(resource["meta"]["lastUpdated"])
    for _ in range(4):
        context.records.create(sample(context))
    entries = entries_of(context, f"Patient/_history?_since={since}&_count=2")
    keys = [(each.get("id"), each.get("meta", {}).get("versionId")) for each in written(entries)]
    expect(len(set(keys)) == len(keys), "A version comes twice.")
    expect(len(keys) >= 4, f"There are {len(keys)} versions, where at least 4 were made since.")
