"""Pages as a browser understands them: their forms, what stands in each, and their text.

https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#constructing-the-form-data-set
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

BUTTONS = frozenset({"submit", "image", "button", "reset"})
TICKED = frozenset({"checkbox", "radio"})


@dataclass(slots=True)
class Control:
    """One control of a form. kind: the type of an input or button, else `select` or `textarea`; label: its words."""

    kind: str
    name: str
    value: str
    is_checked: bool = False
    is_disabled: bool = False
    id: str = ""
    label: str = ""


@dataclass(slots=True)
class Form:
    """A form: where it is sent, and its controls in their order."""

    action: str
    method: str
    controls: list[Control] = field(default_factory=list)

    def of_kind(self, *kinds: str) -> list[Control]:
        """The controls of some kinds that are not disabled."""
        return [control for control in self.controls if control.kind in kinds and not control.is_disabled]

    @property
    def buttons(self) -> list[Control]:
        """The buttons that send the form."""
        return self.of_kind("submit", "image")

    def data(
        self, filled: Mapping[str, str], ticked: Mapping[int, bool], button: Control | None
    ) -> list[tuple[str, str]]:
        """What is sent. filled: name → what is typed. ticked: place of a control → whether it is ticked."""
        pairs: list[tuple[str, str]] = []
        for place, control in enumerate(self.controls):
            if not control.name or control.is_disabled:
                continue
            if control.kind in BUTTONS:
                if control is button:
                    pairs.append((control.name, control.value))
            elif control.kind in TICKED:
                if ticked.get(place, control.is_checked):
                    pairs.append((control.name, control.value or "on"))
            else:
                pairs.append((control.name, filled.get(control.name, control.value)))
        return pairs


@dataclass(slots=True)
class Page:
    """An HTML page: forms, links as (address, words), and its text with single blanks."""

    forms: list[Form]
    links: list[tuple[str, str]]
    text: str


def read_page(html: str) -> Page:
    """The page that a text says. Never raises: a browser makes something of everything."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    for control in (control for form in reader.forms for control in form.controls):
        if control.id in reader.labels:
            control.label = _words(reader.labels[control.id])
        else:
            control.label = _words([control.label])
    links = [(address, _words(words)) for address, words in reader.links]
    return Page(reader.forms, links, _words(reader.text))


def _words(parts: list[str]) -> str:
    return " ".join(" ".join(parts).split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[tuple[str, list[str]]] = []
        self.labels: dict[str, list[str]] = {}
        self.text: list[str] = []
        self._form: Form | None = None
        self._label: list[str] | None = None
        self._around = ""
        self._button: Control | None = None
        self._link: list[str] | None = None
        self._select: Control | None = None
        self._area: Control | None = None
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Form(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._form)
        elif tag == "label":
            # One without `for` labels the control within it.
            self._around = "" if "for" in given else f"\0{len(self.labels)}"
            self._label = self.labels.setdefault(given.get("for", self._around), [])
        elif tag == "a" and "href" in given:
            self._link = []
            self.links.append((given["href"], self._link))
        elif tag in ("input", "button", "select", "textarea"):
            self._control(tag, given)
        elif tag == "option" and self._select is not None:
            if "selected" in given or not self._select.value:
                self._select.value = given.get("value", "")
        elif tag in ("script", "style", "template"):
            self._hidden += 1

    def _control(self, tag: str, given: dict[str, str]) -> None:
        kind = given.get("type", {"input": "text", "button": "submit"}.get(tag, tag)).lower()
        control = Control(
            kind if tag in ("input", "button") else tag,
            given.get("name", ""),
            given.get("value", ""),
            "checked" in given,
            "disabled" in given,
            given.get("id", "") or self._around,
            given.get("value", "") if tag == "input" and kind in BUTTONS else given.get("aria-label", ""),
        )
        if self._form is not None:
            self._form.controls.append(control)
        if tag == "button":
            self._button = control
        elif tag == "select":
            self._select = control
        elif tag == "textarea":
            self._area = control

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "label":
            self._label, self._around = None, ""
        elif tag == "a":
            self._link = None
        elif tag == "button":
            self._button = None
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._area = None
        elif tag in ("script", "style", "template"):
            self._hidden = max(0, self._hidden - 1)

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        self.text.append(data)
        if self._area is not None:
            self._area.value += data
        if self._button is not None:
            self._button.label += f" {data}"
        if self._label is not None:
            self._label.append(data)
        if self._link is not None:
            self._link.append(data)
