"""A worker process must not outlive the process that started it, even when that one is killed outright."""

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
