"""The history of a resource."""

from __future__ import annotations

from typing import Any

from conformance.answers import bundle_of, expect_status, instant, refused
from conformance.check import Checks, Skip, expect
from conformance.clauses import HISTORY
from conformance.history.entries import entries_of, written
from conformance.rest_context import RestContext
from conformance.samples import of_each_type, sample
from conformance.statement import interaction

checks = Checks("History: of a resource")
INSTANCE = interaction("history-instance", "Patient")
LANGUAGES = ("en", "de", "fr")


def made(context: RestContext, type_name: str = "Patient") -> str:
    """`Type/id` of a resource of three versions and, after them, a deletion."""

    def make(it: RestContext) -> str:
        resource = it.records.create(sample(it, type_name, language=LANGUAGES[0]))
        body = {name: value for name, value in resource.items() if name != "meta"}
        for language in LANGUAGES[1:]:
            expect_status(it.records.put({**body, "language": language}), 200)
        path = f"{type_name}/{resource['id']}"
        expect_status(it.api.request("DELETE", path), 200, 202, 204)
        return path

    return context.shared(f"history.{type_name}", make)


def _of(context: RestContext, type_name: str = "Patient") -> list[dict[str, Any]]:
    return entries_of(context, f"{made(context, type_name)}/_history")


@of_each_type(
    checks,
    "history.every_version_once",
    "The history of {type} has every version once, the newest first.",
    HISTORY,
    "history-instance",
    "update",
)
def _(context: RestContext, type_name: str) -> None:
    languages = [each.get("language") for each in written(_of(context, type_name))]
    expect(
        languages == list(reversed(LANGUAGES)),
        f"The versions are those in {languages}, where {LANGUAGES} were written one after the other.",
    )


@of_each_type(
    checks,
    "history.deletion_has_no_resource",
    "A deletion of {type} is an entry of its own, without a resource.",
    HISTORY,
    "history-instance",
    "delete",
)
def _(context: RestContext, type_name: str) -> None:
    entries = _of(context, type_name)
    expect(
        len(entries) == len(LANGUAGES) + 1,
        f"There are {len(entries)} entries for {len(LANGUAGES)} versions and a deletion.",
    )
    newest = entries[0]
    expect(newest.get("request", {}).get("method") == "DELETE", "The newest entry is no DELETE.")
    expect("resource" not in newest, "The deletion has a resource.")


@checks(
    "history.request_method", "Each entry says how the version came to be: POST or PUT, PUT, DELETE.", HISTORY, INSTANCE
)
def _(context: RestContext) -> None:
    methods = [entry.get("request", {}).get("method") for entry in reversed(_of(context))]
    expect(methods, "The history is empty.")
    expect(methods[0] in ("POST", "PUT"), f"The first version came by {methods[0]}.")
    if methods[0] != "POST":
        context.notes.append("The version that a POST made is not said to come from one.")
    expect(methods[1:] == ["PUT", "PUT", "DELETE"], f"The methods are {methods}.")


@checks("history.request_url", "Each entry names the address that was asked.", f"{HISTORY}", INSTANCE)
def _(context: RestContext) -> None:
    path = made(context)
    for entry in _of(context):
        address = str(entry.get("request", {}).get("url", ""))
        expect(address.rstrip("/").endswith((path, "Patient")), f"An entry's request.url is {address!r}.")


@checks("history.response_status", "Each entry says how the request was answered.", HISTORY, INSTANCE)
def _(context: RestContext) -> None:
    for entry in _of(context):
        status = str(entry.get("response", {}).get("status", ""))
        if not status:
            context.notes.append("Entries have no response, which bdl-4 asks for.")
            return
        expect(status[:3] in ("200", "201", "204"), f"A response.status is {status!r}.")


@checks("history.etag", "The ETag of each entry is its version.", HISTORY, INSTANCE)
def _(context: RestContext) -> None:
    for entry in _of(context):
        etag = entry.get("response", {}).get("etag")
        if etag is None:
            context.notes.append("Entries have no response.etag.")
            return
        version = entry.get("resource", {}).get("meta", {}).get("versionId")
        expect(version is None or etag == f'W/"{version}"', f"The etag of version {version} is {etag!r}.")


@checks("history.full_url", "The fullUrl of each entry names the resource, without a version.", HISTORY, INSTANCE)
def _(context: RestContext) -> None:
    path = made(context)
    for entry in _of(context):
        expect(str(entry.get("fullUrl", "")).endswith(f"/{path}"), f"A fullUrl is {entry.get('fullUrl')!r}.")


@checks("history.meta_of_each", "Each version has its own versionId, and times that grow.", HISTORY, INSTANCE)
def _(context: RestContext) -> None:
    metas = [each.get("meta", {}) for each in written(_of(context))]
    versions = [meta.get("versionId") for meta in metas]
    expect(len(set(versions)) == len(versions) and None not in versions, f"The versions are {versions}.")
    times = [instant(meta.get("lastUpdated")) for meta in metas]
    expect(times == sorted(times, reverse=True), "The times do not fall from the newest to the oldest.")


@checks("history.total", "The total of a resource's history is the number of its versions.", HISTORY, INSTANCE)
def _(context: RestContext) -> None:
    total = bundle_of(context.api.get(f"{made(context)}/_history"), "history").get("total")
    if total is None:
        context.notes.append("The history states no total.")
        return
    expect(total == len(LANGUAGES) + 1, f"The total is {total}.")


@checks("history.self_link", "A history has a self link.", HISTORY, INSTANCE)
def _(context: RestContext) -> None:
    links = bundle_of(context.api.get(f"{made(context)}/_history"), "history").get("link", [])
    expect([link for link in links if link.get("relation") == "self"], "There is no self link.")


@checks("history.count_pages", "With _count, the pages together have every version once.", HISTORY, INSTANCE)
def _(context: RestContext) -> None:
    path = f"{made(context)}/_history?_count=1"
    first = bundle_of(context.api.get(path), "history").get("entry", [])
    if len(first) > 1:
        raise Skip("_count is ignored, which a server may do.")
    languages = [each.get("language") for each in written(entries_of(context, path))]
    expect(languages == list(reversed(LANGUAGES)), f"The pages have the versions in {languages}.")


@checks("history.of_unknown", "The history of what there never was answers 404.", HISTORY, INSTANCE)
def _(context: RestContext) -> None:
    refused(context.api.get(f"Patient/{context.records.text('none-')}/_history"), 404)
