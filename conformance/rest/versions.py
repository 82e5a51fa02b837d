"""Reading the versions of a resource."""

from __future__ import annotations

from typing import Any

from conformance.answers import expect_status, refused, version_of
from conformance.api import resource_of
from conformance.check import Checks, Skip, expect
from conformance.claims import DELETES, VERSIONED
from conformance.clauses import DELETE, READ, VERSIONING, VREAD
from conformance.rest_context import RestContext
from conformance.samples import of_each_type, sample
from conformance.statement import interaction

checks = Checks("REST: vread")
LANGUAGES = ("en", "de", "fr")


def versions_of(context: RestContext, type_name: str) -> dict[str, Any]:
    """A resource of three versions, each in another language: `path`, and `versions` with the version ids, oldest first."""

    def make(it: RestContext) -> dict[str, Any]:
        resource = sample(it, type_name, language=LANGUAGES[0])
        made = it.records.create(resource)
        versions = [made["meta"]["versionId"]]
        for language in LANGUAGES[1:]:
            answer = expect_status(it.records.put({**resource, "id": made["id"], "language": language}), 200)
            versions.append(version_of(answer))
        return {"path": f"{type_name}/{made['id']}", "versions": versions}

    return context.shared(f"rest.versions.{type_name}", make)


@of_each_type(
    checks,
    "rest.read_current",
    "Reading {type} answers with the newest version, and its number as ETag.",
    READ,
    "read",
    "update",
)
def _(context: RestContext, type_name: str) -> None:
    made = versions_of(context, type_name)
    answer = expect_status(context.api.get(made["path"]), 200)
    found = resource_of(answer)
    expect(
        found.get("language") == LANGUAGES[-1],
        f"What is read is not the newest version but the one in {found.get('language')}.",
    )
    expect(version_of(answer) == made["versions"][-1], "The ETag is not the newest version.")
    if "Last-Modified" not in answer.headers:
        context.notes.append("There is no Last-Modified, which should be there.")


@of_each_type(
    checks,
    "rest.vread_each_version",
    "Each version of {type} can be read with its own content.",
    VREAD,
    "vread",
    "update",
)
def _(context: RestContext, type_name: str) -> None:
    made = versions_of(context, type_name)
    for version, language in zip(made["versions"], LANGUAGES, strict=True):
        found = context.api.resource(f"{made['path']}/_history/{version}")
        expect(
            found.get("language") == language,
            f"Version {version} is read in {found.get('language')!r}, where it was written in {language!r}.",
        )
        expect(
            found.get("meta", {}).get("versionId") == version,
            f"Version {version} says of itself that it is {found.get('meta', {}).get('versionId')}.",
        )


@checks("rest.read_deleted", "Reading a deleted resource answers 410.", READ, DELETES)
def _(context: RestContext) -> None:
    path = deleted(context)["path"]
    answer = context.api.get(path)
    if not VERSIONED.holds(context.statement):
        expect_status(answer, 404, 410)
        return
    refused(answer, 410)


@checks(
    "rest.vread_of_deleted",
    "The versions before a deletion can still be read.",
    VREAD,
    interaction("vread", "Patient"),
    VERSIONED,
)
def _(context: RestContext) -> None:
    made = deleted(context)
    expect_status(context.api.get(f"{made['path']}/_history/{made['version']}"), 200)


@checks(
    "rest.vread_of_deletion",
    "The version that is a deletion answers 410.",
    DELETE,
    interaction("vread", "Patient"),
    interaction("history-instance", "Patient"),
)
def _(context: RestContext) -> None:
    made = deleted(context)
    entries = context.api.resource(f"{made['path']}/_history").get("entry", [])
    etag = entries[0].get("response", {}).get("etag", "") if entries else ""
    if '"' not in etag:
        raise Skip("The history does not tell the version of a deletion.")
    refused(context.api.get(f"{made['path']}/_history/{etag.split(chr(34))[1]}"), 410, 404)


def deleted(context: RestContext) -> dict[str, str]:
    def make(it: RestContext) -> dict[str, str]:
        made = it.records.create(sample(it))
        path = f"Patient/{made['id']}"
        expect_status(it.api.request("DELETE", path), 200, 202, 204)
        return {"path": path, "version": made["meta"]["versionId"]}

    return context.shared("rest.deleted", make)


@checks(
    "rest.vread_unknown_version", "A version that there never was answers 404.", VREAD, interaction("vread", "Patient")
)
def _(context: RestContext) -> None:
    path = versions_of(context, "Patient")["path"]
    refused(context.api.get(f"{path}/_history/987654"), 404)
    refused(context.api.get(f"{path}/_history/not-a-version"), 404, 400)


@checks(
    "rest.vread_of_unknown", "A version of what there never was answers 404.", VREAD, interaction("vread", "Patient")
)
def _(context: RestContext) -> None:
    refused(context.api.get(f"Patient/{context.records.text('none-')}/_history/1"), 404)


@checks(
    "rest.vread_etag",
    "A read of a version has that version as its ETag.",
    VREAD,
    interaction("vread", "Patient"),
    VERSIONED,
)
def _(context: RestContext) -> None:
    made = versions_of(context, "Patient")
    answer = expect_status(context.api.get(f"{made['path']}/_history/{made['versions'][0]}"), 200)
    expect(version_of(answer) == made["versions"][0], "The ETag is another version.")


@checks("rest.read_versions_grow", "Versions of a resource differ from each other.", VERSIONING, VERSIONED)
def _(context: RestContext) -> None:
    versions = versions_of(context, "Patient")["versions"]
    expect(len(set(versions)) == len(versions), f"Three versions have the numbers {', '.join(versions)}.")
