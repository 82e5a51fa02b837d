"""What can go wrong with the embedded MongoDB, each with a sentence that says what to do."""


class EmbeddedMongoDBError(Exception):
    """The embedded MongoDB cannot be used; the message is meant for the person at the terminal."""


class DataDirUnusable(EmbeddedMongoDBError):
    """The data directory cannot be created or written."""


class DataDirLocked(EmbeddedMongoDBError):
    """Another process works on this data directory; `pid` is that process, where known."""

    def __init__(self, message: str, pid: int | None = None) -> None:
        super().__init__(message)
        self.pid = pid


class DiskFull(EmbeddedMongoDBError):
    """There is not enough room on the data directory's disk."""


class UnsupportedPlatform(EmbeddedMongoDBError):
    """No `mongod` is on the PATH and the bundled one cannot run on this machine."""


class MissingLibrary(EmbeddedMongoDBError):
    """A shared library that `mongod` needs is not installed; `library` is its file name."""

    def __init__(self, message: str, library: str) -> None:
        super().__init__(message)
        self.library = library


class MongodExited(EmbeddedMongoDBError):
    """`mongod` ended before it was ready; the message carries its own reason."""


class StartTimeout(EmbeddedMongoDBError):
    """`mongod` runs but did not become usable in time."""
