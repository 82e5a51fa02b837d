"""kill -9 of the server, of a worker and of MongoDB, and a MongoDB that hangs, under readers and writers at once."""

from __future__ import annotations

import signal

import httpx
import pytest

from tests.faults.load import Load
from tests.faults.site import ROUNDS, Site, kill, runs, wait_for

pytestmark = pytest.mark.xdist_group("faults: processes")
ENOUGH = 100
"""So many acknowledged writes before a fault, and again after it."""


def wait_for_writes(load: Load, more: int = ENOUGH) -> None:
    wanted = load.acknowledged + more
    wait_for(lambda: load.acknowledged >= wanted)


def test_a_killed_server_leaves_no_worker_and_loses_nothing_that_it_acknowledged(site: Site, load: Load) -> None:
    for _ in range(ROUNDS):
        workers = site.workers
        assert len(workers) == 2
        with load.on(site.server.base_url):
            wait_for_writes(load)
            with httpx.Client(base_url=site.server.base_url) as idle:
                idle.get("/metadata")  # a client that stays connected must not keep a worker alive
                site.server.kill()
                wait_for(lambda workers=workers: not any(map(runs, workers)), 20)
        assert site.status_of("healthz") == 0
        site.restart()
    with load.on(site.server.base_url):
        wait_for_writes(load)
    with site.server.client() as http:
        load.check(http)


def test_a_killed_worker_is_replaced_and_nothing_that_it_acknowledged_is_lost(site: Site, load: Load) -> None:
    for _ in range(ROUNDS):
        workers = site.workers
        with load.on(site.server.base_url):
            wait_for_writes(load)
            kill(min(workers))
            wait_for(lambda workers=workers: len(site.workers - workers) == 1)
            wait_for_writes(load)
            site.wait_until_ready()
    with site.server.client() as http:
        load.check(http)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_database_that_ends_is_started_again_and_loses_nothing_that_was_acknowledged(
    site: Site, load: Load, how: signal.Signals
) -> None:
    with load.on(site.server.base_url):
        for _ in range(ROUNDS):
            wait_for_writes(load)
            mongod = site.mongod
            kill(mongod, how)
            assert site.status_of("healthz") == 200
            wait_for(lambda mongod=mongod: site.mongod not in (None, mongod))
            site.wait_until_ready()
        wait_for_writes(load)
    with site.server.client() as http:
        load.check(http)


def test_while_the_database_hangs_the_server_says_so_and_recovers_by_itself(site: Site, load: Load) -> None:
    for _ in range(ROUNDS):
        with load.on(site.server.base_url):
            wait_for_writes(load)
            unavailable = load.statuses[503]
            mongod = site.mongod
            kill(mongod, signal.SIGSTOP)
            try:
                assert site.status_of("healthz") == 200
                assert site.status_of("readyz") == 503
                wait_for(lambda unavailable=unavailable: load.statuses[503] - unavailable >= 6)
                assert site.status_of("healthz") == 200
                assert site.status_of("readyz") == 503
            finally:
                kill(mongod, signal.SIGCONT)
            site.wait_until_ready()
            wait_for_writes(load)
            assert site.mongod == mongod
    with site.server.client() as http:
        load.check(http)
