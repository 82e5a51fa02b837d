"""The functions on texts.

http://hl7.org/fhirpath/N1/#string-manipulation
"""

from __future__ import annotations

import base64
import binascii
import html
import json
from collections.abc import Callable

from ..arithmetic import LONGEST_TEXT
from ..errors import FhirPathError
from ..nodes import Items
from ..patterns import pattern_of
from ..scope import Scope
from ..values import single_integer, single_string
from .registry import function


def _limited(text: str) -> Items:
    if len(text) > LONGEST_TEXT:
        raise FhirPathError(f"A text would be longer than {LONGEST_TEXT} characters")
    return [text]


def _test(name: str, holds: Callable[[str, str], bool]) -> None:
    def run(_scope: Scope, items: Items, argument: Items) -> bool | None:
        text, other = single_string(items, f"{name}()"), single_string(argument, f"{name}()")
        return None if text is None or other is None else holds(text, other)

    function(name, 1, truth=True)(run)


_test("startsWith", str.startswith)
_test("endsWith", str.endswith)
_test("contains", lambda text, other: other in text)
_test("matches", lambda text, pattern: pattern_of(pattern).search(text))
_test("matchesFull", lambda text, pattern: pattern_of(f"^(?:{pattern})$").search(text))


def _change(name: str, change: Callable[[str], str]) -> None:
    def run(_scope: Scope, items: Items) -> Items:
        text = single_string(items, f"{name}()")
        return [] if text is None else [change(text)]

    function(name)(run)


_change("upper", str.upper)
_change("lower", str.lower)
_change("trim", str.strip)


@function("length")
def _length(_scope: Scope, items: Items) -> Items:
    text = single_string(items, "length()")
    return [] if text is None else [len(text)]


@function("toChars")
def _to_chars(_scope: Scope, items: Items) -> Items:
    return list(single_string(items, "toChars()") or "")


@function("indexOf", 1)
def _index_of(_scope: Scope, items: Items, argument: Items) -> Items:
    text, part = single_string(items, "indexOf()"), single_string(argument, "indexOf()")
    return [] if text is None or part is None else [text.find(part)]


@function("lastIndexOf", 1)
def _last_index_of(_scope: Scope, items: Items, argument: Items) -> Items:
    text, part = single_string(items, "lastIndexOf()"), single_string(argument, "lastIndexOf()")
    return [] if text is None or part is None else [text.rfind(part)]


@function("substring", 1, 2)
def _substring(_scope: Scope, items: Items, start: Items, length: Items | None = None) -> Items:
    text, begin = single_string(items, "substring()"), single_integer(start, "substring()")
    if text is None or begin is None or not 0 <= begin < len(text):
        return []
    size = None if length is None else single_integer(length, "substring()")
    return [text[begin:] if size is None else text[begin : begin + max(0, size)]]


@function("replace", 2)
def _replace(_scope: Scope, items: Items, pattern: Items, substitution: Items) -> Items:
    text = single_string(items, "replace()")
    old, new = single_string(pattern, "replace()"), single_string(substitution, "replace()")
    if text is None or old is None or new is None:
        return []
    if (len(text) + 1) * len(new) > 10 * LONGEST_TEXT:
        raise FhirPathError(f"A text would be longer than {LONGEST_TEXT} characters")
    return _limited(text.replace(old, new))


@function("replaceMatches", 2)
def _replace_matches(_scope: Scope, items: Items, pattern: Items, substitution: Items) -> Items:
    text = single_string(items, "replaceMatches()")
    old, new = single_string(pattern, "replaceMatches()"), single_string(substitution, "replaceMatches()")
    if text is None or old is None or new is None:
        return []
    if (len(text) + 1) * len(new) > 10 * LONGEST_TEXT:
        raise FhirPathError(f"A text would be longer than {LONGEST_TEXT} characters")
    return [text] if old == "" else _limited(pattern_of(old).replace(text, new))


@function("split", 1)
def _split(_scope: Scope, items: Items, separator: Items) -> Items:
    text, mark = single_string(items, "split()"), single_string(separator, "split()")
    if text is None or mark is None:
        return []
    return list(text.split(mark)) if mark else list(text)


@function("join", 0, 1)
def _join(_scope: Scope, items: Items, separator: Items | None = None) -> Items:
    mark = single_string(separator or [], "join()") or ""
    texts = [single_string([item], "join()") for item in items]
    return _limited(mark.join(text for text in texts if text is not None)) if items else []


def _hex(text: str) -> str:
    return bytes.fromhex(text).decode()


_ENCODERS: dict[str, Callable[[str], str]] = {
    "hex": lambda text: text.encode().hex(),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "urlbase64": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
}
_DECODERS: dict[str, Callable[[str], str]] = {
    "hex": _hex,
    "base64": lambda text: base64.b64decode(text, validate=True).decode(),
    "urlbase64": lambda text: base64.b64decode(text, altchars=b"-_", validate=True).decode(),
}
_ESCAPERS: dict[str, Callable[[str], str]] = {
    "html": lambda text: html.escape(text, quote=True),
    "json": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
}
_UNESCAPERS: dict[str, Callable[[str], str]] = {
    "html": html.unescape,
    "json": lambda text: str(json.loads(f'"{text}"')) if "\\" in text else text,
}


def _transcoder(name: str, table: dict[str, Callable[[str], str]]) -> None:
    def run(_scope: Scope, items: Items, argument: Items) -> Items:
        text, target = single_string(items, f"{name}()"), single_string(argument, f"{name}()")
        if text is None or target is None:
            return []
        if target not in table:
            raise FhirPathError(f"{name}() knows {', '.join(table)}, not {target}")
        try:
            return _limited(table[target](text))
        except (ValueError, binascii.Error):
            return []

    function(name, 1)(run)


_transcoder("encode", _ENCODERS)
_transcoder("decode", _DECODERS)
_transcoder("escape", _ESCAPERS)
_transcoder("unescape", _UNESCAPERS)
