"""The yardstick: what Flask, pymongo and MongoDB can do here without any FHIR.

Reads return stored bytes by id. Creates and updates parse the body, give it an id and store it. A transaction's entries are
parsed, given ids and stored in one MongoDB transaction. The write concern, worker processes and threads are our server's.
"""

from __future__ import annotations

import os
import uuid
from collections import defaultdict
from typing import Any

import orjson
from flask import Flask, Response, request
from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.write_concern import WriteConcern

FHIR_JSON = "application/fhir+json"


def app() -> Flask:
    """The application of one worker process; FHIR_MONGODB_URI says where MongoDB is."""
    client: MongoClient[dict[str, Any]] = MongoClient(os.environ["FHIR_MONGODB_URI"])
    durable = WriteConcern("majority", j=True)
    database = client.get_database("bare", write_concern=durable)
    flask = Flask(__name__)

    @flask.get("/fhir/<kind>/<key>")
    def read(kind: str, key: str) -> Response:
        found = database[kind].find_one({"_id": key}, {"raw": 1})
        if found is None:
            return Response(status=404)
        return Response(found["raw"], content_type=FHIR_JSON)

    @flask.post("/fhir/<kind>")
    def create(kind: str) -> Response:
        key, raw = _with_new_id(orjson.loads(request.get_data()))
        database[kind].insert_one({"_id": key, "raw": raw})
        return Response(raw, 201, {"Location": f"/fhir/{kind}/{key}"}, content_type=FHIR_JSON)

    @flask.put("/fhir/<kind>/<key>")
    def update(kind: str, key: str) -> Response:
        raw = orjson.dumps(orjson.loads(request.get_data()))
        replaced = database[kind].replace_one({"_id": key}, {"_id": key, "raw": raw}, upsert=True)
        return Response(raw, 200 if replaced.matched_count else 201, content_type=FHIR_JSON)

    @flask.post("/fhir")
    def transaction() -> Response:
        documents: dict[str, list[dict[str, Any]]] = defaultdict(list)
        answers = []
        for entry in orjson.loads(request.get_data())["entry"]:
            kind = entry["resource"]["resourceType"]
            key, raw = _with_new_id(entry["resource"])
            documents[kind].append({"_id": key, "raw": raw})
            answers.append({"response": {"status": "201", "location": f"{kind}/{key}"}})

        def store(session: ClientSession) -> None:
            for kind, of_kind in documents.items():
                client["bare"][kind].insert_many(of_kind, session=session)

        with client.start_session() as session:  # begins again where another transaction makes the same collection
            session.with_transaction(store, write_concern=durable)
        body = {"resourceType": "Bundle", "type": "transaction-response", "entry": answers}
        return Response(orjson.dumps(body), content_type=FHIR_JSON)

    return flask


def _with_new_id(resource: dict[str, Any]) -> tuple[str, bytes]:
    resource["id"] = str(uuid.uuid4())
    return resource["id"], orjson.dumps(resource)
