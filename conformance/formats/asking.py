"""Which format is asked for and sent: Accept, _format, Content-Type, compression, layout."""

from __future__ import annotations

import gzip
import json
from typing import Any
from urllib.parse import quote

from conformance.answers import expect_status
from conformance.api import json_of, resource_of
from conformance.check import Checks, Failure, Skip, expect
from conformance.clauses import HTTP, JSON, MIME_TYPE, RFC_9110
from conformance.formats.exchange import (
    AS_JSON,
    AS_XML,
    FHIR_JSON,
    FHIR_XML,
    expect_type,
    get,
    made,
    send,
    tree_of,
    values,
)
from conformance.rest_context import RestContext
from conformance.samples import sample
from conformance.statement import interaction, serves_format

checks = Checks("Formats: negotiation")
SPELLINGS = {
    "json": ("json", "application/json", "application/fhir+json"),
    "xml": ("xml", "text/xml", "application/xml", "application/fhir+xml"),
}


def _accept_of(name: str, media_type: str) -> None:
    @checks(
        f"formats.accept_{name}",
        f"Accept: {media_type} is answered with it.",
        MIME_TYPE,
        serves_format(name),
    )
    def _(context: RestContext) -> None:
        answer = expect_status(get(context, made(context), media_type), 200)
        expect_type(answer, media_type)
        expect(answer.text.lstrip("\ufeff \n").startswith("{" if name == "json" else "<"), f"It is no {name}.")


for _name, _media_type in (("json", FHIR_JSON), ("xml", FHIR_XML)):
    _accept_of(_name, _media_type)


def _spelling_of(name: str) -> None:
    spellings = SPELLINGS[name]

    @checks(
        f"formats.format_parameter_{name}",
        f"_format with {', '.join(spellings)} is answered in {name.upper()}, whatever Accept says.",
        f"{HTTP}#parameters",
        serves_format(name),
    )
    def _(context: RestContext) -> None:
        other = FHIR_XML if name == "json" else FHIR_JSON
        for spelling in spellings:
            answer = expect_status(get(context, f"{made(context)}?_format={quote(spelling, safe='')}", other), 200)
            expect(answer.text.lstrip()[:1] == ("{" if name == "json" else "<"), f"_format={spelling} is not heeded.")


for _name in SPELLINGS:
    _spelling_of(_name)


@checks(
    "formats.accept_generic", "The generic media types application/json and application/xml are understood.", MIME_TYPE
)
def _(context: RestContext) -> None:
    for name, media_type in (("json", "application/json"), ("xml", "application/xml")):
        if serves_format(name).holds(context.statement):
            answer = expect_status(get(context, made(context), media_type), 200)
            expect_type(answer, media_type, f"application/fhir+{name}")


@checks("formats.accept_anything", "Accept: */* is answered with a format that FHIR has.", MIME_TYPE)
def _(context: RestContext) -> None:
    expect_type(expect_status(get(context, made(context), "*/*"), 200), FHIR_JSON, FHIR_XML)


@checks(
    "formats.accept_quality",
    "Of several media types in Accept the one with the higher quality is taken.",
    f"{RFC_9110}#section-12.5.1",
    AS_JSON,
    AS_XML,
)
def _(context: RestContext) -> None:
    answer = expect_status(get(context, made(context), f"{FHIR_JSON};q=0.2, {FHIR_XML};q=0.9"), 200)
    expect_type(answer, FHIR_XML)
    answer = expect_status(get(context, made(context), f"image/png, {FHIR_JSON};q=0.1"), 200)
    expect_type(answer, FHIR_JSON)


@checks("formats.accept_unknown", "A media type that is not served is refused with 406.", f"{RFC_9110}#section-15.5.7")
def _(context: RestContext) -> None:
    answer = get(context, made(context), "image/png")
    if answer.status_code == 200:
        context.notes.append("A media type in Accept that is not served is passed over.")
        return
    expect_status(answer, 406)


@checks("formats.format_parameter_unknown", "A _format that is not served is refused with 406.", f"{HTTP}#parameters")
def _(context: RestContext) -> None:
    answer = context.api.get(f"{made(context)}?_format=image/png")
    if answer.status_code == 200:
        context.notes.append("A _format that is not served is passed over.")
        return
    expect_status(answer, 406, 400)


@checks(
    "formats.content_type_unknown",
    "A body of a media type that is not served is refused with 415.",
    f"{RFC_9110}#section-15.5.16",
    interaction("create", "Patient"),
)
def _(context: RestContext) -> None:
    for media_type in ("text/plain", "application/pdf"):
        expect_status(context.records.post_text("Patient", json.dumps(sample(context)), media_type), 415)


@checks("formats.charset", "Answers are UTF-8, and do not say anything else.", MIME_TYPE)
def _(context: RestContext) -> None:
    for name, media_type in (("json", FHIR_JSON), ("xml", FHIR_XML)):
        if serves_format(name).holds(context.statement):
            answer = expect_status(get(context, made(context), media_type), 200)
            said = answer.headers.get("Content-Type", "").lower()
            expect("charset=" not in said or "utf-8" in said, f"The Content-Type is {said!r}.")
            try:
                text = answer.content.decode("utf-8")
            except UnicodeDecodeError:
                raise Failure("The answer is not UTF-8.") from None
            expect("王" in text or "\\u738b" in text or "&#" in text, "A character was lost.")


@checks(
    "formats.content_type_with_charset",
    "A body whose Content-Type says charset=utf-8 or fhirVersion=4.0 is taken.",
    f"{HTTP}#version-parameter",
    AS_JSON,
    interaction("create", "Patient"),
)
def _(context: RestContext) -> None:
    for parameter in ("charset=utf-8", 'charset="UTF-8"', "fhirVersion=4.0"):
        send(context, json.dumps(context.records.tagged(sample(context))), f"{FHIR_JSON}; {parameter}")


@checks(
    "formats.generic_json_body",
    "A body of application/json is taken as FHIR.",
    MIME_TYPE,
    AS_JSON,
    interaction("create", "Patient"),
)
def _(context: RestContext) -> None:
    send(context, json.dumps(context.records.tagged(sample(context))), "application/json")


@checks(
    "formats.byte_order_mark",
    "A body with a byte order mark is taken, or refused as malformed.",
    "https://www.rfc-editor.org/rfc/rfc8259#section-8.1",
    AS_JSON,
    interaction("create", "Patient"),
)
def _(context: RestContext) -> None:
    body = b"\xef\xbb\xbf" + json.dumps(context.records.tagged(sample(context))).encode()
    expect_status(context.records.post_text("Patient", body, FHIR_JSON), 201, 400)


@checks(
    "formats.no_nulls",
    "JSON has null in lists alone, for a value that has nothing but an extension or an id.",
    f"{JSON}#null",
    AS_JSON,
)
def _(context: RestContext) -> None:
    path = made(context)
    for each in (path, f"{path}/_history", f"Patient?_id={path.split('/')[1]}", "metadata"):
        nulls: set[str] = set()

        def look(pairs: list[tuple[str, Any]], found: set[str] = nulls) -> dict[str, Any]:
            found.update(name for name, value in pairs if value is None)
            return dict(pairs)

        answer = context.api.get(each)
        resource_of(answer)
        json.loads(answer.content, object_pairs_hook=look)
        expect(not nulls, f"In the answer at {each} null is the value of {', '.join(sorted(nulls))}.")


@checks("formats.pretty", "_pretty changes the layout and not the content.", f"{HTTP}#parameters", AS_JSON)
def _(context: RestContext) -> None:
    plain, pretty = (context.api.get(f"{made(context)}{query}") for query in ("", "?_pretty=true"))
    expect(json_of(expect_status(pretty, 200)) == json_of(plain), "The content is another one.")
    if pretty.text.count("\n") < 3:
        context.notes.append("_pretty=true does not indent.")


@checks("formats.gzip_answer", "An answer that is compressed can be read.", f"{RFC_9110}#section-12.5.3", AS_JSON)
def _(context: RestContext) -> None:
    answer = context.api.get("metadata", headers={"Accept-Encoding": "gzip"})
    expect(json_of(expect_status(answer, 200)).get("resourceType") == "CapabilityStatement", "It cannot be read.")
    if answer.headers.get("Content-Encoding") != "gzip":
        context.notes.append("Large answers are not compressed.")


@checks(
    "formats.gzip_body",
    "A compressed body is taken, or refused with 415.",
    f"{RFC_9110}#section-8.4",
    AS_JSON,
    interaction("create", "Patient"),
)
def _(context: RestContext) -> None:
    body = gzip.compress(json.dumps(context.records.tagged(sample(context))).encode())
    expect_status(context.records.post_text("Patient", body, FHIR_JSON, Content_Encoding="gzip"), 201, 415)


@checks("formats.error_in_xml", "An error is told in XML to who asks for XML.", MIME_TYPE, AS_XML)
def _(context: RestContext) -> None:
    answer = expect_status(get(context, f"Patient/{context.records.text('none-')}", FHIR_XML), 404)
    expect_type(answer, FHIR_XML)
    expect("<OperationOutcome" in answer.text, "There is no OperationOutcome in XML.")


@checks(
    "formats.search_in_xml", "A search is answered in XML.", MIME_TYPE, AS_XML, interaction("search-type", "Patient")
)
def _(context: RestContext) -> None:
    logical_id = made(context).split("/")[1]
    tree = tree_of(get(context, f"Patient?_id={logical_id}", FHIR_XML))
    expect(values(tree, "type") == ["searchset"], f"The type is {values(tree, 'type')}.")
    expect(values(tree, "entry/resource/Patient/id") == [logical_id], "The match is not there.")


@checks(
    "formats.html_for_browsers",
    "What a browser sends as Accept is answered, with a format of FHIR or with HTML.",
    MIME_TYPE,
)
def _(context: RestContext) -> None:
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
    answer = get(context, made(context), accept)
    if answer.status_code == 406:
        raise Skip("Browsers are not served.")
    expect_type(expect_status(answer, 200), FHIR_JSON, FHIR_XML, "application/xml", "text/html")
