"""The filters of a query mean the same in memory as in MongoDB, for every kind of parameter, modifier and prefix."""

from __future__ import annotations

import os
from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pymongo import ASCENDING, MongoClient

from fhir_server.embedded_mongodb import EmbeddedMongoDB
from resources.problem import Problem
from search.context import Context
from search.folding import folded
from search.index import index_values
from search.match import matches
from search.parameters import standard_parameters_of
from search.plan import plan_search
from search.query_text import parse_query

BASE = "http://localhost:8080/fhir"
CONTEXT = Context(BASE, 1_767_225_600_000)
UCUM = "http://unitsofmeasure.org"
EXAMPLES, RESOURCES, QUERIES = 250, 12, 12
PREFIXES = ["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]

# Few and alike, so that queries meet resources, with what could upset an index: separators, escapes, accents, extremes.
WORDS = ["a", "A", "ab", "a|b", "a\\", "a,b", "a$b", "ä", "Äb", "ß", "ss", "é", "a b", "|", "b\x00", "a\nb", "male"]
LONG = ["x" * 250, "x" * 250 + "y", "x" * 199 + "|y"]
EXTREME = ["\U0010ffff", "a\U0010ffffb", "\x01"]
SYSTEMS = ["urn:a", "urn:a|b", "URN:A", "http://hl7.org/fhir/administrative-gender", "urn:" + "y" * 250]
DATES = [
    *("2019", "2020", "2020-02", "2020-12", "2020-02-28", "2020-02-29", "2020-03-01", "2020-12-31", "0001", "9999"),
    *("2020-02-29T23:59:59Z", "2020-02-29T23:59:60Z", "2020-02-29T22:30:00-02:00", "2020-03-01T00:00:00.000+01:00"),
    *("2020-02-29T10:00:00.5Z", "2020-02-29T10:00:00.123Z", "2020-02-29T10:00Z", "9999-12-31", "0001-01-01T00:00:00Z"),
]
NUMBERS = ["0", "1", "1.0", "1.00", "10", "9.96", "1e1", "-1", "0.001", "1000", "5.4", "5.35", "5.45", "1e300", "1.04"]
UNITS = [("mg", UCUM, "mg"), ("g", UCUM, "g"), ("mg", None, None), ("pH", UCUM, "[pH]"), ("mg", "urn:a", "mg")]
OF_TYPE = [("urn:a", "MR", "a"), ("urn:a", "mr", "A"), ("", "MR", "a|b"), ("urn:a|b", "MR", "a"), ("urn:a", "SS", "a")]
REFERENCES = [
    *("Patient/1", "Patient/2", "Group/1", "Group/2", f"{BASE}/Patient/1", "http://x.example/fhir/Patient/1"),
    *("Patient/1/_history/3", "urn:uuid:1", "#1"),
]
URLS = [
    *("http://a.example/x", "http://a.example/x/", "http://a.example/x/y", "http://a.example", "http://a.example/X"),
    *("http://a.example/x|1.0", "urn:oid:1.2", "http://[", f"{BASE}/ValueSet/1", "http://a.example/" + "z" * 250),
]
POSITIONS = [("42.25", "-83.69"), ("42.26", "-83.69"), ("42.25", "-83.5"), ("0", "180"), ("0", "-180"), ("90", "0")]
VALUE_SETS = ["http://hl7.org/fhir/ValueSet/administrative-gender", "http://hl7.org/fhir/ValueSet/observation-status"]


def without_none(**members):
    return {name: value for name, value in members.items() if value not in (None, [], {})}


def maybe(random, make, chance=0.7):
    return make(random) if random.random() < chance else None


def several(random, make):
    return [made for _ in range(random.randrange(4)) if (made := make(random))]


def word(random):
    return random.choice(random.choices([WORDS[:3], WORDS, LONG, EXTREME], [15, 15, 1, 1])[0])


def system_of(random):
    return random.choice(random.choices([SYSTEMS[:1], SYSTEMS], [1, 1])[0])


def coding(random):
    system = maybe(random, system_of)
    return without_none(system=system, code=maybe(random, word, 0.9), display=maybe(random, word, 0.3))


def concept(random):
    return without_none(coding=several(random, coding), text=maybe(random, word, 0.3))


def identifier(random):
    if random.random() < 0.3:
        system, code, text = random.choice(OF_TYPE)
        return {"value": text, "type": {"coding": [without_none(system=system or None, code=code)]}}
    system = maybe(random, system_of)
    return without_none(system=system, value=maybe(random, word, 0.9), type=maybe(random, concept))


def reference(random):
    text = maybe(random, lambda r: r.choice(REFERENCES), 0.9)
    kind = maybe(random, lambda r: r.choice(["Patient", "Group"]), 0.2)
    return without_none(reference=text, type=kind, identifier=maybe(random, identifier, 0.3))


def period(random):
    start, end = (maybe(random, lambda r: r.choice(DATES)) for _ in "se")
    return without_none(start=start, end=end)


def timing(random):
    bounds = maybe(random, period)
    return without_none(
        event=[random.choice(DATES) for _ in range(random.randrange(3))], repeat=without_none(boundsPeriod=bounds)
    )


def number(random):
    return Decimal(random.choice(NUMBERS))


def quantity(random):
    unit, system, code = random.choice(UNITS)
    return without_none(value=number(random), unit=unit, system=system, code=code)


def number_range(random):
    low, high = sorted((number(random), number(random)))
    return without_none(low=maybe(random, lambda _: {"value": low}), high=maybe(random, lambda _: {"value": high}))


def sampled(random):
    data = " ".join(random.choice(["1", "5.4", "E", "U", "L", "10"]) for _ in range(3))
    return {"origin": quantity(random), "period": 1, "dimensions": 1, "data": data}


def value(random):
    makers = [("Quantity", quantity), ("Quantity", quantity), ("String", word), ("CodeableConcept", concept)]
    makers += [("Period", period), ("DateTime", lambda r: r.choice(DATES)), ("SampledData", sampled)]
    name, make = random.choice(makers)
    return without_none(**{f"value{name}": make(random)})


def observation(random):
    when, make = random.choice([("DateTime", lambda r: r.choice(DATES)), ("Period", period), ("Timing", timing)])
    return {
        "status": random.choice(["final", "amended"]),
        "meta": without_none(tag=several(random, coding), profile=several(random, lambda r: r.choice(URLS))),
        **without_none(**{f"effective{when}": maybe(random, make, 0.9)}),
        **value(random),
        **without_none(
            identifier=several(random, identifier), subject=maybe(random, reference), code=maybe(random, concept, 0.9)
        ),
        **without_none(component=several(random, lambda r: {"code": concept(r), **value(r)})),
    }


def patient(random):
    def name(random):
        return without_none(family=maybe(random, word), given=several(random, word), text=maybe(random, word, 0.3))

    address = several(random, lambda r: without_none(city=maybe(r, word), line=several(r, word)))
    phones = several(random, lambda r: {"system": r.choice(["phone", "email"]), "value": word(r)})
    return without_none(
        **{"identifier": several(random, identifier), "name": several(random, name), "address": address},
        **{"telecom": phones, "active": random.choice([True, False, None]), "birthDate": random.choice(DATES[:10])},
        **{"gender": maybe(random, lambda r: r.choice(["male", "female"])), "managingOrganization": None},
        **{"generalPractitioner": several(random, reference), "deceasedBoolean": random.choice([True, False, None])},
    )


def usage(random):
    return {"code": coding(random), **random.choice([{"valueQuantity": quantity(random)}, {"valueRange": {}}])}


def value_set(random):
    url = maybe(random, lambda r: r.choice(URLS))
    return without_none(url=url, status="active", useContext=several(random, usage), version=maybe(random, word))


def risk(random):
    guess = random.choice([("probabilityDecimal", number), ("probabilityRange", number_range)])
    return without_none(prediction=several(random, lambda r: {guess[0]: guess[1](r)}), occurrencePeriod=period(random))


def location(random):
    latitude, longitude = random.choice(POSITIONS)
    return {"position": {"latitude": Decimal(latitude), "longitude": Decimal(longitude)}, "name": word(random)}


def sequence(random):
    start, end = sorted(random.choices([1, 5, 10, 100], k=2))
    part = {"chromosome": concept(random), "windowStart": start, "windowEnd": end}
    return {"referenceSeq": part, "variant": [{"start": start, "end": end}]}


def care_plan(random):
    return without_none(
        instantiatesCanonical=several(random, lambda r: r.choice(URLS)),
        instantiatesUri=several(random, lambda r: r.choice(URLS)),
        subject=maybe(random, reference),
    )


TYPES = {
    "Observation": (observation, 4),
    "Patient": (patient, 3),
    "ValueSet": (value_set, 1),
    "RiskAssessment": (risk, 1),
    "Location": (location, 1),
    "MolecularSequence": (sequence, 1),
    "CarePlan": (care_plan, 1),
}
# Of parameters that many types share, those that the generated resources have values for.
CODES = {
    "Observation": [
        *("_id", "_lastUpdated", "_profile", "_tag", "code", "component-code", "date", "identifier", "patient"),
        *("subject", "status", "value-concept", "value-date", "value-quantity", "value-string"),
        *("component-value-quantity", "combo-code", "combo-value-quantity", "code-value-quantity"),
        *("code-value-concept", "code-value-string", "code-value-date", "component-code-value-quantity"),
        *("combo-code-value-quantity", "combo-code-value-concept"),
    ],
    "Patient": [
        *("_id", "identifier", "name", "family", "given", "address", "address-city", "active", "birthdate", "gender"),
        *("phone", "email", "telecom", "general-practitioner", "deceased"),
    ],
    "ValueSet": ["url", "context-quantity", "context-type-quantity", "version", "status"],
    "RiskAssessment": ["probability", "date"],
    "Location": ["near", "name"],
    "MolecularSequence": ["chromosome", "window-start", "variant-end", "chromosome-window-coordinate"],
    "CarePlan": ["instantiates-canonical", "instantiates-uri", "subject", "patient"],
}
TEXTS = {
    "token": ["", "", "", "not", "text", "in", "not-in", "of-type", "missing"],
    "string": ["", "", "exact", "contains", "missing"],
    "reference": ["", "", "identifier", "Patient", "Group", "missing"],
    "uri": ["", "above", "below", "missing"],
    "date": ["", "", "", "", "missing"],
    "number": ["", "", "", "", "missing"],
    "quantity": ["", "", "", "", "missing"],
}


def escaped(text):
    for character in "\\|,$":
        text = text.replace(character, "\\" + character)
    return text


def token_text(random):
    code, system = random.choice([word(random), "male", "final", "true"]), system_of(random)
    choices = [escaped(code), f"{escaped(system)}|{escaped(code)}", f"{escaped(system)}|", f"|{escaped(code)}", code]
    return random.choice(choices)


def number_text(random):
    return random.choice(PREFIXES) + random.choice(NUMBERS)


def quantity_text(random):
    unit, system, code = random.choice(UNITS)
    ends = ["", f"||{unit}", f"|{system or ''}|{code or unit}"]
    return number_text(random) + random.choice(ends)


def date_text(random):
    return random.choice(PREFIXES) + random.choice(DATES)


def near_text(random):
    return "|".join(
        [*random.choice(POSITIONS), random.choice(["", "1", "10", "20000"]), random.choice(["", "km", "mi"])]
    )


def text_of(random, parameter, modifier):
    kind = parameter.kind
    if kind == "composite":
        parts = [component.parameter for component in parameter.components]
        # Both parts seldom meet a resource, so that codes come from the smallest pool.
        some = [p.kind == "token" and random.random() < 0.8 for p in parts]
        texts = [
            random.choice(WORDS[:3]) if is_short else text_of(random, p, "")
            for p, is_short in zip(parts, some, strict=True)
        ]
        return "$".join(texts)
    if modifier == "missing":
        return random.choice(["true", "false"])
    if modifier in ("in", "not-in"):
        return random.choice(VALUE_SETS)
    if modifier == "of-type":
        return "|".join(map(escaped, random.choice(OF_TYPE)))
    if modifier == "text":
        return escaped(word(random)[:200])
    if kind == "token" or modifier == "identifier":
        return token_text(random)
    if modifier in ("Patient", "Group"):
        return random.choice([f"{modifier}/1", f"{modifier}/2", "1", "2", f"{BASE}/{modifier}/1"])
    if kind == "reference":
        return random.choice([*REFERENCES, *map(escaped, URLS), "1", "2"])
    makers = {"date": date_text, "lastUpdated": date_text, "number": number_text, "quantity": quantity_text}
    makers |= {"special": near_text, "uri": lambda r: escaped(r.choice(URLS)), "id": lambda r: str(r.randrange(6))}
    makers |= {"string": lambda r: escaped(word(r)[: r.randrange(1, 300)])}
    return makers[kind](random)


def criterion(random, type_name):
    """A pair of a query, and labels of what it exercises."""
    parameter = standard_parameters_of(type_name)[random.choice(CODES[type_name])]
    modifier = random.choice(TEXTS.get(parameter.kind, [""]))
    values = [text_of(random, parameter, modifier) for _ in range(1 if modifier == "missing" else random.randint(1, 3))]
    name = f"{parameter.code}:{modifier}" if modifier else parameter.code
    prefix = values[0][:2] if values[0][:2] in PREFIXES else ""
    return (name, ",".join(values)), [parameter.kind, f"{parameter.kind}:{modifier}", f"{parameter.kind}={prefix}"]


def comparison(random, type_name):
    code = random.choice(CODES[type_name])
    operator = random.choice(["eq", "ne", "co", "sw", "gt", "lt", "ge", "le", "sa", "eb", "ap", "pr"])
    text = text_of(random, standard_parameters_of(type_name)[code], "") if operator != "pr" else "true"
    text = text.removeprefix(text[:2] if text[:2] in PREFIXES else "").replace("\\", "\\\\").replace('"', '\\"')
    return f'{code} {operator} "{text}"'


def query(random, type_name):
    if random.random() < 0.1:
        one, two = comparison(random, type_name), comparison(random, type_name)
        return [("_filter", random.choice([one, f"not ({one})", f"{one} or {two}", f"not ({one}) and {two}"]))], [
            "filter"
        ]
    made = [criterion(random, type_name) for _ in range(1 if random.random() < 0.8 else 2)]
    return [pair for pair, _ in made], [label for _, labels in made for label in labels]


@pytest.fixture(scope="session")
def collection(tmp_path_factory):
    """An empty collection of a MongoDB that runs for this session, with the indexes of the server's collections."""
    with EmbeddedMongoDB(tmp_path_factory.mktemp("match") / "data", purpose="tests", cache_mb=256) as mongodb:
        client = MongoClient(mongodb.uri)
        found = client["test"][f"match_{os.getpid()}"]
        found.create_index([("k", ASCENDING), ("_id", ASCENDING)])
        found.create_index([("t", ASCENDING), ("_id", ASCENDING)])
        for field in "dn":
            keys = [(f"{field}.{part}", ASCENDING) for part in ("c", "lo", "hi")]
            found.create_index(keys, sparse=True)
        yield found
        client.close()


def document_of(tree):
    entries = index_values(tree, CONTEXT).fields(tree["id"])
    return {"_id": tree["id"], "t": 1_582_934_400_000 + 43_200_000 * int(tree["id"]), **entries}


def some_filters(random, type_name):
    """(query, its filter, labels); queries that are refused, such as a text of blanks, do not count."""
    made = []
    while len(made) < QUERIES:
        pairs, labels = query(random, type_name)
        try:
            selection = plan_search(type_name, parse_query(pairs, type_name), CONTEXT)
        except Problem:
            continue
        made.append((pairs, selection.filter, labels))
    return made


def test_matches_in_memory_are_those_of_mongodb(collection):
    tally, hits = Counter(), Counter()

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.randoms(use_true_random=True))
    def a_batch_agrees(random):
        type_name = random.choices(list(TYPES), [weight for _, weight in TYPES.values()])[0]
        trees = [
            {"resourceType": type_name, "id": str(number), **TYPES[type_name][0](random)} for number in range(RESOURCES)
        ]
        stored = [document_of(tree) for tree in trees]
        collection.delete_many({})
        collection.insert_many(stored)
        for pairs, filter_, labels in some_filters(random, type_name):
            found = {document["_id"] for document in collection.find(filter_, {"_id": 1})}
            expected = {document["_id"] for document in stored if matches(filter_, document)}
            assert found == expected, (pairs, filter_, [trees[int(id_)] for id_ in found ^ expected])
            tally["pairs"] += len(stored)
            hits["pairs"] += len(found)
            for label in labels:
                tally[label] += len(stored)
                hits[label] += len(found)

    a_batch_agrees()
    print({label: f"{hits[label]}/{total}" for label, total in sorted(tally.items())})
    assert tally["pairs"] >= 20_000
    assert hits["pairs"] >= tally["pairs"] / 10
    wanted = {f"{kind}:{modifier}" for kind, modifiers in TEXTS.items() for modifier in modifiers}
    wanted |= {f"{kind}={prefix}" for kind in ("date", "number", "quantity") for prefix in PREFIXES}
    wanted |= {"composite", "special", "lastUpdated", "id", "filter"}
    # Each was put to the test with matches as well as without.
    assert [label for label in sorted(wanted) if not 0 < hits[label] < tally[label]] == []


@given(st.sampled_from(WORDS + LONG + EXTREME), st.sampled_from(WORDS + LONG + EXTREME))
def test_an_identifier_finds_itself_and_no_other(found, mine, other):
    tree = {"resourceType": "Patient", "identifier": [{"system": "urn:x", "value": mine}]}
    assert found(tree, [("identifier", f"urn:x|{escaped(other)}")]) == (mine == other)


@given(st.text(min_size=1, max_size=300), st.integers(1, 300))
@example("0\x1f0", 3)
def test_a_name_is_found_by_each_of_its_beginnings(found, name, length):
    tree = {"resourceType": "Patient", "name": [{"family": name}]}
    query = [("family", escaped(name[:length]))]
    if folded(name[:length].replace("\U0010ffff", "")):
        assert found(tree, query)
    else:
        with pytest.raises(Problem, match="400"):
            found(tree, query)
