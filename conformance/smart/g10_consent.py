"""What a user decides: some of the scopes, some categories, nothing at all, and the end of what was allowed.

https://hl7.org/fhir/smart-app-launch/STU2.2/best-practices.html
"""

from __future__ import annotations

import re

from conformance.browser import Shown
from conformance.check import Checks, Failure, expect
from conformance.html_forms import Form
from conformance.smart.clauses import G10, GRANULAR, OAUTH, SCOPES
from conformance.smart.context import SmartContext
from conformance.smart.launch import IDENTITY, Wanted, described
from conformance.smart.visit import visit

checks = Checks("(g)(10): consent and revocation")

MOST_APPS = 50
_ENDS = re.compile(r"\b(end access|revoke|remove access|disconnect)\b", re.IGNORECASE)

BASE = f"launch/patient {IDENTITY} offline_access"
LIMITED = Wanted(
    app="symmetric",
    scope=f"{BASE} patient/Patient.rs patient/Condition.rs patient/Observation.rs patient/Encounter.rs",
    untick=("patient/Condition.", "patient/Encounter."),
)
CATEGORY = "category=http://terminology.hl7.org/CodeSystem"
GRANULAR_TICKS = (
    f"patient/Condition.rs?{CATEGORY}/condition-category|problem-list-item",
    f"patient/Observation.rs?{CATEGORY}/observation-category|vital-signs",
)
GRANULAR_CHOICE = Wanted(
    app="symmetric",
    scope=f"{BASE} patient/Condition.rs patient/Observation.rs patient/Patient.rs",
    untick=("patient/Condition.", "patient/Observation."),
    tick=GRANULAR_TICKS,
)


@checks("g10_limited_grant_scopes", "What the user unticks is not granted, and the rest is.", G10)
def _(context: SmartContext) -> None:
    scopes = set(context.launched(LIMITED).scopes)
    wanted = {*BASE.split(), "patient/Patient.rs", "patient/Observation.rs"}
    expect(scopes == wanted, f"Granted was {' '.join(sorted(scopes))}, where {' '.join(sorted(wanted))} was ticked.")


@checks("g10_limited_grant_access", "Types that were not granted cannot be searched, and the others can.", G10)
def _(context: SmartContext) -> None:
    api, own = context.api(context.launched(LIMITED).access_token), context.configuration.own_patient
    for type_name, statuses in (("Condition", (401, 403)), ("Encounter", (401, 403)), ("Observation", (200,))):
        answer = api.get(f"{type_name}?patient={own}&_count=1")
        expect(answer.status_code in statuses, f"Searching {type_name} was answered {answer.status_code}.")


@checks("g10_granular_scope_selection", "The user is offered categories, and what is chosen is granted.", GRANULAR)
def _(context: SmartContext) -> None:
    launched = context.launched(GRANULAR_CHOICE)
    form = launched.authorization.visit.consent
    offered = {control.value for control in form.of_kind("checkbox")} if form else set()
    for choice in GRANULAR_TICKS:
        expect(choice in offered, f"The consent page does not offer {choice}.")
        expect(choice in launched.scopes, f"{choice} was ticked and is not granted.")
    for whole in ("patient/Condition.rs", "patient/Observation.rs"):
        expect(whole not in launched.scopes, f"{whole} was unticked and is granted.")


@checks("g10_consent_tells_of_offline_access", "The user is told that the app may go on when they are away.", G10)
def _(context: SmartContext) -> None:
    authorization = context.authorize(Wanted(app="symmetric", scope=f"{BASE} patient/Patient.rs"))
    form = authorization.visit.consent
    if form is None:
        raise Failure("No consent page was shown.")
    label = next((control.label for control in form.of_kind("checkbox") if control.value == "offline_access"), "")
    expect(len(label.split()) > 3, f"The words for offline_access are {label!r}.")
    without = context.launched(Wanted(app="symmetric", scope=f"{BASE} patient/Patient.rs", untick=("offline_access",)))
    expect("refresh_token" not in without.token, "It was unticked, and a refresh token was given.")


@checks(
    "consent_refused", "Where the user refuses, the app gets access_denied and no code.", f"{OAUTH}#section-4.1.2.1"
)
def _(context: SmartContext) -> None:
    authorization = context.authorize(Wanted(app="symmetric", refuses=True))
    expect("code" not in authorization.answer, "The app got a code.")
    expect(authorization.answer.get("error") == "access_denied", f"{described(authorization.visit.end)}.")
    expect(authorization.answer.get("state") == authorization.sent["state"], "The state is another one.")


@checks("unknown_scopes_are_left_out", "Scopes that do not exist are left out, and the others granted.", SCOPES)
def _(context: SmartContext) -> None:
    wanted = Wanted(app="symmetric", scope="launch/patient patient/Patient.rs patient/Nothing.rs patient/Patient.dus")
    scopes = context.launched(wanted).scopes
    expect(set(scopes) == {"launch/patient", "patient/Patient.rs"}, f"Granted was {' '.join(scopes)}.")


@checks("user_may_not_launch_for_others", "A patient gets no access to another patient's record by a launch.", SCOPES)
def _(context: SmartContext) -> None:
    launched = context.launched(Wanted(app="symmetric", scope="launch/patient patient/*.rs user/*.rs"))
    expect(launched.token.get("patient") == context.configuration.own_patient, "The patient is another one.")
    answer = context.api(launched.access_token).get(f"Patient/{context.configuration.other_patient}")
    expect(answer.status_code in (403, 404), f"Another patient's record was answered {answer.status_code}.")


@checks("g10_revocation", "What the user revokes ends at once: access, and refreshing.", G10)
def _(context: SmartContext) -> None:
    wanted = Wanted(app="asymmetric")
    launched = context.fresh(wanted)
    try:
        _revoke_all(context, wanted.person)
        expect(context.ends_soon(launched.access_token), "The access token still works.")
        answer = context.refresh(wanted, launched.refresh_token)
        expect(answer.status_code in (400, 401), f"Refreshing was answered {answer.status_code}.")
    finally:
        context.forget_launches()


def _revoke_all(context: SmartContext, person: str) -> None:
    """End all access at the management page, by its links and forms that say so."""
    browser = context.browser(person)
    at = visit(
        browser, browser.open(context.endpoint("management_endpoint")), context.choices(Wanted(person=person))
    ).end
    for _ in range(MOST_APPS):
        if not isinstance(at, Shown):
            break
        links = [(address, words) for address, words in at.page.links if _ENDS.search(words)]
        if not links:
            return
        # The link that ends all of them at once, if there is one.
        address = next((address for address, words in links if "all" in words.lower().split()), links[0][0])
        at = browser.open_from(at, address)
        form = _ending_form(at) if isinstance(at, Shown) else None
        if not isinstance(at, Shown) or form is None:
            break
        at = browser.submit(at, form)
    raise Failure("The management page offers no way to end what was allowed.")


def _ending_form(shown: Shown) -> Form | None:
    return next((form for form in shown.page.forms if any(_ENDS.search(button.label) for button in form.buttons)), None)
