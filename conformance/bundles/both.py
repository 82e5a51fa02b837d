"""What batches and transactions have in common."""

from __future__ import annotations

from conformance.answers import expect_status
from conformance.api import json_of
from conformance.bundles.posting import creating, done, entry, expect_statuses, made_path, post, status_of, tagged
from conformance.check import Checks, expect
from conformance.claims import CONDITIONAL_CREATES, UPDATE_CREATES
from conformance.clauses import BATCH_RULES, TRANSACTION, TRANSACTION_RULES
from conformance.rest.updating import created
from conformance.rest_context import RestContext
from conformance.samples import new_id
from conformance.statement import interaction

checks = Checks("Bundles: batches and transactions")

MANY = 200
RULES = {"batch": BATCH_RULES, "transaction": TRANSACTION_RULES}


def _of(kind: str) -> None:
    claim, rules = interaction(kind), RULES[kind]

    @checks(f"bundles.{kind}_search", f"A search in a {kind} is answered with a searchset.", TRANSACTION, claim)
    def _(context: RestContext) -> None:
        made = created(context)
        answered = done(context, kind, [creating(tagged(context)), entry("GET", f"Patient?_id={made['id']}")])
        found = answered[1].get("resource", {})
        expect(found.get("type") == "searchset", "The entry has no searchset.")
        ids = [each["resource"].get("id") for each in found.get("entry", []) if "resource" in each]
        expect(ids == [made["id"]], f"The search finds {ids}.")

    @checks(
        f"bundles.{kind}_if_none_exist",
        f"ifNoneExist of an entry of a {kind} is heeded.",
        rules,
        claim,
        CONDITIONAL_CREATES,
    )
    def _(context: RestContext) -> None:
        made = created(context)
        answered = done(context, kind, [creating(tagged(context), ifNoneExist=f"_id={made['id']}")])
        expect(status_of(answered[0]) != 201, "One was created, though one matches.")
        expect_statuses(answered, (200, 304))

    @checks(
        f"bundles.{kind}_put_creates", f"An update in a {kind} creates what is not there.", rules, claim, UPDATE_CREATES
    )
    def _(context: RestContext) -> None:
        resource = tagged(context, id=new_id(context))
        answered = done(context, kind, [entry("PUT", f"Patient/{resource['id']}", resource)])
        expect_statuses(answered, (201,))
        expect_status(context.api.get(f"Patient/{resource['id']}"), 200)

    @checks(f"bundles.{kind}_of_many", f"A {kind} of {MANY} entries is done.", rules, claim)
    def _(context: RestContext) -> None:
        answered = done(context, kind, [creating(tagged(context)) for _ in range(MANY)])
        expect({status_of(each) for each in answered} == {201}, "Not every entry was created.")
        expect(len({made_path(each) for each in answered}) == MANY, "Two entries were answered with the same location.")

    @checks(
        f"bundles.empty_{kind}", f"A {kind} without entries is answered with one without entries.", TRANSACTION, claim
    )
    def _(context: RestContext) -> None:
        answer = post(context, kind, [])
        if answer.status_code in (400, 422):
            context.notes.append(f"A {kind} without entries is refused.")
            return
        expect(not json_of(expect_status(answer, 200)).get("entry"), "There are entries in the answer.")


for _kind in RULES:
    _of(_kind)
