"""The settings of the server: environment variables with the prefix FHIR_, as a table and as one frozen value.

The table `SETTINGS` (see `settings_table`) is the only place that knows names, defaults, accepted forms and help; parsing,
`--help` and the documentation are all read from it (`describe_settings`).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from fhir_server.settings_table import KNOWN, SETTINGS, AuditLevel, ProfileMode
from search.catalogue import TextSearch
from smart_auth.settings import is_loopback

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
    audit: AuditLevel
    client_registration: bool
    allow_insecure: frozenset[str]
    cors_origins: tuple[str, ...]
    max_body_mb: int
    max_transaction_entries: int
    max_concurrent_bundles: int
    max_examined: int
    text_search: TextSearch
    warn_only: frozenset[str]
    profiles: ProfileMode
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


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, sorted(KNOWN), n=1, cutoff=0.6)
    advice = f"Did you mean {near[0]}?" if near else "Run `fhir-server run --help` to see those there are."
    return f"{name} is not a setting of this server. {advice} Unset it if it is not meant for this server."
