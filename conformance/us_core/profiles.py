"""The checks of each profile of a version of US Core.

https://hl7.org/fhir/us/core/capability-statements.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from conformance.answers import bundle_of, expect_status
from conformance.check import Check, Checks, expect
from conformance.rest_context import RestContext
from conformance.statement import Claim, interaction, reverse_include, search_parameter
from conformance.us_core.matching import holds, texts, values
from conformance.us_core.plans import Parameter, Plan, plans_of
from conformance.us_core.records import Records, about, records
from conformance.us_core.results import provenance

PROVENANCE = "Provenance:target"


def checks_of(version: str) -> tuple[Check, ...]:
    """The checks of all profiles of a version: `6.1.0`. Raises a KeyError for a version that is not known."""
    return tuple(check for plan in plans_of(version) for check in _checks(plan))


def _checks(plan: Plan) -> Checks:
    checks = Checks(f"US Core {plan.version}: {plan.name.replace('_', ' ')}")
    prefix = f"us_core.{plan.version.replace('.', '_')}.{plan.name}"
    reads = interaction("read", plan.type_name)
    if "read" in plan.interactions:
        checks(f"{prefix}.read", "A record can be read, with its versions.", plan.clause, reads)(
            lambda context: _read(context, plan)
        )
        checks(f"{prefix}.must_support", "What the profile supports comes back as it was sent.", plan.clause, reads)(
            lambda context: _must_support(context, plan)
        )
    for expectation, names in plan.searches:
        _add_search(checks, prefix, plan, expectation, names)
    _add_of_parameters(
        checks, f"{prefix}.dates", "Dates are compared as the profile asks", plan, lambda one: one.comparators, _dates
    )
    _add_of_parameters(
        checks,
        f"{prefix}.several_values",
        "Values between commas find any of them",
        plan,
        lambda one: one.any_of,
        _several_values,
    )
    if PROVENANCE in plan.revincludes and plan.searches:
        checks(
            f"{prefix}.revinclude_provenance",
            "`_revinclude=Provenance:target` brings the Provenance of a record.",
            plan.clause,
            reverse_include(plan.type_name, PROVENANCE),
            interaction("create", "Provenance"),
        )(lambda context: _revinclude(context, plan))
    for parameter in plan.parameters.values():
        if parameter.chains:
            _add_chained(checks, prefix, plan, parameter)
    return checks


def _add_search(checks: Checks, prefix: str, plan: Plan, expectation: str, names: Sequence[str]) -> None:
    checks(
        f"{prefix}.search_{'_'.join(map(_snake, names))}",
        f"A search by {' and '.join(names)}, which a server {expectation} have, finds exactly what fits.",
        plan.clause,
        *_claims(plan, names),
    )(lambda context: _search(context, plan, names))


def _add_of_parameters(
    checks: Checks,
    id: str,
    words: str,
    plan: Plan,
    takes: Callable[[Parameter], object],
    run: Callable[[RestContext, Plan, Sequence[Parameter]], None],
) -> None:
    """A check of those parameters that take something, where there are any."""
    chosen = [each for each in plan.parameters.values() if takes(each)]
    names = [each.name for each in chosen]
    if chosen:
        checks(id, f"{words}: {', '.join(names)}.", plan.clause, *_claims(plan, names))(
            lambda context: run(context, plan, chosen)
        )


def _add_chained(checks: Checks, prefix: str, plan: Plan, parameter: Parameter) -> None:
    checks(
        f"{prefix}.chained_{_snake(parameter.name)}",
        f"`{parameter.name}` may be chained with {' and '.join(parameter.chains)}.",
        plan.clause,
        *_claims(plan, [parameter.name]),
    )(lambda context: _chained(context, plan, parameter))


def _snake(name: str) -> str:
    return name.lstrip("_").replace("-", "_").lower()


def _claims(plan: Plan, names: Sequence[str]) -> list[Claim]:
    return [search_parameter(plan.type_name, name) for name in names]


def _read(context: RestContext, plan: Plan) -> None:
    known = records(context, plan)
    path, version = known.path(), known.first.get("meta", {}).get("versionId")
    expect(
        context.api.resource(path) == known.first, f"{path} reads differently from what was answered to its creation."
    )
    claimed = context.statement.interactions(plan.type_name)
    if "vread" in claimed:
        expect(context.api.resource(f"{path}/_history/{version}") == known.first, f"The version of {path} differs.")
    if "history-instance" in claimed:
        history = bundle_of(expect_status(context.api.get(f"{path}/_history"), 200), "history")
        ids = [entry.get("resource", {}).get("id") for entry in history.get("entry", [])]
        expect(ids == [known.first["id"]], f"The history of {path} has {len(ids)} entries, where 1 was expected.")


def _must_support(context: RestContext, plan: Plan) -> None:
    known = records(context, plan)
    for number, sent in enumerate(known.sent[:2]):
        stored = context.api.resource(known.path(number))
        for path in plan.must_support:
            if path.split(".")[0] != "meta":
                _expect_same(values(sent, path), values(stored, path), path)
        for url in plan.extensions:
            _expect_same(_extensions(sent, url), _extensions(stored, url), url)


def _expect_same(sent: Sequence[Any], stored: Sequence[Any], path: str) -> None:
    expect(list(sent) == list(stored), f"{path} was sent as {str(sent)[:200]}, and comes back as {str(stored)[:200]}.")


def _extensions(tree: Any, url: str) -> list[Any]:
    """All extensions of a kind, wherever they are."""
    if isinstance(tree, list):
        return [found for each in tree for found in _extensions(each, url)]
    if not isinstance(tree, Mapping):
        return []
    own = [tree] if tree.get("url") == url else []
    return own + [found for each in tree.values() for found in _extensions(each, url)]


def _ask(context: RestContext, plan: Plan, asked: Sequence[tuple[Parameter, str]], known: Records) -> None:
    """Search, by GET, and compare with what fits. Raises a Failure."""
    query = "&".join(f"{parameter.name}={quote(text, safe=':/,')}" for parameter, text in asked)
    _compare(known, asked, context.api.found(f"{plan.type_name}?{query}"), f"{plan.type_name}?{query}")


def _compare(
    known: Records, asked: Sequence[tuple[Parameter, str]], found: Sequence[Mapping[str, Any]], said: str
) -> None:
    ids = {str(each["id"]) for each in known.made}
    wanted = {str(each["id"]) for each in known.made if all(holds(each, one, text) for one, text in asked)}
    got = {str(each.get("id")) for each in found if each.get("resourceType") == known.first["resourceType"]} & ids
    expect(not wanted - got, f"{said} does not find {len(wanted - got)} of the {len(wanted)} records that fit.")
    expect(not got - wanted, f"{said} finds {len(got - wanted)} records that do not fit.")


def _form(known: Records, parameter: Parameter, number: int) -> str:
    """How the first record is asked for by a parameter: short, as by a bare code or id, or with its system or type."""
    forms = texts(known.first, parameter)
    return forms[min(number, len(forms) - 1)]


def _search(context: RestContext, plan: Plan, names: Sequence[str]) -> None:
    known = records(context, plan)
    chosen = [plan.parameters[name] for name in names]
    for number in (0, 1):
        asked = [(one, _form(known, one, number)) for one in chosen]
        expect(all(holds(known.first, one, text) for one, text in asked), "The record does not fit the search for it.")
        _ask(context, plan, asked, known)
    posted = context.api.found_by_post(plan.type_name, {one.name: text for one, text in asked})
    _compare(known, asked, posted, f"POST to {plan.type_name}/_search by {' and '.join(names)}")


def _within_patient(plan: Plan, known: Records) -> list[tuple[Parameter, str]]:
    patient = plan.parameters.get("patient")
    return [(patient, _form(known, patient, 0))] if patient else []


def _dates(context: RestContext, plan: Plan, compared: Sequence[Parameter]) -> None:
    known = records(context, plan)
    for parameter in compared:
        within, text = _within_patient(plan, known), _form(known, parameter, 0)
        for prefix in parameter.comparators:
            _ask(context, plan, [*within, (parameter, f"{prefix}{text}")], known)
        _ask(context, plan, [*within, (parameter, f"ge{text}"), (parameter, f"le{text}")], known)


def _several_values(context: RestContext, plan: Plan, several: Sequence[Parameter]) -> None:
    known = records(context, plan)
    for parameter in several:
        both = [text for tree in known.made[:2] for text in texts(tree, parameter)[-1:]]
        _ask(context, plan, [*_within_patient(plan, known), (parameter, ",".join(dict.fromkeys(both)))], known)


def _revinclude(context: RestContext, plan: Plan) -> None:
    known = records(context, plan)
    tree = {"resourceType": "Provenance", **provenance(known.path(), about(context))}
    made = context.shared(f"us_core.provenance.{known.path()}", lambda it: it.records.create(tree))
    names = plan.searches[0][1]
    asked = [(plan.parameters[name], _form(known, plan.parameters[name], 1)) for name in names]
    query = "&".join(f"{one.name}={quote(text, safe=':/')}" for one, text in asked)
    found = context.api.found(f"{plan.type_name}?{query}&_revinclude={PROVENANCE}")
    ids = [each.get("id") for each in found if each.get("resourceType") == "Provenance"]
    expect(made["id"] in ids, f"{plan.type_name}?{query}&_revinclude={PROVENANCE} does not bring the Provenance.")
    expect(len(ids) == len(set(ids)), "A Provenance comes twice.")
    _compare(known, asked, found, f"{plan.type_name}?{query}&_revinclude={PROVENANCE}")


def _chained(context: RestContext, plan: Plan, parameter: Parameter) -> None:
    known = records(context, plan)
    target = context.api.resource(str(values(known.first, parameter.paths[0])[0]["reference"]))
    for chain in parameter.chains:
        kind = {"identifier": "Identifier", "name": "HumanName"}[chain]
        text = texts(target, Parameter(chain, kind, (chain,)))[-1 if chain == "identifier" else 0]
        query = f"{plan.type_name}?{parameter.name}.{chain}={quote(text, safe=':/')}"
        ids = {str(each["id"]) for each in context.api.found(query)} & {str(each["id"]) for each in known.made}
        expect(ids == {known.first["id"]}, f"{query} finds {len(ids)} of the records, where the first was expected.")
