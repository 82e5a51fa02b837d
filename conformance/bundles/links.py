"""Links between the entries of a transaction, which become links between what is stored."""

from __future__ import annotations

import json
from typing import Any

from conformance.bundles.posting import creating, done, entry, made_path, tagged, urn
from conformance.check import Checks, expect
from conformance.claims import CONDITIONAL_CREATES, TRANSACTIONS, UPDATE_CREATES
from conformance.clauses import BUNDLE, TRANSACTION, TRANSACTION_RULES
from conformance.conditions import condition_of
from conformance.rest.updating import created
from conformance.rest_context import RestContext
from conformance.samples import new_id
from conformance.statement import interaction

checks = Checks("Bundles: links")
OBSERVATION = interaction("create", "Observation")
NARRATIVE = '<div xmlns="http://www.w3.org/1999/xhtml"><p>See <a href="{}">her</a>.</p></div>'


def _pair(context: RestContext, full_url: str, **members: Any) -> tuple[str, dict[str, Any]]:
    """A Patient and an Observation made together: `Patient/id`, and the Observation as it is read."""
    entries = [
        creating(tagged(context, "Observation", **members), fullUrl=urn()),
        creating(tagged(context), fullUrl=full_url),
    ]
    answered = done(context, "transaction", entries)
    return made_path(answered[1]), context.api.resource(made_path(answered[0], "Observation"))


def _reference(value: object) -> str:
    """The reference without the address of the server."""
    text = str(value.get("reference", "")) if isinstance(value, dict) else ""
    return "/".join(text.split("/")[-2:]) if text.startswith("http") else text


@checks(
    "bundles.urn_uuid_is_replaced",
    "A reference by urn:uuid to another entry leads to what that became.",
    TRANSACTION_RULES,
    TRANSACTIONS,
    OBSERVATION,
)
def _(context: RestContext) -> None:
    full_url = urn()
    patient, found = _pair(context, full_url, subject={"reference": full_url})
    expect(_reference(found.get("subject")) == patient, f"subject is {found.get('subject')}, where {patient} was made.")


@checks(
    "bundles.full_url_is_replaced",
    "A reference by the fullUrl of another entry leads to what that became.",
    f"{BUNDLE}#references",
    TRANSACTIONS,
    OBSERVATION,
)
def _(context: RestContext) -> None:
    full_url = f"https://example.org/fhir/Patient/{new_id(context)}"
    patient, found = _pair(context, full_url, subject={"reference": full_url})
    expect(_reference(found.get("subject")) == patient, f"subject is {found.get('subject')}, where {patient} was made.")


@checks(
    "bundles.relative_reference_is_replaced",
    "A relative reference is understood from the fullUrl of its own entry.",
    f"{BUNDLE}#references",
    TRANSACTIONS,
    OBSERVATION,
)
def _(context: RestContext) -> None:
    base, logical_id = "https://example.org/fhir", new_id(context)
    entries = [
        creating(tagged(context), fullUrl=f"{base}/Patient/{logical_id}"),
        creating(
            tagged(context, "Observation", subject={"reference": f"Patient/{logical_id}"}),
            fullUrl=f"{base}/Observation/{new_id(context)}",
        ),
    ]
    answered = done(context, "transaction", entries)
    found = context.api.resource(made_path(answered[1], "Observation"))
    expect(_reference(found.get("subject")) == made_path(answered[0]), f"subject is {found.get('subject')}.")


@checks(
    "bundles.references_everywhere",
    "References are replaced wherever they stand: in lists, extensions and contained resources.",
    TRANSACTION_RULES,
    TRANSACTIONS,
    OBSERVATION,
)
def _(context: RestContext) -> None:
    full_url = urn()
    reference = {"reference": full_url}
    members = {
        "subject": reference,
        "performer": [reference],
        "extension": [{"url": "urn:conformance-kit:extension", "valueReference": reference}],
        "contained": [{"resourceType": "Specimen", "id": "s", "subject": reference}],
        "specimen": {"reference": "#s"},
    }
    patient, found = _pair(context, full_url, **members)
    expect(full_url not in json.dumps(found), "A reference by urn:uuid is left.")
    places = {
        "performer": found["performer"][0],
        "extension": found["extension"][0].get("valueReference"),
        "contained": found["contained"][0].get("subject"),
    }
    for place, value in places.items():
        expect(_reference(value) == patient, f"The reference in {place} is {value}, where {patient} was made.")


@checks("bundles.narrative_links", "Links in the narrative are replaced.", TRANSACTION_RULES, TRANSACTIONS, OBSERVATION)
def _(context: RestContext) -> None:
    full_url = urn()
    text = {"status": "generated", "div": NARRATIVE.format(full_url)}
    patient, found = _pair(context, full_url, text=text)
    div = found.get("text", {}).get("div", "")
    if full_url in div:
        context.notes.append("A link in the narrative is not replaced, which it should be.")
        return
    expect(patient in div, f"The narrative is {div!r}, where {patient} was made.")


@checks("bundles.circular_references", "Entries may refer to each other.", TRANSACTION_RULES, TRANSACTIONS)
def _(context: RestContext) -> None:
    one, other = urn(), urn()
    entries = [
        creating(tagged(context, link=[{"other": {"reference": other}, "type": "seealso"}]), fullUrl=one),
        creating(tagged(context, link=[{"other": {"reference": one}, "type": "seealso"}]), fullUrl=other),
    ]
    paths = [made_path(each) for each in done(context, "transaction", entries)]
    for path, expected in zip(paths, reversed(paths), strict=True):
        link = context.api.resource(path)["link"][0]["other"]
        expect(_reference(link) == expected, f"The link is {link}, where {expected} was made.")


@checks("bundles.reference_to_itself", "An entry may refer to itself.", TRANSACTION_RULES, TRANSACTIONS)
def _(context: RestContext) -> None:
    own = urn()
    resource = tagged(context, link=[{"other": {"reference": own}, "type": "seealso"}])
    path = made_path(done(context, "transaction", [creating(resource, fullUrl=own)])[0])
    link = context.api.resource(path)["link"][0]["other"]
    expect(_reference(link) == path, f"The link is {link}, where {path} was made.")


@checks(
    "bundles.link_to_update",
    "A reference to an entry that is an update leads to what it updates.",
    TRANSACTION_RULES,
    TRANSACTIONS,
    OBSERVATION,
    UPDATE_CREATES,
)
def _(context: RestContext) -> None:
    full_url, resource = urn(), tagged(context, id=new_id(context))
    entries = [
        creating(tagged(context, "Observation", subject={"reference": full_url}), fullUrl=urn()),
        entry("PUT", f"Patient/{resource['id']}", resource, fullUrl=full_url),
    ]
    answered = done(context, "transaction", entries)
    found = context.api.resource(made_path(answered[0], "Observation"))
    expect(_reference(found.get("subject")) == f"Patient/{resource['id']}", f"subject is {found.get('subject')}.")


@checks(
    "bundles.link_to_existing",
    "A reference to an entry with ifNoneExist that finds a match leads to that match.",
    TRANSACTION_RULES,
    TRANSACTIONS,
    OBSERVATION,
    CONDITIONAL_CREATES,
)
def _(context: RestContext) -> None:
    made, full_url = created(context), urn()
    entries = [
        creating(tagged(context), fullUrl=full_url, ifNoneExist=f"_id={made['id']}"),
        creating(tagged(context, "Observation", subject={"reference": full_url}), fullUrl=urn()),
    ]
    answered = done(context, "transaction", entries)
    found = context.api.resource(made_path(answered[1], "Observation"))
    expect(_reference(found.get("subject")) == f"Patient/{made['id']}", f"subject is {found.get('subject')}.")


@checks(
    "bundles.conditional_reference",
    "A conditional reference becomes one to the match.",
    TRANSACTION,
    TRANSACTIONS,
    OBSERVATION,
)
def _(context: RestContext) -> None:
    made = created(context)
    condition = condition_of(context, made)
    observation = tagged(context, "Observation", subject={"reference": f"Patient?{condition}"})
    answered = done(context, "transaction", [creating(observation, fullUrl=urn())])
    found = context.api.resource(made_path(answered[0], "Observation"))
    expect(_reference(found.get("subject")) == f"Patient/{made['id']}", f"subject is {found.get('subject')}.")


@checks(
    "bundles.other_references_stay",
    "References to what is not in the Bundle stay as they are.",
    TRANSACTION_RULES,
    TRANSACTIONS,
    OBSERVATION,
)
def _(context: RestContext) -> None:
    made = created(context)
    performer = [{"reference": "https://example.org/elsewhere/Practitioner/1", "display": "Somebody else"}]
    observation = tagged(context, "Observation", subject={"reference": f"Patient/{made['id']}"}, performer=performer)
    path = made_path(done(context, "transaction", [creating(observation, fullUrl=urn())])[0], "Observation")
    found = context.api.resource(path)
    expect(_reference(found.get("subject")) == f"Patient/{made['id']}", f"subject is {found.get('subject')}.")
    expect(found.get("performer") == performer, f"performer is {found.get('performer')}.")


@checks(
    "bundles.texts_stay",
    "A text that happens to be a fullUrl is no link, and stays.",
    TRANSACTION_RULES,
    TRANSACTIONS,
    OBSERVATION,
)
def _(context: RestContext) -> None:
    full_url = urn()
    note = [{"text": f"She was {full_url} before."}]
    _patient, found = _pair(context, full_url, note=note)
    expect(found.get("note") == note, f"note is {found.get('note')}.")
