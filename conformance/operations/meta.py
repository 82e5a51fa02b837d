"""`$meta`, `$meta-add`, `$meta-delete`, `$expunge`. https://hl7.org/fhir/R4/resource-operation-meta.html"""

from __future__ import annotations

from typing import Any

from conformance.answers import expect_status
from conformance.check import Checks, Skip, expect
from conformance.clauses import R4
from conformance.operations.calling import answered, call, codes, meta_of, parameter
from conformance.rest_context import RestContext
from conformance.samples import sample
from conformance.statement import operation

checks = Checks("Operations: meta")
META, ADD, DELETE = (f"{R4}/resource-operation-{name}.html" for name in ("meta", "meta-add", "meta-delete"))
SYSTEM = "urn:conformance-kit:meta"
LABELS = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
ADDS, DELETES = operation("meta-add", "Patient"), operation("meta-delete", "Patient")
NEW = {"tag": [{"system": SYSTEM, "code": "new"}]}


def _tagged(context: RestContext) -> tuple[dict[str, Any], str]:
    """A Patient with the tag `old` and a label, and its path."""
    meta = {"tag": [{"system": SYSTEM, "code": "old"}], "security": [{"system": LABELS, "code": "R"}]}
    made = context.records.create(sample(context, meta=meta))
    return made, f"Patient/{made['id']}"


@checks("operations.meta_of_instance", "`$meta` returns the meta of a resource.", META, operation("meta", "Patient"))
def _(context: RestContext) -> None:
    made, path = _tagged(context)
    meta = meta_of(context.api.get(f"{path}/$meta"))
    expect({"old", context.records.tag} <= codes(meta), f"$meta returns the tags {sorted(codes(meta))}.")
    expect(codes(meta, "security") == {"R"}, f"$meta returns the labels {sorted(codes(meta, 'security'))}.")
    same = {name: made["meta"].get(name) for name in ("versionId", "lastUpdated")}
    expect(
        {name: meta.get(name) for name in same if name in meta} == {name: same[name] for name in same if name in meta},
        "$meta returns another version or time.",
    )


@checks("operations.meta_of_type", "`$meta` of a type returns the tags in use.", META, operation("meta", "Patient"))
def _(context: RestContext) -> None:
    _tagged(context)
    expect("old" in codes(meta_of(context.api.get("Patient/$meta"))), "A tag in use is not returned.")


@checks("operations.meta_of_system", "`$meta` of the system returns the tags in use.", META, operation("meta"))
def _(context: RestContext) -> None:
    _tagged(context)
    expect("old" in codes(meta_of(context.api.get("$meta"))), "A tag in use is not returned.")


@checks("operations.meta_add", "`$meta-add` adds a tag and keeps the others.", ADD, ADDS)
def _(context: RestContext) -> None:
    made, path = _tagged(context)
    returned = meta_of(call(context, f"{path}/$meta-add", parameter("meta", "valueMeta", NEW)))
    expect({"old", "new"} <= codes(returned), f"$meta-add returns the tags {sorted(codes(returned))}.")
    now = context.api.resource(path)
    expect({"old", "new", context.records.tag} <= codes(now["meta"]), "A tag is missing after $meta-add.")
    expect(codes(now["meta"], "security") == {"R"}, "The label is missing after $meta-add.")
    expect({**now, "meta": None} == {**made, "meta": None}, "$meta-add changed more than the meta.")


@checks("operations.meta_add_twice", "A tag that is there is not added again.", ADD, ADDS)
def _(context: RestContext) -> None:
    _, path = _tagged(context)
    for _ in range(2):
        expect_status(call(context, f"{path}/$meta-add", parameter("meta", "valueMeta", NEW)), 200)
    tags = [tag.get("code") for tag in context.api.resource(path)["meta"]["tag"]]
    expect(tags.count("new") == 1, f"After adding twice, the tag is there {tags.count('new')} times.")


@checks("operations.meta_delete", "`$meta-delete` takes a tag away and keeps the others.", DELETE, DELETES)
def _(context: RestContext) -> None:
    _, path = _tagged(context)
    old = {"tag": [{"system": SYSTEM, "code": "old"}]}
    returned = meta_of(call(context, f"{path}/$meta-delete", parameter("meta", "valueMeta", old)))
    expect("old" not in codes(returned), "$meta-delete returns the tag that it took away.")
    now = context.api.resource(path)
    expect("old" not in codes(now["meta"]), "The tag is there after $meta-delete.")
    expect(context.records.tag in codes(now["meta"]), "Another tag is missing after $meta-delete.")


@checks("operations.meta_delete_other_system", "`$meta-delete` heeds the system of a tag.", DELETE, DELETES)
def _(context: RestContext) -> None:
    _, path = _tagged(context)
    other = {"tag": [{"system": "urn:other", "code": "old"}]}
    expect_status(call(context, f"{path}/$meta-delete", parameter("meta", "valueMeta", other)), 200)
    expect("old" in codes(context.api.resource(path)["meta"]), "A tag of another system was taken away.")


@checks(
    "operations.expunge_previous_versions",
    "`$expunge` removes the old versions of a resource for good, and keeps the current one.",
    f"{R4}/http.html#history",
    operation("expunge", "Patient"),
)
def _(context: RestContext) -> None:
    made, path = _tagged(context)
    expect_status(context.records.put({**made, "active": False}), 200)
    asked = parameter("expungePreviousVersions", "valueBoolean", True)
    answer = call(context, f"{path}/$expunge", asked)
    if answer.status_code in (401, 403):
        raise Skip("The access token does not open $expunge, which is for administrators mostly.")
    answered(answer, "Parameters")
    expect(context.api.resource(path).get("active") is False, "The current version is not there after $expunge.")
    old = context.api.get(f"{path}/_history/{made['meta']['versionId']}")
    expect_status(old, 404, 410)
