"""What is too large for the store with its index is refused before it gets there."""

from __future__ import annotations

import pytest
from bson import encode

from fhir_server import prepare_write
from fhir_server.prepare_write import document_of, prepare
from resources.problem import Problem
from search.context import Context

CONTEXT = Context("http://localhost:8080/fhir")


def patient(contained: int) -> bytes:
    inner = ",".join(
        f'{{"resourceType":"Patient","id":"c{n}","name":[{{"family":"{"n" * 90}{n}","given":["{"g" * 90}{n}"]}}]}}'
        for n in range(contained)
    )
    references = ",".join(f'{{"other":{{"reference":"#c{n}"}},"type":"seealso"}}' for n in range(contained))
    return f'{{"resourceType":"Patient","contained":[{inner}],"link":[{references}]}}'.encode()


@pytest.mark.parametrize("contained", [1, 30, 300])
def test_what_passes_fits_with_all_that_is_stored_beside_it(contained, monkeypatch):
    body = patient(contained)
    document = document_of(body, "Patient")
    intent, _ = prepare("POST", document, "x" * 64, CONTEXT)
    assert intent.index is not None
    size = len(encode({"_id": "x" * 64, "raw": body, **intent.index("x" * 64)}))
    monkeypatch.setattr(prepare_write, "FEW_VALUES", 0)  # look at small ones as at large ones
    monkeypatch.setattr(prepare_write, "MAX_STORED_BYTES", size)
    with pytest.raises(Problem) as caught:
        prepare("POST", document, "x" * 64, CONTEXT)
    assert caught.value.status == 413
    monkeypatch.setattr(prepare_write, "MAX_STORED_BYTES", 2 * size)
    prepare("POST", document, "x" * 64, CONTEXT)
