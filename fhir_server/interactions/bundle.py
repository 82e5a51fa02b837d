"""A Bundle posted to the FHIR base: a batch or a transaction.

https://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

from fhir_server.call import Answer, Call
from fhir_server.interactions.batch import batch_response
from fhir_server.interactions.transaction import transaction_response
from fhir_server.services import Services
from resources.bundle import parse_bundle
from resources.problem import problem

# A client that waits longer is better told to come back.
WAIT_SECONDS = 20.0


def bundle(call: Call, services: Services) -> Answer:
    """Carry out a batch or transaction. 503 where too many Bundles are being processed already, 413 for too many entries."""
    if not call.body:
        raise problem(400, "required", "The request has no body; a Bundle is expected.")
    if not services.bundles.acquire(timeout=WAIT_SECONDS):
        raise problem(
            503, "throttled", "Too many Bundles are processed at once; please try again.", headers={"Retry-After": "5"}
        )
    try:
        parsed = parse_bundle(call.body, ("batch", "transaction"))
        most = services.settings.max_transaction_entries
        if len(parsed.entries) > most:
            raise problem(
                413, "too-long", f"The Bundle has {len(parsed.entries):,} entries; {most:,} is the most accepted."
            )
        if parsed.type == "transaction":
            return transaction_response(parsed, call, services)
        return batch_response(parsed, call, services)
    finally:
        services.bundles.release()
