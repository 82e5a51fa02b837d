"""Requests that are wrong in themselves: addresses, methods, parameters."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from urllib.parse import quote

import httpx

from conformance.answers import bundle_of, expect_status, outcome_of, refused
from conformance.api import said
from conformance.check import Checks, Skip, expect
from conformance.clauses import HTTP, OUTCOME, RFC_9110, SEARCH, STATUS_CODES
from conformance.errors.cases import CASES, text_of
from conformance.errors.resources import INVALID
from conformance.rest.updating import created
from conformance.rest_context import RestContext
from conformance.samples import sample
from conformance.statement import interaction, search_parameter

checks = Checks("Errors: requests")
FHIR_JSON = "application/fhir+json"
SEARCHES = interaction("search-type", "Patient")
STACK_TRACES = re.compile(
    r"Traceback \(most recent"
    r'|File "[^"]+", line \d'
    r"|\bat [\w.$]+\(\w+\.(java|kt|scala):\d+\)"
    r"|\.cs:line \d|node_modules/|goroutine \d"
)
HTML = "<script>alert(1)</script>"
LONG = 20_000


@checks("errors.unknown_type", "Every request for a type that FHIR does not have is answered 404.", f"{HTTP}#search")
def _(context: RestContext) -> None:
    refused(context.api.get("Teapot"), 404, 400)
    refused(context.api.send("POST", "Teapot", {"resourceType": "Teapot"}), 404, 400)
    refused(context.api.get("Teapot/1"), 404, 400)


@checks(
    "errors.unknown_operation", "An operation that there is not is refused.", f"{HTTP.replace('http.', 'operations.')}"
)
def _(context: RestContext) -> None:
    for path in ("$boil", "Patient/$boil", f"Patient/{created(context)['id']}/$boil"):
        refused(context.api.get(path), 400, 404, 405, 501)


@checks("errors.unknown_address", "An address that there is not is refused with an OperationOutcome.", STATUS_CODES)
def _(context: RestContext) -> None:
    refused(context.api.get(f"Patient/{created(context)['id']}/nowhere/at/all"), 404, 400)


@checks(
    "errors.method_not_allowed",
    "A method that an address does not have is refused, with 405 and Allow.",
    f"{RFC_9110}#section-15.5.6",
)
def _(context: RestContext) -> None:
    for method in ("PUT", "DELETE"):
        answer = expect_status(context.api.request(method, "metadata"), 405, 400, 404, 501)
        expect(answer.status_code != 405 or "Allow" in answer.headers, f"{said(answer)} without Allow.")
        if answer.status_code != 405:
            context.notes.append(f"{said(answer)}, where 405 says more.")


@checks("errors.unknown_method", "A method that HTTP does not have is refused.", f"{RFC_9110}#section-9.1")
def _(context: RestContext) -> None:
    expect_status(context.api.request("BREW", "Patient"), 400, 404, 405, 501)


@checks(
    "errors.strict_unknown_parameter",
    "An unknown search parameter is refused where Prefer says handling=strict.",
    f"{SEARCH}#errors",
    SEARCHES,
)
def _(context: RestContext) -> None:
    answer = context.api.get("Patient?no-such-parameter=1&_count=1", headers={"Prefer": "handling=strict"})
    refused(answer, 400, 422)


@checks(
    "errors.lenient_unknown_parameter",
    "With handling=lenient an unknown search parameter is left out, and so of the self link.",
    f"{SEARCH}#errors",
    SEARCHES,
)
def _(context: RestContext) -> None:
    made = created(context)
    answer = context.api.get(f"Patient?no-such-parameter=1&_id={made['id']}", headers={"Prefer": "handling=lenient"})
    if answer.status_code == 400:
        context.notes.append("handling=lenient is not heeded.")
        return
    bundle = bundle_of(answer, "searchset")
    links = [link["url"] for link in bundle.get("link", []) if link.get("relation") == "self"]
    expect(links and "no-such-parameter" not in links[0], "The self link has the parameter that was not used.")
    if "no-such-parameter" not in json.dumps(bundle.get("entry", [])):
        context.notes.append("Nothing says that a parameter was left out.")


def _search_case(name: str, words: str, query: str, *parameters: str) -> None:
    claims = [search_parameter("Patient", each) for each in parameters]

    @checks(
        f"errors.search_{name}", f"A search with {words} is refused with 400.", f"{SEARCH}#errors", SEARCHES, *claims
    )
    def _(context: RestContext) -> None:
        refused(context.api.get(f"Patient?{query}", headers={"Prefer": "handling=strict"}), 400, 422)


for _case in (
    ("bad_date", "a date that is none", "birthdate=yesterday", "birthdate"),
    ("bad_prefix", "a prefix that there is not", "birthdate=xx2000-01-01", "birthdate"),
    ("bad_modifier", "a modifier that there is not", "family:sounds-like=x", "family"),
    ("bad_count", "a _count that is no number", "_count=many"),
    ("bad_sort", "an unknown parameter to sort by", "_sort=no-such-parameter"),
    ("bad_include", "an include that there is not", "_include=Patient:no-such-parameter"),
    ("bad_chain", "a chain through what is no reference", "birthdate.name=x", "birthdate"),
):
    _search_case(*_case)


@checks(
    "errors.long_address",
    f"An address of {LONG:,} characters is no error of the server.",
    f"{RFC_9110}#section-15.5.15",
    SEARCHES,
)
def _(context: RestContext) -> None:
    answer = context.api.get(f"Patient?_id={'x' * LONG}")
    expect_status(answer, 200, 400, 413, 414, 431)


@checks("errors.odd_addresses", "Odd addresses are no error of the server.", STATUS_CODES)
def _(context: RestContext) -> None:
    for path in (
        "Patient/%00",
        "Patient/%FF%FE",
        "Patient/..%2F..%2Fetc",
        "Patient/a%20b",
        "Patient?%ZZ=1",
        "Patient?_id=%FF",
    ):
        answer = context.api.get(path)
        expect(answer.status_code < 500, f"{said(answer)}.")


@checks(
    "errors.no_html_echo",
    "What a request says comes back in no answer as HTML.",
    f"{HTTP.replace('http.', 'security.')}#narrative",
)
def _(context: RestContext) -> None:
    for path in (f"Patient/{quote(HTML, safe='')}", f"Patient?name:{quote(HTML)}=x", f"{quote(HTML, safe='')}"):
        for accept in (FHIR_JSON, "text/html"):
            answer = context.api.get(path, headers={"Accept": accept})
            kind = answer.headers.get("Content-Type", "")
            expect(
                "html" not in kind or HTML not in answer.text, f"{said(answer)} with a page that has the script in it."
            )


def _wrong_requests(context: RestContext) -> list[httpx.Response]:
    """The answers to wrong requests of all kinds, made once."""
    asks: list[Callable[[], httpx.Response]] = [
        lambda: context.api.get(f"Patient/{context.records.text('none-')}"),
        lambda: context.api.get("Teapot"),
        lambda: context.api.get("Patient/$boil"),
        lambda: context.api.get("Patient?birthdate=yesterday", headers={"Prefer": "handling=strict"}),
        lambda: context.records.post_text("Patient", "{"),
        lambda: context.records.post_text("Patient", "[]"),
        lambda: context.records.post_text("Patient", text_of(context, CASES[0])),
        lambda: context.records.post_text("Patient", json.dumps(sample(context, gender="woman"))),
        lambda: context.api.send("POST", "", {"resourceType": "Bundle", "type": "searchset"}),
        lambda: context.api.send("PUT", "Patient/one", sample(context, id="other")),
    ]
    return context.shared("errors.answers", lambda _: [ask() for ask in asks])


@checks("errors.no_stack_trace", "No refusal shows the inside of the server.", f"{HTTP.replace('http.', 'security.')}")
def _(context: RestContext) -> None:
    for answer in _wrong_requests(context):
        expect(not STACK_TRACES.search(answer.text), f"{said(answer)} with a stack trace.")
        expect(answer.status_code < 500, f"{said(answer)}, an error of the server.")


@checks("errors.content_type", "A refusal is a FHIR resource, and its Content-Type says so.", f"{HTTP}#mime-type")
def _(context: RestContext) -> None:
    for answer in _wrong_requests(context):
        kind = answer.headers.get("Content-Type", "")
        expect(kind.startswith(FHIR_JSON), f"{said(answer)} with the Content-Type {kind!r}.")
        outcome_of(answer)


@checks(
    "errors.says_what_is_wrong",
    "A refusal says in words what is wrong.",
    f"{OUTCOME}#OperationOutcome.issue.diagnostics",
)
def _(context: RestContext) -> None:
    for answer in _wrong_requests(context):
        issues = outcome_of(answer)["issue"]
        words = [str(each.get("diagnostics") or each.get("details", {}).get("text") or "") for each in issues]
        expect(any(len(text) > 8 for text in words), f"{said(answer)} without a word on what is wrong.")


@checks(
    "errors.head_of_unknown",
    "HEAD of an unknown resource is answered as GET is, without a body.",
    f"{RFC_9110}#section-9.3.2",
)
def _(context: RestContext) -> None:
    answer = context.api.request("HEAD", f"Patient/{context.records.text('none-')}")
    if answer.status_code in (405, 501):
        raise Skip("HEAD, which a server need not have, is not served.")
    expect(expect_status(answer, 404).content == b"", "There is a body.")


@checks("errors.post_to_instance", "A POST to a resource is refused.", STATUS_CODES)
def _(context: RestContext) -> None:
    made = created(context)
    answer = context.api.send("POST", f"Patient/{made['id']}", sample(context))
    expect_status(answer, *INVALID, 404, 405, 501)
    expect(context.api.resource(f"Patient/{made['id']}") == made, "The resource was changed.")
