"""How a worker process ends: never later than the process that started it, and at once while it is still starting."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Ask Linux to kill this process when its parent ends; elsewhere there is no such thing, and this does nothing.

    https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html

    SIGKILL, because a worker that is asked politely waits for its clients to hang up, which an idle connection may never
    do, and would go on taking requests from beside the next server; the store is made to survive it. Linux counts as
    parent the thread that forked: Granian and the pool of `loading` both start their processes in the main thread.
    """
    parent = multiprocessing.parent_process()
    if parent is None or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent.pid:  # it ended before the request, which then comes to nothing
        os.kill(os.getpid(), signal.SIGKILL)


def end_when_told() -> None:
    """Let SIGTERM and SIGINT end this process. For a worker that does not serve yet.

    It was forked with the handlers of its parent, which here would only take the signal and do nothing; the parent would
    wait for it in vain. Granian sets handlers of its own once the application is made.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
