"""Whether a narrative keeps to the XHTML that FHIR allows.

https://hl7.org/fhir/R4/narrative.html#xhtml
"""

from __future__ import annotations

import html
import re
from functools import lru_cache
from xml.parsers import expat

_NAMESPACE = "http://www.w3.org/1999/xhtml"
_ELEMENT_NAMES = (
    "a abbr acronym address area b bdo big blockquote br caption cite code col colgroup dd del dfn div dl dt em h1 h2 "
    "h3 h4 h5 h6 hr i img ins kbd li map ol p pre q samp small span strong sub sup table tbody td tfoot th thead tr tt "
    "ul var"
)
_ELEMENTS = frozenset(_ELEMENT_NAMES.split())
_ATTRIBUTE_NAMES = (
    "abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign char charoff charset "
    "cite class colspan compact coords datetime dir frame headers height href hreflang hspace id ismap lang longdesc "
    "name noshade nohref nowrap rel rev rowspan rules scope shape size span src start style summary tabindex title "
    "type usemap valign value vspace width xml:lang xmlns"
)
_ATTRIBUTES = frozenset(_ATTRIBUTE_NAMES.split())
_DEEPEST = 200
_ENTITY = re.compile(r"&(?!amp;|lt;|gt;|quot;|apos;|#)[A-Za-z][A-Za-z0-9]*;")
_UNSAFE_LINK = re.compile(r"\s*(?:javascript|vbscript)\s*:", re.IGNORECASE)


@lru_cache(maxsize=16)
def is_acceptable(text: str) -> bool:
    """Whether `text` is one well-formed XHTML `div` of allowed elements and attributes with some content."""
    # Without a document type there are no entity definitions, and so no entity bombs.
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return False
    parser = expat.ParserCreate()
    state = _State()
    parser.StartElementHandler = state.start
    parser.EndElementHandler = state.end
    parser.CharacterDataHandler = state.text
    try:
        # HTML's named entities are unknown to XML and allowed in a narrative.
        parser.Parse(_ENTITY.sub(lambda m: html.unescape(m.group()), text), True)
    except expat.ExpatError:
        return False
    return state.acceptable and state.content


class _State:
    def __init__(self) -> None:
        self.depth = 0
        self.acceptable = True
        self.content = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self.depth == 0 and (name != "div" or attributes.get("xmlns") != _NAMESPACE):
            self.acceptable = False
        self.depth += 1
        if name == "img":
            self.content = True
        if name not in _ELEMENTS or self.depth > _DEEPEST or not attributes.keys() <= _ATTRIBUTES:
            self.acceptable = False
        if any(_UNSAFE_LINK.match(attributes.get(link, "")) for link in ("href", "src")):
            self.acceptable = False

    def end(self, _name: str) -> None:
        self.depth -= 1

    def text(self, data: str) -> None:
        if not self.content and data.strip():
            self.content = True
