"""Looks at a page as people see it: in both colour schemes, on a screen and on a small phone.

https://www.w3.org/TR/WCAG22/

FHIR_TEST_SHOTS=folder keeps a picture of every page.
"""

from __future__ import annotations

import os
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
WIDTHS = (1280, 320)
# What changes with the colours and the width; the rest of the rules asks about the page itself, and is asked once.
OF_APPEARANCE = ("color-contrast", "target-size", "link-in-text-block")

RUN = "options => axe.run(document, options).then(found => found.violations)"
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@cache
def _axe() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


def look(page: Page, name: str, shown: str | Locator) -> None:
    """Check the page, once it shows a heading of this text, or something else that tells it from the page before."""
    sign = page.get_by_role("heading", level=1, name=shown, exact=True) if isinstance(shown, str) else shown
    expect(sign).to_be_visible()
    page.evaluate(_axe())
    found: list[Any] = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            is_first = scheme == "light" and width == WIDTHS[0]
            rules = {"type": "tag", "values": TAGS} if is_first else {"type": "rule", "values": OF_APPEARANCE}
            for rule in page.evaluate(RUN, {"runOnly": rules}):
                found.append((scheme, width, rule["id"], [node["html"] for node in rule["nodes"]]))
            overflow = page.evaluate(WIDER)
            if overflow > 0:
                found.append((scheme, width, "wider than the screen", overflow))
            _keep(page, f"{name}-{scheme}-{width}")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    assert found == []
    assert page.locator("h1").count() == 1


def _keep(page: Page, name: str) -> None:
    folder = os.environ.get("FHIR_TEST_SHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
