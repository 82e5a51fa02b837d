"""A user at the pages of an authorization server: signs in, chooses a patient and a visit, says yes or no.

The pages are understood by what stands in their forms, and nothing is known of them beforehand: a password is asked for by a
password field, a record is chosen by the button or radio button that has its id for its value, and consent is asked for by a
form with a button to agree and one to refuse, whose checkboxes have scopes for their values.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from conformance.browser import Arrived, Browser, Shown
from conformance.html_forms import Control, Form, Page
from conformance.smart.configuration import Person

MOST_PAGES = 12
_AGREE = re.compile(r"\b(allow|authori[sz]e|accept|approve|agree|grant|consent|yes)\b", re.IGNORECASE)
_REFUSE = re.compile(r"\b(deny|cancel|refuse|reject|decline|no)\b", re.IGNORECASE)
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")

Tick = Callable[[Control], bool | None]
"""Checkbox of the consent page → whether it is ticked; None to leave it as it is."""


@dataclass(frozen=True, slots=True)
class Choices:
    """How a user answers. records: ids of a patient and an encounter, and the app to start, by its launch address.

    search: what to type where a patient is searched for. tick: on the consent page. refuses: consent.
    """

    person: Person
    records: tuple[str, ...] = ()
    search: str = ""
    tick: Tick = lambda control: None
    refuses: bool = False


@dataclass(frozen=True, slots=True)
class Visit:
    """How it ended: at an app, or on a page where the user could not go on; and the consent page, if one was shown."""

    end: Arrived | Shown
    consent: Form | None = None
    consent_page: Page | None = None


def visit(browser: Browser, at: Arrived | Shown, choices: Choices) -> Visit:
    """Answer page after page until the browser arrives at an app, or nothing can be answered any more."""
    consent: Form | None = None
    page: Page | None = None
    has_searched = has_signed_in = False
    for _ in range(MOST_PAGES):
        if isinstance(at, Arrived) or at.status >= 400:
            break
        forms = at.page.forms
        if form := _first(forms, lambda form: form.of_kind("password")):
            if has_signed_in:
                break  # the password was refused
            has_signed_in = True
            at = _sign_in(browser, at, form, choices.person)
        elif form := _first(forms, lambda form: _wanted(form, "radio", choices.records)):
            at = browser.submit(at, form, ticked=_radios(form, choices.records))
        elif form := _first(forms, _asks_consent):
            consent, page = form, at.page
            at = _answer(browser, at, form, choices)
        elif form := _first(forms, lambda form: _wanted(form, "submit", choices.records)):
            at = browser.submit(at, form, _wanted(form, "submit", choices.records)[0])
        elif (form := _first(forms, lambda form: form.of_kind("search"))) and not has_searched:
            has_searched = True
            at = browser.submit(at, form, filled={form.of_kind("search")[0].name: choices.search})
        else:
            break
    return Visit(at, consent, page)


def _first(forms: list[Form], suits: Callable[[Form], object]) -> Form | None:
    return next((form for form in forms if suits(form)), None)


def _sign_in(browser: Browser, at: Shown, form: Form, person: Person) -> Arrived | Shown:
    filled = {form.of_kind("password")[0].name: person.password}
    names = form.of_kind("text", "email")
    if names:
        filled[names[0].name] = person.name
    return browser.submit(at, form, filled=filled)


def _wanted(form: Form, kind: str, records: tuple[str, ...]) -> list[Control]:
    return [control for control in form.of_kind(kind) if any(_stands_for(control.value, each) for each in records)]


def _stands_for(value: str, record: str) -> bool:
    # An app may be named by its address and more.
    return value == record or (not _ID.fullmatch(record) and record in value.split())


def _radios(form: Form, records: tuple[str, ...]) -> dict[int, bool]:
    chosen = _wanted(form, "radio", records)
    groups = {control.name for control in chosen}
    return {
        place: any(control is each for each in chosen)
        for place, control in enumerate(form.controls)
        if control.kind == "radio" and control.name in groups
    }


def _asks_consent(form: Form) -> bool:
    labels = [button.label for button in form.buttons]
    return any(_AGREE.search(label) for label in labels) and any(_REFUSE.search(label) for label in labels)


def _answer(browser: Browser, at: Shown, form: Form, choices: Choices) -> Arrived | Shown:
    pattern = _REFUSE if choices.refuses else _AGREE
    button = next(button for button in form.buttons if pattern.search(button.label))
    ticked = {
        place: decided
        for place, control in enumerate(form.controls)
        if control.kind == "checkbox" and (decided := choices.tick(control)) is not None
    }
    return browser.submit(at, form, button, ticked=ticked)
