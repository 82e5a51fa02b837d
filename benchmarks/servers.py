"""Starting what is measured: our server and the bare application, each a process of its own on a free port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.plan import WORKERS
from benchmarks.target import Client, Target
from fhir_server.serving import threads_for
from fhir_server.settings import Settings
from fhir_server.slow_bodies import THREADS_FOR_BODIES

ROOT = Path(__file__).resolve().parent.parent
BARE_TARGET = "benchmarks.bare_app:app"
DATABASE = "bench"
READY_SECONDS = 60
LAST_WORDS = 3000
READY = (200, 404)  # the bare application has no such page


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environ_for(data_dir: Path, port: int, **settings: str) -> dict[str, str]:
    """The environment of a server of its own, without authorization unless the settings say otherwise."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FHIR_")}
    return {
        **inherited,
        "FHIR_DATA_DIR": str(data_dir),
        "FHIR_PORT": str(port),
        "FHIR_BASE_URL": f"http://127.0.0.1:{port}/fhir",
        "FHIR_WORKERS": str(WORKERS),
        "FHIR_DATABASE": DATABASE,
        "FHIR_LOG_LEVEL": "warning",
        "FHIR_AUTH": "off",
        **settings,
    }


def command(*arguments: str) -> list[str]:
    """`fhir-server` with arguments, by the interpreter that runs this."""
    return [sys.executable, "-m", "fhir_server.cli", *arguments]


class Server:
    """A server process, its address, and the means to stop it."""

    def __init__(self, name: str, port: int, arguments: list[str], environ: dict[str, str]) -> None:
        self.target = Target(name, "127.0.0.1", port)
        self.environ = environ
        self._site = Target(name, "127.0.0.1", port, base="")
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop()
        # A group of its own: it can be stopped and continued as a whole, and Ctrl-C reaches it through us alone.
        self.process = subprocess.Popen(
            arguments,
            env=environ,
            cwd=ROOT,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )

    def wait(self) -> float:
        """Wait until it answers; the seconds that took. Raises TimeoutError or ChildProcessError."""
        began = time.perf_counter()
        while time.perf_counter() - began < READY_SECONDS:
            if self.process.poll() is not None:
                raise ChildProcessError(f"The server {self.target.name!r} ended with {self.process.returncode}.")
            try:
                with Client(self._site) as client:
                    if client.ask("GET", "/readyz").status in READY:
                        return time.perf_counter() - began
            except OSError:
                pass
            time.sleep(0.02)
        raise TimeoutError(f"The server {self.target.name!r} did not answer within {READY_SECONDS} s.")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        self._log.close()

    def last_words(self) -> str:
        """The end of what it logged."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")[-LAST_WORDS:]


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """The server, once it answers; stopped in the end."""
    try:
        server.wait()
        yield server
    except Exception as error:
        error.add_note(f"The server {server.target.name!r} logged last: {server.last_words()}")
        raise
    finally:
        server.stop()


def ours(data_dir: Path, name: str = "ours", **settings: str) -> Server:
    """`fhir-server run` on a data directory."""
    port = free_port()
    return Server(name, port, command("run"), environ_for(data_dir, port, **settings))


def on_mongodb(name: str, application: str, data_dir: Path, uri: str) -> Server:
    """An application under Granian, as `fhir-server run` would run it, on a MongoDB that runs."""
    port = free_port()
    threads = threads_for(Settings.from_environ({}))
    if application != BARE_TARGET:
        threads += THREADS_FOR_BODIES  # of which only so many as the others' work at once
    options = [
        "--port",
        str(port),
        "--workers",
        str(WORKERS),
        "--blocking-threads",
        str(threads),
        "--no-ws",
        "--http",
        "1",
    ]
    arguments = [sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", *options, application]
    return Server(name, port, arguments, environ_for(data_dir, port, FHIR_MONGODB_URI=uri))
