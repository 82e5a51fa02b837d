"""The formats of FHIR's primitive types: one checker a type, each answering with a sentence or None.

https://hl7.org/fhir/R4/datatypes.html#primitive
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from resources.problem import quoted

Check = Callable[[Any], str | None]
"""A JSON value → a sentence that says what is wrong with it, or None."""

# https://hl7.org/fhir/R4/datatypes.html#string: "strings SHALL NOT exceed 1MB in size"
MAX_STRING = 1024 * 1024
MAX_INTEGER = 2**31 - 1
# No clinical quantity needs more; without a bound, arithmetic on 1e999999999 would take the machine.
MAX_EXPONENT = 400
_LONGEST_INTEGER = 10**MAX_EXPONENT

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_ZONE = r"(Z|[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_YEAR = r"(?!0000)[0-9]{4}"
_MONTH = r"(0[1-9]|1[0-2])"
_DAY = r"(0[1-9]|[12][0-9]|3[01])"
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?"
_DATE = re.compile(rf"{_YEAR}(-{_MONTH}(-{_DAY})?)?")
_DATE_TIME = re.compile(rf"{_YEAR}(-{_MONTH}(-{_DAY}(T{_TIME}{_ZONE})?)?)?")
_INSTANT = re.compile(rf"{_YEAR}-{_MONTH}-{_DAY}T{_TIME}{_ZONE}")
_CODE = re.compile(r"\S+(\s\S+)*")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_URI = re.compile(r"\S+")
_OID = re.compile(r"urn:oid:[0-2](\.(0|[1-9][0-9]*))+")
_UUID = re.compile(r"urn:uuid:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_CLOCK = re.compile(_TIME)
_BASE64 = re.compile(r"[0-9a-zA-Z+/]*={0,2}")
_WHITE_SPACE = str.maketrans("", "", " \t\r\n")


def is_id(value: object) -> bool:
    """Whether a value is a legal logical id. https://hl7.org/fhir/R4/datatypes.html#id"""
    return type(value) is str and _ID.fullmatch(value) is not None


def _text(value: Any) -> str | None:
    if type(value) is not str:
        return _wrong_kind(value, "a JSON string")
    if not value:
        return "The string is empty; an element without a value must be left out."
    if _CONTROL.search(value):
        return f"The string {quoted(value)} holds a control character, of which only tab, CR and LF are allowed."
    if len(value) > MAX_STRING:
        return f"The string is {len(value):,} characters long; {MAX_STRING:,} is the most allowed."
    return None


def _matching(pattern: re.Pattern[str], form: str) -> Check:
    matches = pattern.fullmatch

    def check(value: Any) -> str | None:
        if type(value) is not str:
            return _wrong_kind(value, "a JSON string")
        if matches(value) is None:
            return f"The value {quoted(value)} is not {form}."
        return None

    return check


def _calendar(pattern: re.Pattern[str], form: str) -> Check:
    matches = pattern.fullmatch

    def check(value: Any) -> str | None:
        if type(value) is not str:
            return _wrong_kind(value, "a JSON string")
        if matches(value) is None:
            return f"The value {quoted(value)} is not {form}."
        if len(value) >= 10 and value[8:10] > "28":
            try:
                date(int(value[:4]), int(value[5:7]), int(value[8:10]))
            except ValueError:
                return f"The value {quoted(value)} names a day that the calendar does not have."
        return None

    return check


def _uri(form: str) -> Check:
    matches = _URI.fullmatch

    def check(value: Any) -> str | None:
        if type(value) is not str:
            return _wrong_kind(value, "a JSON string")
        if matches(value) is None:
            return f"The value {quoted(value)} is not {form}: it is empty or holds white space."
        # https://hl7.org/fhir/R4/datatypes.html#uri: a UUID is written as RFC 4122 has it.
        if value.startswith("urn:uuid:") and _UUID.match(value) is None:
            return f"The value {quoted(value)} is not a UUID of the form urn:uuid:c757873d-ec9a-4326-a141-556f43239520."
        return None

    return check


def _boolean(value: Any) -> str | None:
    return None if type(value) is bool else _wrong_kind(value, "true or false, without quotes")


def _integer(least: int, form: str) -> Check:
    def check(value: Any) -> str | None:
        if type(value) is not int:
            return _wrong_kind(value, f"{form}, without quotes and without a fraction")
        if not least <= value <= MAX_INTEGER:
            return f"The value {quoted(value)} is out of range: {form} lies between {least} and {MAX_INTEGER}."
        return None

    return check


def _decimal(value: Any) -> str | None:
    if type(value) is Decimal:
        exponent = value.adjusted()
        if not -MAX_EXPONENT <= exponent <= MAX_EXPONENT:
            return f"The decimal's power of ten is {exponent}; {MAX_EXPONENT} is the most accepted."
        return None
    if type(value) is int:
        if abs(value) >= _LONGEST_INTEGER:
            return f"The decimal is longer than {MAX_EXPONENT} digits."
        return None
    return _wrong_kind(value, "a number, without quotes")


def _base64(value: Any) -> str | None:
    if type(value) is not str:
        return _wrong_kind(value, "a JSON string")
    packed = value.translate(_WHITE_SPACE)
    if not packed:
        return "The string is empty; an element without a value must be left out."
    if len(packed) % 4 or _BASE64.fullmatch(packed) is None:
        return f"The value {quoted(value)} is not base64."
    return None


def _wrong_kind(value: Any, expected: str) -> str:
    if value is None:
        return f"The value is null where {expected} is expected; an element without a value must be left out."
    kind = {bool: "boolean", str: "string", dict: "object", list: "array"}.get(type(value), "number")
    shown = f" {quoted(value if isinstance(value, str) else str(value))}" if kind in ("number", "string") else ""
    return f"The value is the JSON {kind}{shown} where {expected} is expected."


CHECKS: dict[str, Check] = {
    "base64Binary": _base64,
    "boolean": _boolean,
    "canonical": _uri("a canonical URL"),
    "code": _matching(_CODE, "a code: no leading, trailing or double white space, and not empty"),
    "date": _calendar(_DATE, "a date of the form YYYY, YYYY-MM or YYYY-MM-DD"),
    "dateTime": _calendar(
        _DATE_TIME, "a dateTime of the form YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss+zz:zz (with time zone)"
    ),
    "decimal": _decimal,
    "id": _matching(_ID, "an id: 1 to 64 of the characters A-Z, a-z, 0-9, '-' and '.'"),
    "instant": _calendar(_INSTANT, "an instant of the form YYYY-MM-DDThh:mm:ss.sss+zz:zz"),
    "integer": _integer(-(2**31), "a whole number"),
    "markdown": _text,
    "oid": _matching(_OID, "an OID of the form urn:oid:1.2.3"),
    "positiveInt": _integer(1, "a positive whole number"),
    "string": _text,
    "time": _matching(_CLOCK, "a time of the form hh:mm:ss"),
    "unsignedInt": _integer(0, "a whole number that is not negative"),
    "uri": _uri("a URI"),
    "url": _uri("a URL"),
    "uuid": _matching(_UUID, "a UUID of the form urn:uuid:c757873d-ec9a-4326-a141-556f43239520"),
}
