"""A disk that is full: nothing acknowledged is lost, the server says what it cannot do, and goes on once there is space."""

from __future__ import annotations

import os
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.load import Load
from tests.faults.site import ROUNDS, Site, wait_for
from tests.faults.test_killed import wait_for_writes

pytestmark = pytest.mark.xdist_group("faults: disk")
# MongoDB asks for 400 MB before it starts again, which the ballast keeps until then.
DISK_MB = 900


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, in memory; skipped, with the reason, where none may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(ballast: Path) -> None:
    """Take all the space that is left."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(1 << 20)):
                pass
        except OSError:
            pass


def test_a_full_disk_loses_nothing_and_once_there_is_space_the_server_goes_on_by_itself(
    small_disk: Path, load: Load
) -> None:
    site = Site(small_disk / "data")
    ballast = small_disk / "ballast"
    try:
        with load.on(site.server.base_url):
            for _ in range(ROUNDS):
                wait_for_writes(load)
                full_until_writes_are_refused(site, load, ballast)
                assert site.status_of("healthz") == 200
                wait_for(lambda: site.status_of("readyz") == 503)
                assert site.server.process.poll() is None
                ballast.unlink()
                site.wait_until_ready()
                wait_for_writes(load)
        with site.server.client() as http:
            load.check(http)
    finally:
        ballast.unlink(missing_ok=True)
        site.end()
    log = site.server.log.read_text()
    assert "Traceback" not in log
    assert os.path.getsize(site.server.log) < 20_000_000


def full_until_writes_are_refused(site: Site, load: Load, ballast: Path) -> None:
    """Fill the disk, again where the database has freed some of its own, and the journal that it has in reserve."""
    before = load.statuses[503]
    large = {"resourceType": "Binary", "contentType": "x/y", "data": b64encode(os.urandom(8_000_000)).decode()}
    with site.server.client() as http:

        def is_refused() -> bool:
            fill(ballast)
            http.post("/Binary", json=large)
            return load.statuses[503] > before

        wait_for(is_refused)
