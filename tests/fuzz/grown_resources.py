"""Resources grown from the definitions of R4: any type, any depth, sound unless said otherwise.

Grown by a `random.Random`, so that a seed repeats a run, and hypothesis, whose `randoms()` is one, can make a failing
resource smaller.
"""

from __future__ import annotations

import json
import random
from base64 import b64encode
from decimal import Decimal
from typing import Any

from resources.definitions import Element, TypeFacts, resource_types, type_facts, value_set_codes
from resources.document import parse_document
from resources.problem import Issue
from resources.validation import errors_of, validate
from tests.fuzz.application import CANARY

DEEPEST = 5
ATTEMPTS = 12
WORDS = (
    "a", CANARY, "Müller", "two words", " lead and trail ", "line\nbreak", "tab\there", "quo\"te", "back\\slash", "<b>&amp;",
    "\U0001f600", "e\u0301", "\u202eright to left", "ß", "İ", "{\"$gt\": 1}", "a|b,c$d", "%41", "x" * 300, "0", "null",
    "\ufeffbom", "\u00a0", "'; --", "a.b.c", "..", "\u2028",
)  # fmt: skip
DECIMALS = (
    "0",
    "1",
    "-1",
    "1.0",
    "1.00",
    "0.000000001",
    "-0.0",
    "1E5",
    "1e-7",
    "123456789012345678901234567890.5",
    "3.14",
)
DATES = ("2020", "1999-12", "2020-02-29", "0001-01-01", "9999-12-31", "1970-01-01")
TIMES = ("00:00:00", "23:59:59", "23:59:60", "12:30:00.5", "12:30:00.123456789")
ZONES = ("Z", "+14:00", "-12:00", "+05:30", "+00:00")


class Grower:
    """Grows resources; how full they are differs from one to the next."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self._optional = 0.2

    def resource(self, type_name: str | None = None, depth: int = 0) -> dict[str, Any]:
        """One that has the shape its definition asks for; invariants over several elements it may break."""
        name = type_name or self.chance.choice(sorted(resource_types()))
        tree = {"resourceType": name, **self._object(type_facts(name), depth)}
        if "contained" in tree and depth == 0:
            self._refer_to_contained(tree)
        return tree

    def sound(self, type_name: str | None = None) -> dict[str, Any]:
        """One that breaks no rule at all. Raises `Barren` where none came of many attempts."""
        name = type_name or self.chance.choice(sorted(resource_types()))
        for _ in range(ATTEMPTS):
            self._optional = self.chance.choice((0.05, 0.2, 0.2, 0.4, 0.8))
            tree = self.resource(name)
            faults = faults_in(tree)
            unshapely = [fault for fault in faults if fault.code not in ("invariant", "business-rule")]
            assert not unshapely, f"grown as defined, yet refused: {unshapely[:3]}\n{written(tree)[:2000]}"
            for _ in range(8):
                if not faults:
                    return tree
                pruned = [_prune(tree, fault) for fault in faults]
                if not all(pruned):
                    break
                faults = faults_in(tree)
        raise Barren(name)

    def _object(self, facts: TypeFacts, depth: int) -> dict[str, Any]:
        node: dict[str, Any] = {}
        for element in facts.elements.values():
            if element.min or self._is_there(element, depth):
                self._grow(element, facts, node, depth)
        if node.keys() <= {"id"} and facts.kind != "resource" and facts.name != "Element":
            node.update(self._least(facts, depth))
        return node

    def _is_there(self, element: Element, depth: int) -> bool:
        if element.name in ("id", "implicitRules", "meta", "modifierExtension"):
            return depth == 0 and element.name == "meta" and self.chance.random() < 0.1
        likely = self._optional / (1 + depth) if depth < DEEPEST else 0
        if element.name == "contained" and depth > 0:
            return False
        if element.name in ("extension", "contained"):
            likely /= 3
        return self.chance.random() < likely

    def _grow(self, element: Element, owner: TypeFacts, node: dict[str, Any], depth: int) -> None:
        if element.max == 0:
            return
        name, type_name = self.chance.choice(sorted(element.json_names().items()))
        if depth >= DEEPEST - 1 and element.is_choice:
            simple = [pair for pair in element.json_names().items() if type_facts(pair[1]).kind == "primitive"]
            name, type_name = self.chance.choice(sorted(simple or element.json_names().items()))
        number = max(element.min, self.chance.choice((1, 1, 1, 2, 3))) if element.is_list else 1
        values = [self._value(element, type_name, depth + 1) for _ in range(number)]
        node[name] = values if element.is_list else values[0]
        is_attribute = element.name in ("id", "div") or (element.name == "url" and owner.name == "Extension")
        if type_facts(type_name).kind == "primitive" and not is_attribute and self.chance.random() < 0.04:
            beside = {"extension": [{"url": "http://example.org/e", "valueString": self._text()}]}
            node["_" + name] = [beside] + [None] * (number - 1) if element.is_list else beside

    def _least(self, facts: TypeFacts, depth: int) -> dict[str, Any]:
        """An element for an object that would else be empty."""
        if facts.name == "Extension":
            return {"valueString": self._text()}
        simple = [
            e for e in facts.elements.values() if e.name != "id" and not e.is_choice and e.types[0] != "Extension"
            and (type_facts(e.types[0]).kind == "primitive" or e.types[0] in ("CodeableConcept", "Reference", "Quantity"))
        ]  # fmt: skip
        node: dict[str, Any] = {}
        pick = simple or [e for e in facts.elements.values() if e.name not in ("id", "extension", "modifierExtension")]
        self._grow(self.chance.choice(pick), facts, node, depth)
        return node

    def _value(self, element: Element, type_name: str, depth: int) -> Any:
        if element.binding is not None and (bound := self._bound(element, type_name)) is not None:
            return bound
        if type_name == "Resource":
            return {**self.resource(self.chance.choice(("Basic", "Patient", "Observation", "List")), depth + 2)}
        if type_name == "Reference":
            return self._reference(element)
        if type_name == "Extension":
            return self._extension(depth)
        facts = type_facts(type_name)
        return self._primitive(type_name) if facts.kind == "primitive" else self._object(facts, depth)

    def _bound(self, element: Element, type_name: str) -> Any:
        assert element.binding is not None
        strength, url = element.binding
        systems = value_set_codes(url) if strength == "required" else None
        if not systems:
            return None
        system = self.chance.choice(sorted(systems))
        code = self.chance.choice(sorted(systems[system]))
        if type_name in ("code", "string", "uri"):
            return code
        coding = {"system": system, "code": code}
        return {"coding": [coding]} if type_name == "CodeableConcept" else coding if type_name == "Coding" else None

    def _extension(self, depth: int) -> dict[str, Any]:
        url = f"http://example.org/ext/{self.chance.randrange(5)}"
        if depth < DEEPEST and self.chance.random() < 0.3:
            return {"url": url, "extension": [self._extension(depth + 1)]}
        element = type_facts("Extension").elements["value"]
        choices = sorted(element.json_names().items())
        simple = [pair for pair in choices if type_facts(pair[1]).kind == "primitive"]
        name, type_name = self.chance.choice(choices if depth < DEEPEST - 1 else simple)
        return {"url": url, name: self._value(element, type_name, depth + 1)}

    def _reference(self, element: Element) -> dict[str, Any]:
        targets = sorted(t for t in element.targets if t in resource_types()) or sorted(resource_types())
        target, number = self.chance.choice(targets), self.chance.randrange(9)
        forms = (
            {"reference": f"{target}/fuzz-{number}"},
            {"reference": f"http://elsewhere.example/fhir/{target}/{number}"},
            {"reference": f"{target}/fuzz-{number}/_history/1", "display": self._text()},
            {"identifier": {"system": "urn:fuzz", "value": str(number)}},
            {"display": self._text()},
            {"reference": "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a"},
        )
        return dict(self.chance.choice(forms))

    def _refer_to_contained(self, tree: dict[str, Any]) -> None:
        for number, each in enumerate(tree["contained"]):
            each["id"] = f"c{number}"
            each.pop("meta", None)
            reference = {"url": "http://example.org/c", "valueReference": {"reference": f"#c{number}"}}
            tree.setdefault("extension", []).append(reference)

    def _text(self) -> str:
        return self.chance.choice(WORDS)

    def _primitive(self, type_name: str) -> Any:
        pick, number = self.chance.choice, self.chance.randrange
        match type_name:
            case "boolean":
                return pick((True, False))
            case "integer":
                return pick((0, 1, -1, 2**31 - 1, -(2**31), number(1000)))
            case "positiveInt":
                return pick((1, 2**31 - 1, 1 + number(1000)))
            case "unsignedInt":
                return pick((0, 2**31 - 1, number(1000)))
            case "decimal":
                return Decimal(pick(DECIMALS))
            case "date":
                return pick(DATES)
            case "dateTime":
                return pick((pick(DATES), f"2020-02-29T{pick(TIMES)}{pick(ZONES)}"))
            case "instant":
                return f"2021-03-04T{pick(TIMES)}{pick(ZONES)}"
            case "time":
                return pick(TIMES)
            case "id":
                return f"i{number(10**6)}"
            case "code":
                return pick(("x", "two words", "a-b", "A.1", "42"))
            case "oid":
                return f"urn:oid:1.2.{number(1000)}"
            case "uuid":
                return f"urn:uuid:61ebe359-bfdc-4613-8bf2-c5e3{number(16**8):08x}"
            case "uri" | "url" | "canonical":
                return pick(
                    (f"http://example.org/{number(9)}", "urn:fuzz:x", "http://example.org/a|1.0", "http://exämple/ü")
                )
            case "base64Binary":
                return b64encode(bytes(number(256) for _ in range(1 + number(12)))).decode()
            case "xhtml":
                return '<div xmlns="http://www.w3.org/1999/xhtml"><p title="a&lt;b">x &amp; y<br/></p></div>'
        return self._text()


def faults_in(tree: dict[str, Any]) -> list[Issue]:
    """For what a resource would be refused."""
    return errors_of(validate(parse_document(written(tree)).tree))


class Barren(Exception):
    """No sound resource of a type came of many attempts."""


def _prune(tree: dict[str, Any], fault: Issue) -> bool:
    """Take away the optional element that a broken invariant names; whether there was one."""
    steps = (fault.expression or "").split(".")[1:]
    node: Any = tree
    parent: Any = None
    key: Any = None
    for step in steps:
        name, _, index = step.rstrip("]").partition("[")
        if not isinstance(node, dict):
            return False
        if name not in node:
            name = next((other for other in node if other.lstrip("_").startswith(name)), name)
            if name not in node:
                return parent is None
        parent, key, node = node, name, node[name]
        if index and isinstance(node, list):
            if int(index) >= len(node):
                return True  # gone with another fault
            node = node[int(index)]
    if parent is None:
        return False
    parent.pop(key, None)
    parent.pop("_" + key, None)
    return True


def written(tree: Any) -> str:
    """As JSON text, with decimals to the digit."""
    if isinstance(tree, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{written(value)}" for name, value in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ",".join(map(written, tree)) + "]"
    return str(tree) if isinstance(tree, Decimal) else json.dumps(tree, ensure_ascii=False)
