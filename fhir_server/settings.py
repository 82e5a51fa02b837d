"""The settings of the server: environment variables with the prefix FHIR_, as a table and as one frozen value.

The table `SETTINGS` is the only place that knows names, defaults, accepted forms and help; parsing, `--help` and the
documentation are all read from it (`describe_settings`).
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args
from urllib.parse import SplitResult, urlsplit

from search.catalogue import TextSearch

ALL_MODULES: Final = ("patient", "encounter", "appointment", "medication", "clinical", "auth", "system")
INSECURE: Final = frozenset({"demo-users", "http"})
LOG_LEVELS: Final = ("debug", "info", "warning", "error", "critical")
# The test run's own variable; it configures no server.
NOT_OURS: Final = frozenset({"FHIR_SHARED"})


class SettingsError(ValueError):
    """One or more settings are wrong; `problems` has a sentence for each, and so has the message."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(["The settings are wrong:", *(f"  - {problem}" for problem in problems)]))


@dataclass(frozen=True)
class Settings:
    """What one server process is told; see SETTINGS for each field's meaning."""

    mongodb_uri: str | None
    database: str
    data_dir: Path
    base_url: str
    host: str
    port: int
    workers: int
    modules: tuple[str, ...]
    auth: bool
    client_registration: bool
    allow_insecure: frozenset[str]
    cors_origins: tuple[str, ...]
    max_body_mb: int
    max_transaction_entries: int
    max_concurrent_bundles: int
    max_examined: int
    text_search: TextSearch
    log_level: str

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read the FHIR_ variables; an empty one counts as unset. Raises SettingsError with all that is wrong."""
        given = {name: value.strip() for name, value in environ.items() if name.startswith("FHIR_")}
        problems = [_unknown(name) for name in sorted(given.keys() - KNOWN - NOT_OURS)]
        values: dict[str, Any] = {}
        for setting in SETTINGS:
            text = given.get(setting.name) or setting.default()
            try:
                values[setting.field] = None if text is None else setting.parse(text)
            except ValueError as reason:
                shown = "" if setting.secret else f" is {given.get(setting.name)!r}, but"
                problems.append(f"{setting.name}{shown} {reason}. Accepted: {setting.accepts}.")
        if problems:
            raise SettingsError(problems)
        if values["base_url"] is None:
            values["base_url"] = f"http://localhost:{values['port']}/fhir"
        settings = cls(**values)
        if problems := settings._dangers():
            raise SettingsError(problems)
        return settings

    @property
    def is_exposed(self) -> bool:
        """Whether others than this machine can reach the server: it binds to their network, or a proxy speaks for it."""
        return not (is_loopback(self.host) and is_loopback(urlsplit(self.base_url).hostname or ""))

    def _dangers(self) -> list[str]:
        if not self.is_exposed:
            return []
        where = f"others can reach this server (FHIR_HOST is {self.host!r}, FHIR_BASE_URL is {self.base_url!r})"
        if not self.auth:
            return [f"FHIR_AUTH is off, but {where}. Without authorization it serves its own machine only."]
        if not self.base_url.startswith("https://") and "http" not in self.allow_insecure:
            return [
                f"FHIR_BASE_URL is no https address, but {where}, and tokens would go over the network in clear text. "
                "Put a proxy with TLS in front and name its address, or set FHIR_ALLOW_INSECURE=http for a closed network."
            ]
        return []


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


@dataclass(frozen=True)
class SettingDescription:
    """A setting for people: its default in words, what it accepts, and one line of help."""

    name: str
    default: str
    accepts: str
    help: str


def describe_settings() -> list[SettingDescription]:
    """Every setting in the order of the documentation."""
    return [
        SettingDescription(each.name, each.default_text or each.default() or "none", each.accepts, each.help)
        for each in SETTINGS
    ]


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server bound to this host."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, sorted(KNOWN), n=1, cutoff=0.6)
    advice = f"Did you mean {near[0]}?" if near else "Run `fhir-server run --help` to see those there are."
    return f"{name} is not a setting of this server. {advice} Unset it if it is not meant for this server."


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


def _modules(text: str) -> tuple[str, ...]:
    asked = _words(text)
    if wrong := [each for each in asked if each not in ALL_MODULES]:
        raise ValueError(f"{', '.join(wrong)} is not a module of this server")
    if set(asked) != set(ALL_MODULES):
        raise ValueError("splitting the server by modules is not built yet, so a process serves all of them")
    return ALL_MODULES


def _text_search(text: str) -> str:
    if text.lower() not in get_args(TextSearch):
        raise ValueError("it is none of these")
    return text.lower()


def _log_level(text: str) -> str:
    if text.lower() not in LOG_LEVELS:
        raise ValueError("it is not a log level")
    return text.lower()


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
        _text_search,
        "off, narrative or content",
        "What words are indexed: of narratives, for `_text`; of whole resources, for `_content` as well.",
    ),
    Setting(
        "FHIR_LOG_LEVEL",
        _always("info"),
        _log_level,
        ", ".join(LOG_LEVELS),
        "How much is logged.",
    ),
)
KNOWN: Final = frozenset(setting.name for setting in SETTINGS)
