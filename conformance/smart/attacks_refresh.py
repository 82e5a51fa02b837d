"""Attacks on refresh tokens: used again, used by another app, used for more than was granted.

https://www.rfc-editor.org/rfc/rfc9700#section-4.14
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from conformance.check import Checks, expect
from conformance.smart.attacks_code import expect_error
from conformance.smart.clauses import BEST_PRACTICE, OAUTH
from conformance.smart.context import SmartContext
from conformance.smart.flows import FLOWS, STANDALONE
from conformance.smart.launch import IDENTITY, Wanted, json_of, member

checks = Checks("Attacks on refresh tokens")

PUBLIC = FLOWS["standalone_public"]
NARROW = Wanted(app="public", scope=f"{IDENTITY} launch/patient offline_access patient/Observation.rs")
AT_ONCE = 6


@checks(
    "attack_refresh_reuse",
    "A public app's refresh token that comes again ends the whole family.",
    f"{BEST_PRACTICE}#section-4.14.2",
)
def _(context: SmartContext) -> None:
    launched = context.fresh(PUBLIC)
    first = launched.refresh_token
    second = member(json_of(context.refresh(PUBLIC, first)), "refresh_token")
    expect(second != first, "The refresh token stays the same.")
    latest = json_of(context.refresh(PUBLIC, second))
    expect_error(context.refresh(PUBLIC, first), "invalid_grant")
    expect(context.ends_soon(latest["access_token"]), "The access token of the thief, or of the app, still works.")
    expect_error(context.refresh(PUBLIC, member(latest, "refresh_token")), "invalid_grant")


@checks(
    "attack_refresh_at_once",
    "Refreshing many times at once makes one family, and not several.",
    f"{BEST_PRACTICE}#section-4.14.2",
)
def _(context: SmartContext) -> None:
    token = context.fresh(PUBLIC).refresh_token
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda _: context.refresh(PUBLIC, token), range(AT_ONCE)))
    successors = {answer.json()["refresh_token"] for answer in answers if answer.status_code == 200}
    expect(len(successors) <= 1, f"There are {len(successors)} refresh tokens now.")
    expect(all(answer.status_code in (200, 400) for answer in answers), "An answer is neither 200 nor 400.")


@checks("attack_foreign_refresh_token", "An app gets nothing for another app's refresh token.", f"{OAUTH}#section-6")
def _(context: SmartContext) -> None:
    token = context.fresh(PUBLIC).refresh_token
    expect_error(context.refresh(STANDALONE, token), "invalid_grant")
    own = context.fresh(STANDALONE).refresh_token
    answer = context.refresh(PUBLIC, own)
    expect(answer.status_code in (400, 401), f"It was answered {answer.status_code}.")
    form = {"grant_type": "refresh_token", "refresh_token": own}
    bare = context.http.post(context.endpoint("token_endpoint"), data=form)
    expect(bare.status_code in (400, 401), f"Without the app's secret it was answered {bare.status_code}.")


ESCALATIONS = {
    "another_type": "patient/Patient.rs",
    "every_type": "patient/*.rs",
    "another_level": "user/Observation.rs",
    "system_level": "system/Observation.rs",
    "more_letters": "patient/Observation.cruds",
    "v1_word": "patient/Observation.*",
    "beside_a_granted_one": "patient/Observation.rs patient/Condition.rs",
    "another_word": "patient/Observation.rs profile",
}
for _name, _scope in ESCALATIONS.items():

    @checks(f"attack_refresh_scope_{_name}", "A refresh for more than was granted is refused.", f"{OAUTH}#section-6")
    def _(context: SmartContext, scope: str = _scope) -> None:
        launched = context.fresh(NARROW)
        expect_error(context.refresh(NARROW, launched.refresh_token, scope), "invalid_scope")


@checks("attack_refresh_scope_without_its_constraint", "A constraint cannot be refreshed away.", f"{OAUTH}#section-6")
def _(context: SmartContext) -> None:
    category = "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
    wanted = Wanted(app="public", scope=f"launch/patient offline_access {category}")
    launched = context.fresh(wanted)
    for wide in (
        "patient/Observation.rs",
        category.replace("laboratory", "vital-signs"),
        category[: category.index("|")],
    ):
        expect_error(context.refresh(wanted, launched.refresh_token, wide), "invalid_scope")
    narrower = json_of(context.refresh(wanted, launched.refresh_token, category))
    expect(narrower["scope"] == category, f"The scope is {narrower['scope']!r}.")
