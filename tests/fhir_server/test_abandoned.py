"""What killed processes leave behind: transactions that are still open, and a database that has only just started."""

from __future__ import annotations

from pymongo.errors import ConfigurationError

from fhir_server.store.abandoned import end_abandoned_transactions
from fhir_server.store.database import Database, connected
from fhir_server.store.faults import is_passing
from fhir_server.store.transaction import transact
from tests.fhir_server.conftest import NAME


def test_a_transaction_that_its_process_has_left_open_is_ended_for_whoever_waits_for_it(
    mongodb, database: Database
) -> None:
    database.mongo["x"].insert_one({"_id": 1, "v": 0})
    with connected(mongodb.uri, NAME) as dead, dead.client.start_session() as session:
        session.start_transaction()
        dead.mongo["x"].update_one({"_id": 1}, {"$set": {"v": "dead"}}, session=session)
        assert end_abandoned_transactions(database) == 0  # it may yet go on
        transact(
            database, lambda view: view.mongo["x"].update_one({"_id": 1}, {"$inc": {"v": 1}}, session=view.session)
        )
        assert database.mongo["x"].find_one({"_id": 1}) == {"_id": 1, "v": 1}


def test_a_database_that_does_not_know_sessions_yet_is_expected_to() -> None:
    assert is_passing(ConfigurationError("Sessions are not supported by this MongoDB deployment"))
