"""A MongoDB of the server's own, for when no FHIR_MONGODB_URI is given.

`EmbeddedMongoDB` is the whole of it: start or adopt a `mongod` on a data directory, keep it running, stop it. The other
names are what the command line and the doctor need around it.
"""

from fhir_server.embedded_mongodb.address import Address
from fhir_server.embedded_mongodb.binary import PlatformFacts, find_mongod
from fhir_server.embedded_mongodb.data_dir import DataDir
from fhir_server.embedded_mongodb.errors import (
    DataDirLocked,
    DataDirUnusable,
    DiskFull,
    EmbeddedMongoDBError,
    MissingLibrary,
    MongodExited,
    StartTimeout,
    UnsupportedPlatform,
)
from fhir_server.embedded_mongodb.lifecycle import EmbeddedMongoDB
from fhir_server.embedded_mongodb.locks import ServerLock

__all__ = [
    "Address",
    "DataDir",
    "DataDirLocked",
    "DataDirUnusable",
    "DiskFull",
    "EmbeddedMongoDB",
    "EmbeddedMongoDBError",
    "MissingLibrary",
    "MongodExited",
    "PlatformFacts",
    "ServerLock",
    "StartTimeout",
    "UnsupportedPlatform",
    "find_mongod",
]
