"""Bad networks, between clients and the server and between the server and its database."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhir_server.embedded_mongodb import EmbeddedMongoDB
from fhir_server.embedded_mongodb.data_dir import DataDir
from tests.faults.load import Load
from tests.faults.proxy import Proxy
from tests.faults.site import ROUNDS, SEED, Site, wait_for
from tests.faults.test_killed import wait_for_writes

pytestmark = pytest.mark.xdist_group("faults: network")


def test_clients_whose_connections_are_slow_and_cut_lose_nothing_that_they_were_told(site: Site, load: Load) -> None:
    with Proxy(site.server.port, SEED) as proxy:
        for _ in range(ROUNDS):
            with load.on(f"http://127.0.0.1:{proxy.port}/fhir"):
                wait_for_writes(load, 50)
                proxy.cut = 0.05
                wait_for_writes(load, 100)
                proxy.cut, proxy.delay = 0.0, 0.05
                wait_for_writes(load, 30)
                proxy.reset_all()
                proxy.cut, proxy.delay = 0.2, 0.0
                wait_for_writes(load, 50)
                proxy.cut = 0.0
                wait_for_writes(load, 50)
        assert proxy.cuts > 10
        assert load.statuses["no answer"] > 10
    assert site.status_of("readyz") == 200
    with site.server.client() as http:
        load.check(http)


@pytest.fixture
def far_site(tmp_path: Path):
    """A server whose database is behind a network."""
    with EmbeddedMongoDB(tmp_path / "mongo", cache_mb=256) as mongodb:
        assert mongodb.uri
        with Proxy(str(DataDir.at(tmp_path / "mongo").socket), SEED) as proxy:
            site = Site(
                tmp_path / "data", {"FHIR_MONGODB_URI": f"mongodb://127.0.0.1:{proxy.port}/?directConnection=true"}
            )
            yield site, proxy
            proxy.cut, proxy.delay = 0.0, 0.0
            proxy.stalled.clear()
            site.end()


def test_a_database_behind_a_bad_network_loses_nothing_and_the_server_recovers_by_itself(
    far_site: tuple[Site, Proxy], load: Load
) -> None:
    site, proxy = far_site
    for _ in range(ROUNDS):
        with load.on(site.server.base_url):
            wait_for_writes(load, 50)
            proxy.cut = 0.02
            wait_for_writes(load, 50)
            proxy.cut, proxy.delay = 0.0, 0.02
            wait_for_writes(load, 20)
            proxy.delay = 0.0
            proxy.reset_all()
            wait_for_writes(load, 50)
            proxy.stalled.set()
            assert site.status_of("healthz") == 200
            wait_for(lambda: site.status_of("readyz") == 503)
            proxy.stalled.clear()
            site.wait_until_ready()
            wait_for_writes(load, 50)
        assert proxy.cuts > 3
    with site.server.client() as http:
        load.check(http)
