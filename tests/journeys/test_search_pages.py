"""Walks through pages while others write: no match that stays what it is is repeated or skipped.

https://hl7.org/fhir/R4/http.html#paging

4,000 pages, or as many as FHIR_TEST_PAGES says. Some 2,000 are walked until every order was walked with every number of
matches on a page.
"""

from __future__ import annotations

import itertools
import os
import random
import threading
import time
from collections import Counter

import pytest

from fhir_server.app import create_app
from fhir_server.embedded_mongodb import EmbeddedMongoDB
from fhir_server.services import services_for
from fhir_server.settings import Settings
from fhir_server.store.database import connected, prepare_guards

PAGES = int(os.environ.get("FHIR_TEST_PAGES", "4000"))
SORTS = (
    "",
    "_id",
    "-_id",
    "_lastUpdated",
    "-_lastUpdated",
    "-birthdate",
    "name",
    "-name",
    "gender,-birthdate",
    "birthdate,-_id",
)
WRITERS = 4
TAG = {"system": "urn:test", "code": "walk"}


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with (
        EmbeddedMongoDB(tmp_path_factory.mktemp("pages") / "data", cache_mb=256) as mongodb,
        connected(mongodb.uri, "pages") as database,
    ):
        prepare_guards(database)
        yield create_app(services_for(Settings.from_environ({"FHIR_LOG_LEVEL": "critical"}), database))


def patient(dice, logical_id):
    """A Patient with few different values to sort by, so that many are alike, and some with none."""
    tree = {"resourceType": "Patient", "id": logical_id, "meta": {"tag": [TAG]}}
    if dice.random() < 0.8:
        tree["birthDate"] = f"19{dice.randrange(50, 60)}"
    if dice.random() < 0.8:
        tree["name"] = [{"family": dice.choice(["Ash", "ash", "Birch", "Cedar", "Dogwood", "Ästig"])}]
    if dice.random() < 0.7:
        tree["gender"] = dice.choice(["male", "female"])
    return tree


class Writer:
    """Writes all the time: `other-*` come and go, `moving-*` change what they are sorted by, `steady-*` change otherwise."""

    def __init__(self, app, number, steady, stop):
        self._client, self._number, self._steady, self._stop = app.test_client(), number, steady, stop
        self._dice = random.Random(number)
        self.writes, self.faults = 0, []

    def run(self):
        for turn in itertools.count():
            if self._stop.is_set():
                return
            there = f"{self._number}-{turn % 12}"
            if turn % 3 == 0:
                self._do("put", patient(self._dice, f"{self._dice.choice('am')}-other-{there}"))
            elif turn % 3 == 1:
                self._do("put", patient(self._dice, f"m-moving-{there}"))
                tree = self._steady[self._dice.randrange(len(self._steady)) // WRITERS * WRITERS + self._number]
                self._do("put", {**tree, "active": bool(turn % 2)})
            else:
                self._do("delete", {"id": f"{self._dice.choice('am')}-other-{there}"})
            time.sleep(0.004)  # so that walks make headway against four writers

    def _do(self, method, tree):
        body = {"json": tree} if method == "put" else {}
        answer = getattr(self._client, method)(f"/fhir/Patient/{tree['id']}", **body)
        self.writes += 1
        if answer.status_code >= 400:
            self.faults.append(answer.text)


def test_pages_neither_repeat_nor_skip_what_stays_while_four_writers_write(app):
    """What is asserted of each walk from the first page to the last:

    - a match that was not written at all during the test (`still-*`) is there exactly once;
    - a match that was updated, but not in what the walk is sorted by (`steady-*`), is there exactly once; sorted by
      `_lastUpdated`, every update changes that, so there it may be there twice or not at all;
    - what has come, gone or moved may be missing or, where it moved behind the current page, repeated; in the order of
      ids nothing can move, so there nothing at all is repeated;
    - what stays comes in one order, the same in all walks.
    """
    dice = random.Random(7)
    client = app.test_client()
    still = [patient(dice, f"{dice.choice('az')}-still-{number}") for number in range(30)]
    steady = [patient(dice, f"{dice.choice('az')}-steady-{number}") for number in range(16)]
    for tree in (*still, *steady):
        assert client.put(f"/fhir/Patient/{tree['id']}", json=tree).status_code == 201
    still_ids, steady_ids = ({tree["id"] for tree in trees} for trees in (still, steady))
    stop = threading.Event()
    writers = [Writer(app, number, steady, stop) for number in range(WRITERS)]
    threads = [threading.Thread(target=writer.run) for writer in writers]
    for thread in threads:
        thread.start()
    orders = {}
    pages = walks = strangers = 0
    try:
        while pages < PAGES:
            sort, count = SORTS[walks % len(SORTS)], walks % 7 + 1
            seen, walked = walk(client, sort, count)
            pages += walked
            walks += 1
            times = Counter(seen)
            staying = still_ids if "_lastUpdated" in sort else still_ids | steady_ids
            assert {each: times[each] for each in staying} == dict.fromkeys(staying, 1), (sort, count)
            if sort in ("", "_id", "-_id"):
                assert set(times.values()) == {1}, sort
            in_order = [each for each in seen if each in staying]
            assert orders.setdefault(sort, in_order) == in_order, (sort, count)
            strangers += len(times.keys() - still_ids - steady_ids)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert [writer.faults for writer in writers] == [[]] * WRITERS
    assert min(writer.writes for writer in writers) > 20
    assert strangers > walks
    assert walks >= len(SORTS) * 7
    assert len(orders) == len(SORTS)


def walk(client, sort, count):
    """The ids on all pages, in order, and the number of pages."""
    seen = []
    url = f"/fhir/Patient?_tag=urn:test|walk&_count={count}" + (f"&_sort={sort}" if sort else "")
    for number in itertools.count(1):
        answer = client.get(url)
        assert answer.status_code == 200, answer.text
        assert number <= 1000, f"the walk sorted by {sort} does not end"
        bundle = answer.get_json()
        page = [entry["resource"]["id"] for entry in bundle.get("entry", [])]
        assert len(page) <= count
        seen += page
        following = [link["url"] for link in bundle["link"] if link["relation"] == "next"]
        if not following:
            return seen, number
        url = following[0].removeprefix("http://localhost:8080")
