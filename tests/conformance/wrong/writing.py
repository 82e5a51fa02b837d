"""Faults of creating, updating and deleting."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.conformance.wrong.fault import Faults
from tests.conformance.wrong.server import Answer, Ask, Real

faults = Faults()


def _is_read(ask: Ask) -> bool:
    return ask.method == "GET" and len(ask.parts) == 2 and not ask.path.startswith("metadata")


@faults("a create without Location", "rest.create_answers_201_patient", "rest.create_return_minimal")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    return answer.without("location", "content-location") if ask.method == "POST" else answer


@faults("a create answered 200", "rest.create_answers_201_encounter", "rest.create_answers_201_observation")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    return answer.of_status(200) if ask.method == "POST" and answer.status == 201 else answer


@faults("a create under the client's id", "rest.create_ignores_id")
def _(ask: Ask, real: Real) -> Answer:
    if ask.method == "POST" and len(ask.parts) == 1 and "id" in (ask.tree or {}):
        return real(replace(ask, method="PUT", path=f"{ask.path}/{ask.tree['id']}"))
    return real(ask)


@faults("floating point decimals", "rest.keeps_decimals", "patch.keeps_decimals")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    return answer.saying(answer.tree) if _is_read(ask) and answer.status == 200 else answer


@faults("extensions in the order of their addresses", "rest.keeps_extension_order")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    tree = answer.tree
    if not _is_read(ask) or not tree or "extension" not in tree:
        return answer
    return answer.saying({**tree, "extension": sorted(tree["extension"], key=lambda each: each["url"])})


@faults("extensions of primitive values lost", "rest.keeps_primitive_extensions")
def _(ask: Ask, real: Real) -> Answer:
    if ask.method == "POST" and isinstance(ask.tree, dict):
        return real(ask.sending({name: value for name, value in ask.tree.items() if not name.startswith("_")}))
    return real(ask)


@faults("lists in an order of the server's", "rest.keeps_unicode_and_order", "patch.json_move")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    tree = answer.tree
    if not _is_read(ask) or not tree or "name" not in tree:
        return answer
    return answer.saying({**tree, "name": sorted(tree["name"], key=lambda each: str(each.get("use", "")))})


@faults("no meta of what is stored", "rest.create_can_be_read_patient", "rest.create_can_be_read_appointment")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    if _is_read(ask) and answer.status == 200:
        return answer.saying({name: value for name, value in answer.tree.items() if name != "meta"})
    return answer


@faults("updates under another id than the body's", "rest.update_id_mismatch")
def _(ask: Ask, real: Real) -> Answer:
    if ask.method == "PUT" and len(ask.parts) == 2 and "id" in (ask.tree or {}):
        return real(ask.sending({**ask.tree, "id": ask.parts[1]}))
    return real(ask)


@faults("updates that give the missing id", "rest.update_id_missing")
def _(ask: Ask, real: Real) -> Answer:
    if ask.method == "PUT" and len(ask.parts) == 2 and "id" not in (ask.tree or {}):
        return real(ask.sending({**ask.tree, "id": ask.parts[1]}))
    return real(ask)


@faults("updates that merge", "rest.update_replaces_everything")
def _(ask: Ask, real: Real) -> Answer:
    before: dict[str, Any] = real.get(ask.path).tree if ask.method == "PUT" and len(ask.parts) == 2 else {}
    if before and ask.tree and before.get("resourceType") == ask.tree.get("resourceType"):
        return real(ask.sending({**before, **ask.tree}))
    return real(ask)


@faults(
    "a cache that updates leave as it was",
    "rest.update_makes_version_patient",
    "concurrency.read_your_write",
    "concurrency.reads_never_go_back",
)
def _(ask: Ask, real: Real) -> Answer:
    if not _is_read(ask):
        if ask.method == "PUT" and ask.path not in real.memory:
            real.memory[ask.path] = real.get(ask.path)
        return real(ask)
    cached = real.memory.get(ask.path)
    return cached if cached is not None and cached.status == 200 else real(ask)


@faults("deletions that delete nothing", "rest.delete_takes_away_patient", "rest.delete_hides_from_search")
def _(ask: Ask, real: Real) -> Answer:
    return Answer(204) if ask.method == "DELETE" else real(ask)


@faults("a second deletion that is an error", "rest.delete_twice")
def _(ask: Ask, real: Real) -> Answer:
    if ask.method == "DELETE" and real.get(ask.path).status == 410:
        return Answer(500)
    return real(ask)


@faults("If-None-Exist that is ignored", "rest.conditional_create_once_patient", "rest.conditional_create_several")
def _(ask: Ask, real: Real) -> Answer:
    return real(ask.without("if-none-exist"))


@faults("a conditional update of the first of several matches", "rest.conditional_update_several")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    if ask.method == "PUT" and ask.query and answer.status == 412:
        first = real.get(f"{ask.path}?{ask.query}").bundle["entry"][0]["resource"]
        body = {**ask.tree, "id": first["id"]}
        return real(replace(ask, path=f"{ask.path}/{first['id']}", query="").sending(body))
    return answer


@faults("unknown parameters that a conditional delete ignores", "rest.conditional_delete_unknown_parameter")
def _(ask: Ask, real: Real) -> Answer:
    return real(ask.without_parameters("no-such-parameter") if ask.method == "DELETE" else ask)
