"""The table of settings: names, defaults, the forms they are accepted in, and help."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args
from urllib.parse import SplitResult, urlsplit

from resources.types import JUDGES
from search.catalogue import TextSearch

ALL_MODULES: Final = ("patient", "encounter", "appointment", "medication", "clinical", "auth", "system")
AuditLevel = Literal["security", "access"]
ProfileMode = Literal["off", "warn", "enforce"]
INSECURE: Final = frozenset({"demo-users", "http"})
LOG_LEVELS: Final = ("debug", "info", "warning", "error", "critical")


@dataclass(frozen=True)
class Setting:
    """One row of the table. `default` is text in the form a user would write, or None when it is derived or absent."""

    name: str
    default: Callable[[], str | None]
    parse: Callable[[str], Any]
    accepts: str
    help: str
    default_text: str = ""
    secret: bool = False

    @property
    def field(self) -> str:
        return self.name.removeprefix("FHIR_").lower()


def _whole_number(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text):
            raise ValueError("it is not a whole number")
        if not least <= int(text) <= most:
            raise ValueError(f"it is not between {least} and {most}")
        return int(text)

    return parse


def _mongodb_uri(text: str) -> str:
    # Not quoted in any message: it may hold a password.
    if not re.match(r"mongodb(\+srv)?://[^/?]", text):
        raise ValueError("does not start with mongodb:// or mongodb+srv:// and a host")
    return text


def _database(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,63}", text):
        raise ValueError("it holds other characters or is longer than MongoDB allows")
    if text.lower() in {"admin", "local", "config"}:
        raise ValueError("it is a database MongoDB keeps for itself")
    return text


def _url(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises ValueError for a port that is not one
    except ValueError as reason:
        raise ValueError(f"it is not a URL ({reason})") from reason
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("it is not an http or https URL with a host")
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise ValueError("it has a query or a fragment")
    if "@" in parts.netloc:
        raise ValueError("it holds a user name")
    return parts


def _base_url(text: str) -> str:
    _url(text)
    return text.rstrip("/")  # every link of an answer is this plus /Type/id


def _origins(text: str) -> tuple[str, ...]:
    origins = _words(text)
    for origin in origins:
        if origin == "*":
            raise ValueError("it allows every web page to read records; name the origins")
        if _url(origin).path:
            raise ValueError(f"{origin!r} has a path, and an origin has none")
    return origins


def _host(text: str) -> str:
    host = text.strip("[]")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?", host):
            raise ValueError("it is neither an IP address nor the name of a host") from None
    return host


def _on_or_off(text: str) -> bool:
    if text.lower() not in ("on", "off"):
        raise ValueError("it is neither on nor off")
    return text.lower() == "on"


def _insecure(text: str) -> frozenset[str]:
    asked = frozenset(_words(text))
    if wrong := sorted(asked - INSECURE):
        raise ValueError(f"{', '.join(wrong)} is none of these")
    return asked


def _judged_types(text: str) -> frozenset[str]:
    asked = frozenset(_words(text))
    if wrong := sorted(asked - JUDGES.keys()):
        raise ValueError(f"{', '.join(wrong)} is none of these")
    return asked


def _modules(text: str) -> tuple[str, ...]:
    asked = _words(text)
    if wrong := [each for each in asked if each not in ALL_MODULES]:
        raise ValueError(f"{', '.join(wrong)} is not a module of this server")
    if set(asked) != set(ALL_MODULES):
        raise ValueError("splitting the server by modules is not built yet, so a process serves all of them")
    return ALL_MODULES


def _one_of(words: tuple[str, ...]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.lower() not in words:
            raise ValueError("it is none of these")
        return text.lower()

    return parse


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def _cores() -> str:
    # A container may be confined to fewer cores than the machine has.
    return str(min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 512))


def _always(text: str | None) -> Callable[[], str | None]:
    return lambda: text


SETTINGS: Final[tuple[Setting, ...]] = (
    Setting(
        "FHIR_MONGODB_URI",
        _always(None),
        _mongodb_uri,
        "mongodb://host/?replicaSet=name or mongodb+srv://host",
        "The MongoDB to use: a replica set or a sharded cluster.",
        "an embedded MongoDB",
        secret=True,
    ),
    Setting(
        "FHIR_DATABASE",
        _always("fhir"),
        _database,
        "1 to 63 letters, digits, _ or -",
        "The name of the MongoDB database.",
    ),
    Setting(
        "FHIR_DATA_DIR",
        _always("./data"),
        lambda text: Path(text).expanduser(),
        "a directory this user can write",
        "Where the embedded MongoDB and other files are kept.",
    ),
    Setting(
        "FHIR_BASE_URL",
        _always(None),
        _base_url,
        "an http or https URL without a query, such as https://fhir.example.org/fhir",
        "The FHIR base as clients see it, in every link.",
        "http://localhost:{FHIR_PORT}/fhir",
    ),
    Setting(
        "FHIR_HOST",
        _always("127.0.0.1"),
        _host,
        "an IP address or the name of a host; 0.0.0.0 for all of this machine's",
        "The address the server binds to.",
    ),
    Setting(
        "FHIR_PORT",
        _always("8080"),
        _whole_number(1, 65535),
        "a whole number from 1 to 65535",
        "The port the server listens on.",
    ),
    Setting(
        "FHIR_WORKERS",
        _cores,
        _whole_number(1, 512),
        "a whole number from 1 to 512",
        "How many processes serve requests.",
        "the number of cores",
    ),
    Setting(
        "FHIR_MODULES",
        _always(",".join(ALL_MODULES)),
        _modules,
        f"all of {', '.join(ALL_MODULES)}, separated by commas",
        "What this process serves.",
        "all",
    ),
    Setting(
        "FHIR_AUTH",
        _always("on"),
        _on_or_off,
        "on or off",
        "Whether requests need an access token; off only where nobody else can reach the server.",
    ),
    Setting(
        "FHIR_AUDIT",
        _always("access"),
        _one_of(get_args(AuditLevel)),
        "security or access",
        "What is audited where FHIR_AUTH is on: sign-ins, tokens and what was denied; or every access as well.",
    ),
    Setting(
        "FHIR_CLIENT_REGISTRATION",
        _always("off"),
        _on_or_off,
        "on or off",
        "Whether apps may register themselves, with a token that an administrator gave them.",
    ),
    Setting(
        "FHIR_ALLOW_INSECURE",
        _always(""),
        _insecure,
        f"{' or '.join(sorted(INSECURE))}, or both separated by a comma",
        "What is otherwise refused where others can reach the server: the demo's users; tokens without TLS.",
        "nothing",
    ),
    Setting(
        "FHIR_CORS_ORIGINS",
        _always(""),
        _origins,
        "origins separated by commas, such as https://app.example.org",
        "More web pages that may call the server from a browser.",
        "those of registered apps; without authorization, this machine's",
    ),
    Setting(
        "FHIR_MAX_BODY_MB",
        _always("64"),
        _whole_number(1, 2048),
        "a whole number from 1 to 2048",
        "The largest request body, in MB.",
    ),
    Setting(
        "FHIR_MAX_TRANSACTION_ENTRIES",
        _always("10000"),
        _whole_number(1, 1_000_000),
        "a whole number from 1 to 1000000",
        "The most entries of one transaction Bundle.",
    ),
    Setting(
        "FHIR_MAX_CONCURRENT_BUNDLES",
        _always("4"),
        _whole_number(1, 1000),
        "a whole number from 1 to 1000",
        "How many Bundles run at once; more are answered 503.",
    ),
    Setting(
        "FHIR_MAX_EXAMINED",
        _always("100000"),
        _whole_number(0, 999_999_999),
        "a whole number from 0 to 999999999",
        "The most resources that one search may read; 0 for no limit.",
    ),
    Setting(
        "FHIR_TEXT_SEARCH",
        _always("narrative"),
        _one_of(get_args(TextSearch)),
        "off, narrative or content",
        "What words are indexed: of narratives, for `_text`; of whole resources, for `_content` as well.",
    ),
    Setting(
        "FHIR_WARN_ONLY",
        _always(""),
        _judged_types,
        f"any of {', '.join(JUDGES)}, separated by commas",
        "Types whose status may become anything: what R4 does not foresee is stored with a warning.",
        "none",
    ),
    Setting(
        "FHIR_PROFILES",
        _always("off"),
        _one_of(get_args(ProfileMode)),
        "off, warn or enforce",
        "Whether what meta.profile claims is checked on write: not at all, with warnings, or refusing what breaks it.",
    ),
    Setting(
        "FHIR_LOG_LEVEL",
        _always("info"),
        _one_of(LOG_LEVELS),
        ", ".join(LOG_LEVELS),
        "How much is logged.",
    ),
)
KNOWN: Final = frozenset(setting.name for setting in SETTINGS)
