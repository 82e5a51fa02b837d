"""Slow clients: a thread that waits for the rest of a body takes no other request's turn.

Granian's threads wait for bodies and cannot be interrupted at it. So there are many more of them than work at once: each
request has a turn, and gives it back while it waits for its client. Were all threads of a process waiting and no body came
to its end, nobody would be served by it any more; such a process ends itself and is replaced, and no work is lost with it.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable
from queue import SimpleQueue
from threading import Lock, Thread
from typing import IO, Any

from fhir_server.request_log import log

THREADS_FOR_BODIES = 128
# How long all threads of a process may wait, with no body coming to its end.
STUCK_SECONDS = 10.0
LOOK_EVERY_SECONDS = 1.0

Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]


class Waiting:
    """How many threads wait for bodies at the moment, and how many bodies came to their end."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.now = 0
        self.ended = 0

    def begin(self) -> None:
        with self._lock:
            self.now += 1

    def end(self) -> None:
        with self._lock:
            self.now -= 1
            self.ended += 1


class Turns:
    """A WSGI application that lets so many requests of another one be at work at once."""

    def __init__(self, application: Application, at_once: int) -> None:
        self._application = application
        self._turns: SimpleQueue[None] = SimpleQueue()
        for _ in range(at_once):
            self._turns.put(None)
        self.waiting = Waiting()

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        # Always, because a head need not tell whether a body follows.
        environ["wsgi.input"] = _Body(environ["wsgi.input"], self._turns, self.waiting)
        self._turns.get()
        try:
            return self._application(environ, start_response)
        finally:
            self._turns.put(None)


class _Body:
    """The stream of a body, whose reader has a turn but for the time in which it reads."""

    def __init__(self, stream: IO[bytes], turns: SimpleQueue[None], waiting: Waiting) -> None:
        self._stream, self._turns, self._waiting = stream, turns, waiting

    def read(self, size: int = -1) -> bytes:
        return self._without_turn(self._stream.read, size)

    def readline(self, size: int = -1) -> bytes:
        return self._without_turn(self._stream.readline, size)

    def _without_turn(self, read: Callable[[int], bytes], size: int) -> bytes:
        self._waiting.begin()
        self._turns.put(None)
        try:
            return read(size)
        finally:
            self._waiting.end()
            self._turns.get()


def end_when_stuck(waiting: Waiting, threads: int, patience: float = STUCK_SECONDS) -> None:
    """Watch from now on, in a thread of its own, and end this process once all its threads wait in vain."""
    Thread(target=_watch, args=(waiting, threads, patience), name="slow-bodies", daemon=True).start()


def _watch(waiting: Waiting, threads: int, patience: float) -> None:
    ended, since = -1, time.monotonic()
    while True:
        time.sleep(LOOK_EVERY_SECONDS)
        if waiting.now < threads or waiting.ended != ended:
            ended, since = waiting.ended, time.monotonic()
        elif time.monotonic() - since > patience:
            log("error", "stuck", threads=threads, text="All threads wait for slow bodies; the process is replaced.")
            os.kill(os.getpid(), signal.SIGKILL)
