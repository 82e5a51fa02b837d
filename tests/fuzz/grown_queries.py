"""Searches grown from the search parameters of all types: modifiers, prefixes, chains, `_has`, `_include`, `_filter`."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import cache
from urllib.parse import quote

from resources.definitions import SearchParameterFacts, is_a, resource_types, search_parameter_facts
from tests.fuzz.application import CANARY, JSON, Request
from tests.fuzz.grown_resources import DATES, TIMES, ZONES

# Each pair: what is sound, and what is odd.
Pool = tuple[tuple[str, ...], tuple[str, ...]]
MODIFIERS: Mapping[str, Pool] = {
    "string": (("", "", ":exact", ":contains", ":missing"), (":text", ":above")),
    "token": (("", "", ":not", ":text", ":missing"), (":in", ":not-in", ":above", ":below", ":of-type", ":exact")),
    "reference": (("", "", ":identifier", ":missing"), (":Patient", ":above", ":below", ":not")),
    "uri": (("", ":above", ":below", ":missing"), (":contains",)),
    "date": (("", ":missing"), (":exact",)),
    "number": (("", ":missing"), (":not",)),
    "quantity": (("", ":missing"), (":not",)),
    "composite": (("",), (":missing",)),
    "special": (("",), (":missing",)),
}
PREFIXES: Pool = (("", "", "", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"), ("zz", "GT", "gtlt"))
NUMBERS: Pool = (("0", "1", "-1.50", "100.00", "1E-7"), ("1e400", "x", "", "+1", "99999999999999999999", "0x1"))
TOKENS: Pool = (
    ("final", "http://loinc.org|1-8", "|x", "http://x|", "true", "urn:fuzz|1", CANARY),
    ("|", "||", "a\\|b", "http://hl7.org/fhir/ValueSet/observation-status", "http://terminology.hl7.org/v2|MR|446053"),
)
STRINGS: Pool = (
    ("a", CANARY, "Müller", "x" * 400, "ß", "two words", "\U0001f600"),
    ("", "a\\,b", "$", "%", ".*", "e\u0301", "\x00", "\\"),
)
URIS: Pool = (("http://example.org/a", "urn:fuzz:x"), ("http://example.org/a|1.0", "http://[", "", "/", "a b"))
MOMENTS: Pool = (DATES, ("2020-02-30", "x", "", "2020-01-01T10", "2020-01-01T10:00", "12"))
UNITS: Pool = (("", "|http://unitsofmeasure.org|mg", "||mg"), ("|", "|||", "|http://unitsofmeasure.org|{x"))
SPECIALS: Pool = (("a", "42.1|-71.2|5|km"), ("", "(a and b)", "near", "1|2|3|4|5"))
OPERATORS: Pool = (
    ("eq", "ne"),
    ("co", "sw", "ew", "gt", "lt", "ge", "le", "ap", "sa", "eb", "pr", "po", "ss", "sb", "in", "ni", "re", "zz"),
)
RESULTS: Pool = (
    ("_count=3", "_count=0", "_summary=count", "_summary=true", "_summary=text", "_summary=data", "_elements=id,status",
     "_total=accurate", "_total=none", "_total=estimate", "_format=xml", "_pretty=true", "_lastUpdated=gt2020"),
    ("_count=-1", "_elements=", "_contained=both", "_contained=true", "_contained=true&_containedType=contained",
     "_offset=1", "_explain=true", "_type=Patient,Observation", "_list=fuzz", "_score=1", "_graph=x"),
)  # fmt: skip


@cache
def parameters_of(type_name: str) -> tuple[SearchParameterFacts, ...]:
    """The standard parameters of a type, those of all types among them."""
    return tuple(p for p in search_parameter_facts() if any(is_a(type_name, base) for base in p.base))


class QueryGrower:
    """Grows searches; most are sound, and some hold odd parts."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self._odd = 0.0

    def _pick(self, pool: Pool) -> str:
        sound, odd = pool
        return self.chance.choice(odd if self.chance.random() < self._odd else sound)

    def request(self) -> Request:
        """A search by GET or POST, of a type, a compartment, the system, or of a history."""
        type_name = self._type()
        query = self.query(type_name)
        text = encoded(query)
        match self.chance.randrange(20):
            case 0:
                return Request("POST", f"/fhir/{type_name}/_search", "", _FORM, text.encode())
            case 1:
                return Request(
                    "POST", f"/fhir/{type_name}/_search", encoded(self.query(type_name)), _FORM, text.encode()
                )
            case 2:
                compartment = self.chance.choice(("Patient", "Encounter", "Practitioner", "Device", "RelatedPerson"))
                return Request("GET", f"/fhir/{compartment}/fuzz-1/{self.chance.choice((type_name, '*'))}", text)
            case 3:
                return Request("GET", "/fhir", f"_type={type_name},Patient&{text}")
            case 4:
                at = self.chance.choice((f"{type_name}/_history", "_history", f"{type_name}/fuzz-1/_history"))
                since = self.chance.choice(("_since=2020-01-01T00:00:00Z", "_at=2020", "_count=5", text))
                return Request("GET", f"/fhir/{at}", since)
            case 5:
                method = self.chance.choice(("DELETE", "PUT", "PATCH"))
                body = b'{"resourceType":"%s"}' % type_name.encode()
                return Request(method, f"/fhir/{type_name}", text, JSON, body if method != "DELETE" else b"")
            case 6:
                return Request("GET", f"/fhir/Patient/fuzz-{self.chance.randrange(3)}/$everything", text)
        return Request("GET", f"/fhir/{type_name}", text)

    def query(self, type_name: str) -> str:
        """The text of a query, not yet percent-encoded."""
        self._odd = self.chance.choice((0.0, 0.0, 0.3))
        makers = (
            self._plain,
            self._plain,
            self._plain,
            self._has,
            self._include,
            self._sort,
            self._filter,
            self._result,
        )
        return "&".join(self.chance.choice(makers)(type_name) for _ in range(self.chance.choice((1, 1, 1, 2, 2, 4))))

    def _type(self) -> str:
        return self.chance.choice((self.chance.choice(sorted(resource_types())), "Patient", "Observation", "Encounter"))

    def _parameter(self, type_name: str) -> SearchParameterFacts:
        return self.chance.choice(parameters_of(type_name))

    def _plain(self, type_name: str, depth: int = 0) -> str:
        parameter = self._parameter(type_name)
        if parameter.type == "reference" and depth < 4 and self.chance.random() < 0.5:
            targets = sorted(t for t in parameter.targets if t in resource_types()) or ["Patient"]
            target = self.chance.choice(targets)
            stated = self._pick(((f":{target}",), ("", ":Nothing")))
            rest = self._has(target) if self.chance.random() < 0.15 else self._plain(target, depth + 1)
            return f"{parameter.code}{stated}.{rest}"
        modifier = self._pick(MODIFIERS[parameter.type])
        if modifier == ":missing":
            return f"{parameter.code}:missing={self._pick((('true', 'false'), ('x', '')))}"
        values = [self._value(parameter) for _ in range(self.chance.choice((1, 1, 1, 2, 4)))]
        return f"{parameter.code}{modifier}={','.join(values)}"

    def _value(self, parameter: SearchParameterFacts) -> str:
        match parameter.type:
            case "string":
                return self._pick(STRINGS)
            case "token":
                return self._pick(TOKENS)
            case "reference":
                target = self.chance.choice(
                    sorted(t for t in parameter.targets if t in resource_types()) or ["Patient"]
                )
                known = (f"{target}/fuzz-1", f"http://localhost:8080/fhir/{target}/fuzz-1")
                return self._pick((known, ("fuzz-1", "#", "urn:fuzz|1", "a/b", "")))
            case "uri":
                return self._pick(URIS)
            case "date":
                exact = f"2020-02-29T{self.chance.choice(TIMES)}{self.chance.choice(ZONES)}"
                return self._pick(PREFIXES) + self.chance.choice((self._pick(MOMENTS), exact))
            case "number":
                return self._pick(PREFIXES) + self._pick(NUMBERS)
            case "quantity":
                return self._pick(PREFIXES) + self._pick(NUMBERS) + self._pick(UNITS)
            case "composite":
                by_id = {each.id: each for each in search_parameter_facts()}
                parts = [self._value(by_id[name]) for name, _ in parameter.components if name in by_id]
                return "$".join(parts if self.chance.random() > self._odd else parts[:1])
        return self._pick(SPECIALS)

    def _has(self, type_name: str) -> str:
        parameter = self._parameter(type_name)
        other = self.chance.choice(sorted(resource_types()))
        links = [p for p in parameters_of(other) if p.type == "reference"] or [parameter]
        inner = self._has(other) if self.chance.random() < 0.1 else self._plain(other)
        return f"_has:{other}:{self.chance.choice(links).code}:{inner}"

    def _include(self, type_name: str) -> str:
        direction = self._pick((("_include", "_revinclude", "_include:iterate"), ("_revinclude:iterate", "_include:x")))
        source = type_name if "rev" not in direction else self.chance.choice(sorted(resource_types()))
        links = [p.code for p in parameters_of(source) if p.type == "reference"]
        code = self.chance.choice(links or ["*"])
        whole = (f"{source}:{code}", f"{source}:{code}:Patient", f"{source}:*")
        return f"{direction}={self._pick((whole, ('*', source, ':::', f'{source}:_id')))}"

    def _sort(self, type_name: str) -> str:
        plain = [p.code for p in parameters_of(type_name) if p.type in ("date", "string", "token")]
        codes = plain if self.chance.random() > self._odd else [p.code for p in parameters_of(type_name)]
        return "_sort=" + ",".join(self.chance.choice(("", "-")) + self.chance.choice(codes) for _ in range(2))

    def _filter(self, type_name: str) -> str:
        return "_filter=" + self._condition(type_name, 0)

    def _condition(self, type_name: str, depth: int) -> str:
        if depth < 3 and self.chance.random() < 0.3:
            left, right = self._condition(type_name, depth + 1), self._condition(type_name, depth + 1)
            return self._pick(((f"({left} and {right})", f"{left} or {right}", f"not ({left})"), (f"({left}", "")))
        parameter = self._parameter(type_name)
        value = self._value(parameter)
        stated = self._pick(((f'"{value}"',), (value,)))
        return f"{parameter.code} {self._pick(OPERATORS)} {stated}"

    def _result(self, type_name: str) -> str:
        return self._pick(RESULTS)


def encoded(query: str) -> str:
    """A query as it stands in an address."""
    return quote(query, safe="=&:,|$.!*;()")


_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
