"""The XHTML of a narrative: well formed, a single `div`, only what FHIR allows in it, and not blank.

https://hl7.org/fhir/R4/narrative.html#rules
"""

from __future__ import annotations

import re
from xml.parsers import expat

XHTML = "http://www.w3.org/1999/xhtml"
MAX_ELEMENT_DEPTH = 200

# The elements of HTML 4.0 chapters 7-11 (but chapter 4 of section 9) and 15, `a` and images, as txt-1 lists them.
_ELEMENT_NAMES = (
    "a abbr acronym address area b bdi bdo big blockquote br caption cite code col colgroup dd del dfn div dl dt em h1 h2 "
    "h3 h4 h5 h6 hr i img ins kbd li map ol p pre q s samp small span strike strong sub sup table tbody td tfoot th "
    "thead tr tt u ul var"
)
ALLOWED_ELEMENTS = frozenset(_ELEMENT_NAMES.split())
_ATTRIBUTE_NAMES = (
    "abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign char charoff charset cite "
    "class clear color colspan compact coords datetime dir face frame headers height href hreflang hspace id ismap lang "
    "longdesc name noshade nowrap rel rev rowspan rules scope shape size span src start style summary tabindex target "
    "title type usemap valign value vspace width"
)
ALLOWED_ATTRIBUTES = frozenset(_ATTRIBUTE_NAMES.split())
# Browsers pass over white space and control characters within a scheme.
_PASSED_OVER = re.compile(r"[\x00-\x20]+")
_SCRIPT_URL = re.compile(r"(javascript|vbscript|data(?!:image/)):", re.IGNORECASE)


def narrative_faults(div: str) -> list[str]:
    """The XHTML text of `Narrative.div` → sentences that say what is wrong with it; empty when all is well."""
    reader = _Reader()
    try:
        reader.read(div)
    except _RefusedError:
        pass  # what refused it stands among the faults
    except expat.ExpatError as error:
        reason = expat.errors.messages.get(error.code, "malformed")
        return [f"The XHTML is not well formed at line {error.lineno}, column {error.offset + 1}: {reason}."]
    return reader.faults


class _RefusedError(Exception):
    """Reading on would be pointless, or dangerous."""


class _Reader:
    """Collects faults while expat reads; without DTD, so that no entity can be declared, let alone fetched."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self._depth = 0
        self._has_content = False
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.ProcessingInstructionHandler = self._instruction

    def read(self, div: str) -> None:
        self._parser.Parse(div, True)
        if not self._has_content and not self.faults:
            self.faults.append("The XHTML holds neither text nor an image.")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        self._depth += 1
        if self._depth == 1 and (local != "div" or namespace != XHTML):
            self.faults.append(
                f'The XHTML must be one <div xmlns="{XHTML}">, not <{local}> in {namespace or "no"} namespace.'
            )
        elif namespace != XHTML or local not in ALLOWED_ELEMENTS:
            self.faults.append(f"The element <{local}> is not allowed in a narrative.")
        if self._depth == MAX_ELEMENT_DEPTH:
            self.faults.append(f"The XHTML is nested deeper than {MAX_ELEMENT_DEPTH} elements.")
            raise _RefusedError
        for attribute, value in attributes.items():
            if attribute not in ALLOWED_ATTRIBUTES and not attribute.startswith(
                "http://www.w3.org/XML/1998/namespace "
            ):
                self.faults.append(f"The attribute '{attribute}' of <{local}> is not allowed in a narrative.")
            elif attribute in ("href", "src") and _SCRIPT_URL.match(_PASSED_OVER.sub("", value)):
                self.faults.append(f"The {attribute} of <{local}> may not hold a script.")
        if local == "img":
            self._has_content = True

    def _end(self, name: str) -> None:
        self._depth -= 1

    def _text(self, text: str) -> None:
        if not self._has_content and not text.isspace():
            self._has_content = True

    def _doctype(self, *_: object) -> None:
        self.faults.append("A document type declaration is not allowed in a narrative.")
        raise _RefusedError  # before the parser meets what it declares

    def _instruction(self, target: str, _: str) -> None:
        self.faults.append(f"The processing instruction <?{target}?> is not allowed in a narrative.")
