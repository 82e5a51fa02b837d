"""From a template and values to a response: the headers that every page has, and the words for dates and times.

https://www.w3.org/TR/CSP3/, https://www.rfc-editor.org/rfc/rfc9700#section-4.16 (clickjacking)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from flask import Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from smart_auth.people.redirects import form_targets

PAGES = "pages"
STYLE_SECONDS = 24 * 60 * 60
# The policy's own words: nothing is loaded but our style sheet; nothing is run; only our own pages may frame us.
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "frame-ancestors 'self'; form-action 'self'"
)


class Pages:
    """The pages of one server. base_path: of the addresses of our pages, "" or "/x"."""

    def __init__(self, base_path: str) -> None:
        self._environment = Environment(
            loader=PackageLoader("smart_auth", PAGES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["day"] = day
        self._environment.filters["moment"] = moment
        self._environment.filters["fhir_moment"] = fhir_moment
        self._environment.globals["base"] = base_path
        self._environment.globals["style_version"] = style_version()

    def page(
        self,
        template: str,
        status: int = 200,
        leads_to: Iterable[str] = (),
        headers: dict[str, str] | None = None,
        **values: Any,
    ) -> Response:
        """A page as a response. leads_to: addresses of apps that its forms may end up at, if all is agreed to."""
        text = self._environment.get_template(template).render(**values)
        response = Response(text, status, content_type="text/html; charset=utf-8", headers=headers)
        targets = form_targets(leads_to)
        response.headers["Content-Security-Policy"] = f"{_POLICY} {targets}" if targets else _POLICY
        return response


def with_safe_headers(response: Response) -> Response:
    """What every answer of ours to a browser carries, pages and redirects alike."""
    response.headers.setdefault("Content-Security-Policy", _POLICY)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def style_sheet() -> Response:
    """Our one style sheet."""
    response = Response(_style(), content_type="text/css; charset=utf-8")
    response.headers["Cache-Control"] = f"public, max-age={STYLE_SECONDS}"
    return response


@cache
def _style() -> str:
    return files("smart_auth").joinpath(PAGES, "style.css").read_text("utf-8")


def style_version() -> str:
    """Changes with the style sheet, so that no browser shows a page in yesterday's."""
    return hashlib.sha256(_style().encode()).hexdigest()[:12]


def day(milliseconds: int) -> str:
    """A moment as a day: 5 March 2027."""
    at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return f"{at.day} {at:%B %Y}"


def moment(milliseconds: int) -> str:
    """A moment to the minute, in UTC: 5 March 2027, 14:05 UTC."""
    return f"{day(milliseconds)}, {datetime.fromtimestamp(milliseconds / 1000, UTC):%H:%M} UTC"


def span(seconds: int) -> str:
    """A length of time in hours or minutes: 1 hour, 90 minutes."""
    number, unit = (seconds // 3600, "hour") if seconds % 3600 == 0 else (seconds // 60, "minute")
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def fhir_moment(text: str | None) -> str:
    """A FHIR date or dateTime as precisely as it says: 5 March 1967, March 1967, 1967. What is none stays as it is."""
    if not text:
        return ""
    parts = text[:10].split("-")
    try:
        if len(parts) == 1:
            return parts[0]
        at = datetime(int(parts[0]), int(parts[1]), int(parts[2]) if len(parts) > 2 else 1)
    except ValueError:
        return text
    written = f"{at:%B} {at.year}" if len(parts) == 2 else f"{at.day} {at:%B} {at.year}"
    if len(text) < 16:
        return written
    return f"{written}, {text[11:16]}{' UTC' if text.endswith('Z') else ''}"
