"""The yardstick: what Flask, pymongo and MongoDB can do here without any FHIR.

Reads return stored bytes by id; creates parse the body, give it an id and insert it, with the same write concern, worker
processes and threads as our server.
"""

from __future__ import annotations

import os
import uuid

import orjson
from flask import Flask, Response, request
from pymongo import MongoClient
from pymongo.write_concern import WriteConcern


def app() -> Flask:
    """The application of one worker process; FHIR_MONGODB_URI says where MongoDB is."""
    database = MongoClient(os.environ["FHIR_MONGODB_URI"]).get_database(
        "bare", write_concern=WriteConcern("majority", j=True)
    )
    flask = Flask(__name__)

    @flask.get("/fhir/<kind>/<key>")
    def read(kind: str, key: str) -> Response:
        found = database[kind].find_one({"_id": key}, {"raw": 1})
        if found is None:
            return Response(status=404)
        return Response(found["raw"], content_type="application/fhir+json")

    @flask.post("/fhir/<kind>")
    def create(kind: str) -> Response:
        resource = orjson.loads(request.get_data())
        resource["id"] = str(uuid.uuid4())
        raw = orjson.dumps(resource)
        database[kind].insert_one({"_id": resource["id"], "raw": raw})
        return Response(raw, 201, {"Location": f"/fhir/{kind}/{resource['id']}"}, content_type="application/fhir+json")

    return flask
