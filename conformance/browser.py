"""A small browser: it keeps cookies, follows redirects, reads forms and sends them, and runs no scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

import httpx

from conformance.check import Failure
from conformance.html_forms import Control, Form, Page, read_page

MOST_REDIRECTS = 10
REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Shown:
    """A page that the browser shows. url: where it is; response: what it was made of."""

    url: str
    status: int
    page: Page
    response: httpx.Response


@dataclass(frozen=True, slots=True)
class Arrived:
    """The browser was sent to an address at which an app waits. response: what sent it there."""

    url: str
    response: httpx.Response


class Browser:
    """One browser. client: with cookies of its own, and redirects not followed.

    stops: beginnings of the addresses at which apps wait; the browser goes there, but nothing is asked there.
    """

    def __init__(self, client: httpx.Client, stops: Sequence[str]) -> None:
        self._client = client
        self._stops = tuple(stops)

    def open(self, url: str) -> Shown | Arrived:
        """Go to an address."""
        return self._follow(self._client.get(url))

    def open_from(self, shown: Shown, address: str) -> Shown | Arrived:
        """Follow a link of a page."""
        return self.open(urljoin(shown.url, address))

    def post(self, url: str, data: Sequence[tuple[str, str]]) -> Shown | Arrived:
        """Send a form that another site's page made."""
        return self._follow(self._client.post(url, data=_joined(data)))

    def submit(
        self,
        shown: Shown,
        form: Form,
        button: Control | None = None,
        filled: Mapping[str, str] | None = None,
        ticked: Mapping[int, bool] | None = None,
    ) -> Shown | Arrived:
        """Send a form as it stands but for what is filled in and ticked. button: that is pressed; the first if None."""
        pressed = button or next(iter(form.buttons), None)
        data = form.data(filled or {}, ticked or {}, pressed)
        address = urljoin(shown.url, form.action or shown.url)
        if form.method == "post":
            return self._follow(self._client.post(address, data=_joined(data)))
        return self._follow(self._client.get(address, params=_joined(data)))

    def _follow(self, response: httpx.Response) -> Shown | Arrived:
        for _ in range(MOST_REDIRECTS):
            if response.status_code not in REDIRECTS:
                kind = response.headers.get("content-type", "")
                page = read_page(response.text) if "html" in kind else Page([], [], response.text[:500])
                return Shown(str(response.url), response.status_code, page, response)
            url = urljoin(str(response.url), response.headers.get("location", ""))
            if url.startswith(self._stops):
                return Arrived(url, response)
            keeps_method = response.status_code in (307, 308)
            method = response.request.method if keeps_method else "GET"
            body = response.request.content if keeps_method else b""
            headers = {"Content-Type": response.request.headers["content-type"]} if body else {}
            response = self._client.request(method, url, content=body or None, headers=headers)
        raise Failure(f"The browser was redirected more than {MOST_REDIRECTS} times.")


def _joined(pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    joined: dict[str, list[str]] = {}
    for name, value in pairs:
        joined.setdefault(name, []).append(value)
    return joined
