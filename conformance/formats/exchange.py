"""Sending and getting resources in a format, and looking into XML."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import httpx

from conformance.answers import expect_status, location_of
from conformance.check import Failure, expect
from conformance.rest_context import RestContext
from conformance.samples import EXTENSION, text_with_decimals
from conformance.statement import serves_format

AS_JSON, AS_XML = serves_format("json"), serves_format("xml")
FHIR_JSON, FHIR_XML = "application/fhir+json", "application/fhir+xml"
NAMESPACE = "http://hl7.org/fhir"
DECIMAL = "1.00"
CONTENT: dict[str, Any] = {
    "name": [{"family": "Zoë & <Co> 王", "given": ["Anna", "Bea"], "_given": [None, {"id": "second"}]}],
    "_birthDate": {"extension": [{"url": EXTENSION, "valueDateTime": "1970-01-31T14:35:45-05:00"}]},
    "multipleBirthInteger": 2,
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>Zoë &amp; Co</p></div>'},
}


def made(context: RestContext) -> str:
    """`Patient/id` of a Patient with something of everything, written in JSON."""

    def make(it: RestContext) -> str:
        return send(it, text_with_decimals(it, DECIMAL, **CONTENT), FHIR_JSON)

    return context.shared("formats.patient", make)


def send(context: RestContext, text: str | bytes, media_type: str, **headers: str) -> str:
    """`Patient/id` of a Patient that was created from a text. Raises a Failure."""
    answer = expect_status(context.records.post_text("Patient", text, media_type, **headers), 201)
    return f"Patient/{location_of(answer, 'Patient')[0]}"


def get(context: RestContext, path: str, accept: str) -> httpx.Response:
    """The answer to a read with an `Accept`."""
    return context.api.get(path, headers={"Accept": accept})


def expect_type(response: httpx.Response, *expected: str) -> None:
    """Raise a Failure unless the Content-Type is one of the media types."""
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    expect(kind in expected, f"The Content-Type is {kind!r}, where {' or '.join(expected)} was asked for.")


def tree_of(response: httpx.Response) -> ElementTree.Element:
    """The resource of an answer in XML. Raises a Failure."""
    expect_status(response, 200, 201)
    if "<!DOCTYPE" in response.text:
        raise Failure("The XML has a document type.")
    try:
        tree = ElementTree.fromstring(response.content)  # noqa: S314 - without a document type it has no entities
    except ElementTree.ParseError as error:
        raise Failure(f"The answer is no well-formed XML: {error}.") from None
    expect(tree.tag.startswith(f"{{{NAMESPACE}}}"), f"The root {tree.tag!r} is not in FHIR's namespace.")
    return tree


def values(tree: ElementTree.Element, path: str) -> list[str | None]:
    """The `value` of each element at a path such as `name/family`."""
    steps = "/".join(f"{{{NAMESPACE}}}{step}" for step in path.split("/"))
    return [each.get("value") for each in tree.findall(steps)]
