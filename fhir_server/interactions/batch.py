"""batch: the entries of a Bundle one by one; one that fails leaves the others alone.

https://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

from fhir_server.bundle_writer import response_bundle
from fhir_server.call import Answer, Call
from fhir_server.dispatch import perform
from fhir_server.interactions.entry_calls import entry_call, without_content
from fhir_server.interactions.links import batch_replacement
from fhir_server.interactions.naming import naming
from fhir_server.outcome import unexpected
from fhir_server.services import Services
from resources.bundle import Bundle, Entry, in_verb_order
from resources.problem import Problem
from resources.rewriting import Replace, rewrite


def batch_response(bundle: Bundle, call: Call, services: Services) -> Answer:
    """Carry out a batch Bundle and answer with a batch-response Bundle, entry by entry in its order."""
    replacement = batch_replacement({entry.full_url for entry in bundle.entries if entry.full_url}, services)
    answers: dict[int, Answer] = {}
    for entry in in_verb_order(bundle.entries):
        answers[entry.index] = _answer(entry, replacement, call, services)
    parts = [answers[entry.index] for entry in bundle.entries]
    return Answer(200, response_bundle("batch-response", parts, services.base_url), parts=parts)


def _answer(entry: Entry, replacement: Replace, call: Call, services: Services) -> Answer:
    single: Call | None = None
    try:
        with naming(entry):
            single = entry_call(entry, services.base_url)
            single.prefer_return = call.prefer_return or "minimal"
            single.lenient = call.lenient
            if single.document is not None:
                single.document = rewrite(single.document, replacement)
            answer = perform(single, services)
    except Problem as fault:
        return Answer(fault.status, issues=fault.issues, call=single, is_denial=fault.is_denial)
    except Exception as error:  # what earlier entries stored stays stored, so the client must learn of it
        unforeseen = unexpected(error)
        return Answer(unforeseen.status, issues=unforeseen.issues, call=single)
    answer.call = single
    return without_content(answer) if single.method == "HEAD" else answer
