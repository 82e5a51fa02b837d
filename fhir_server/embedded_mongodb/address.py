"""Where the embedded mongod listens.

A unix socket in a directory of mode 0700 is preferred over a TCP port: MongoDB runs without passwords here, and a
loopback port is open to every user of the machine, the socket only to ours. It was measured to work for a single-node
replica set (transactions, restart after kill -9, reconnecting clients), and to be no slower.

The replica set must name its member by an address mongod recognises as itself. That name is `./mongod.sock`, relative
to mongod's working directory, and mongod binds it in both modes: so it never changes when the data directory is moved
or a remembered port is taken, and no reconfiguration is needed. (Nobody else dials a single member: clients connect
with directConnection=true.) Had the member been named by its port, then a silent stranger on the old port would have
kept mongod from recognising itself: measured, no primary and 17 s to stop.

TCP on 127.0.0.1 remains for paths longer than a socket address can hold, and for file systems without sockets.
"""

from __future__ import annotations

import contextlib
import os
import socket
from dataclasses import dataclass
from urllib.parse import quote

from fhir_server.embedded_mongodb.data_dir import DataDir

# sockaddr_un holds 108 bytes on Linux (104 elsewhere) with the closing zero.
LONGEST_SOCKET_PATH = 107 if os.uname().sysname == "Linux" else 103
MEMBER_SOCKET = "./mongod.sock"


@dataclass(frozen=True)
class Address:
    """A place to listen: the data directory's socket (`port` None) or a loopback port."""

    data_dir: DataDir
    port: int | None
    sockets_work: bool = True

    @property
    def uri(self) -> str:
        """What pymongo connects to, from any process of this user."""
        host = quote(str(self.data_dir.socket), safe="") if self.port is None else f"127.0.0.1:{self.port}"
        return f"mongodb://{host}/?directConnection=true"

    @property
    def member(self) -> str:
        """The replica set's name for this node."""
        return MEMBER_SOCKET if self.sockets_work else f"127.0.0.1:{self.port}"

    @property
    def arguments(self) -> list[str]:
        """The options that make mongod listen here and nowhere else (--nounixsocket: not also in /tmp)."""
        listen = [] if self.port is None else ["127.0.0.1"]
        if self.sockets_work:
            listen.append(MEMBER_SOCKET)
        # On the socket alone no port is opened; the number is only a name there.
        return ["--bind_ip", ",".join(listen), "--port", str(self.port or 27017), "--nounixsocket"]

    def accepts(self) -> bool:
        """Whether anything listens here; cheap enough to ask a hundred times a second."""
        family = socket.AF_UNIX if self.port is None else socket.AF_INET
        with socket.socket(family) as probe:
            probe.settimeout(0.5)
            try:
                probe.connect(str(self.data_dir.socket) if self.port is None else ("127.0.0.1", self.port))
            except OSError:
                return False
        return True


def remembered_address(data_dir: DataDir, port: int | None) -> Address:
    """Where a mongod that already runs listens, from its state file."""
    return Address(data_dir, port, port is None or sockets_work(data_dir))


def choose_address(data_dir: DataDir, remembered_port: int | None, prefer_socket: bool = True) -> Address:
    """The socket where it can be used, else the remembered port where it is free, else another free port."""
    works = sockets_work(data_dir)
    if works and prefer_socket and len(os.fsencode(data_dir.socket)) <= LONGEST_SOCKET_PATH:
        return Address(data_dir, None)
    port = remembered_port if remembered_port and _is_free(remembered_port) else _free_port()
    return Address(data_dir, port, sockets_work=works)


def sockets_work(data_dir: DataDir) -> bool:
    """Whether this file system can hold a socket: network and some container mounts cannot.

    The directory is reached through a descriptor, since its own path may be too long to bind.
    """
    if not os.path.isdir("/proc/self/fd"):
        return len(os.fsencode(data_dir.run)) <= LONGEST_SOCKET_PATH - 20
    folder = os.open(data_dir.run, os.O_RDONLY)
    name = f"/proc/self/fd/{folder}/.socket-test-{os.getpid()}"
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.bind(name)
        return True
    except OSError:
        return False
    finally:
        with contextlib.suppress(OSError):
            os.unlink(name)
        os.close(folder)


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as mongod does: ours may still be in TIME_WAIT
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket(socket.AF_INET) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
