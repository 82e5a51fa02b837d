"""A network that can be told to be bad: it passes bytes on, slowly, or cuts connections in the middle."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
import time
from types import TracebackType
from typing import Self

PIECE = 65536
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER that makes `close` a reset, as when a machine goes away."""


class Proxy:
    """Listens on a free loopback port and passes all on to another port of this machine, or to a unix socket.

    delay: seconds that each piece takes. cut: how likely a piece is cut short and its connection reset. stalled: whether
    everything waits. All three may be set at any time.
    """

    def __init__(self, target: int | str, seed: str) -> None:
        self._target = target
        self._chance = random.Random(seed)
        self.delay, self.cut = 0.0, 0.0
        self.stalled = threading.Event()
        self.cuts = 0
        self._closing = False
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        self._listener.close()
        self.reset_all()

    def reset_all(self) -> None:
        """Reset every connection that there is."""
        for each in list(self._open):
            self._reset(each)

    def _accept(self) -> None:
        while not self._closing:
            try:
                client, _ = self._listener.accept()
                is_port = isinstance(self._target, int)
                server = socket.socket(socket.AF_INET if is_port else socket.AF_UNIX)
                server.connect(("127.0.0.1", self._target) if is_port else self._target)
            except OSError:
                if not self._closing:
                    with contextlib.suppress(OSError, UnboundLocalError):
                        self._reset(client)
                continue
            self._open |= {client, server}
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while piece := source.recv(PIECE):
                if self.delay:
                    time.sleep(self.delay)
                while self.stalled.is_set():
                    time.sleep(0.02)
                if self._chance.random() < self.cut:
                    self.cuts += 1
                    sink.sendall(piece[: self._chance.randrange(len(piece))])
                    break
                sink.sendall(piece)
            else:
                sink.shutdown(socket.SHUT_WR)
                return
        except OSError:
            pass
        self._reset(source)
        self._reset(sink)

    def _reset(self, each: socket.socket) -> None:
        self._open.discard(each)
        with contextlib.suppress(OSError):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads from it
        with contextlib.suppress(OSError):
            each.close()
