"""Scopes: their grammar, their order, and what is granted of them.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_auth.scopes import (
    LETTERS,
    LEVELS,
    ResourceScope,
    UnknownScope,
    beyond,
    constraint_fault,
    covered,
    covers,
    granted,
    meet,
    parse,
    parse_scope,
    spelled,
)

SYSTEM = "http://terminology.hl7.org/CodeSystem/observation-category"
LABORATORY = f"patient/Observation.rs?category={SYSTEM}|laboratory"

letters = st.sets(st.sampled_from(LETTERS), min_size=1).map(lambda some: "".join(c for c in LETTERS if c in some))
pairs = st.tuples(
    st.sampled_from(["category", "code", "status"]),
    st.sampled_from(["a", "b", "s|a", "s|b", "t|a", "s|", "t|", "|a"]),
)
constraints = st.lists(pairs, max_size=3, unique=True).map(tuple)
resource_scopes = st.builds(
    ResourceScope,
    st.sampled_from(["patient", "user"]),
    st.sampled_from(["Observation", "DiagnosticReport", "*"]),
    letters.map(frozenset),
    constraints,
)
spellings = st.one_of(
    resource_scopes.map(spelled),
    st.sampled_from(
        [
            *("patient/*.read", "patient/Observation.write", "user/*.*", "openid", "launch/patient", "fhirUser"),
            *("offline_access", "patient/X.rs", "patient/Observation.sr", "nonsense", "launch/location?role=x"),
            *("patient/*.rs?_tag=a", "patient/Observation.rs?code:in=a", "patient/Observation.rs?category=a,b"),
            *("system/*.rs", "__own", "urn:example:own"),
        ]
    ),
)
parameters = st.lists(spellings, max_size=6).map(" ".join)


@pytest.mark.parametrize(
    ("text", "level", "type_name", "meant"),
    [
        ("patient/Observation.rs", "patient", "Observation", "rs"),
        ("user/*.cruds", "user", "*", "cruds"),
        ("system/Patient.read", "system", "Patient", "rs"),
        ("patient/Condition.write", "patient", "Condition", "cud"),
        ("patient/*.*", "patient", "*", "cruds"),
        ("user/Encounter.d", "user", "Encounter", "d"),
    ],
)
def test_scopes_of_smart_1_and_2_mean_letters(text, level, type_name, meant):
    scope = parse_scope(text)
    assert scope == ResourceScope(level, type_name, frozenset(meant))
    assert str(scope) == text


@pytest.mark.parametrize(
    "text",
    [
        *("patient/Observation.", "patient/Observation.sr", "patient/Observation.dus", "patient/Observation.rr"),
        *(
            "patient/Nothing.rs",
            "patient/.rs",
            "Patient/Observation.rs",
            "patient/observation.rs",
            "patient/Observation",
        ),
        *("patient/Observation.rs?", "patient/Observation.rs?category", "patient/Observation.rs?=x", "patient/*.rs/x"),
        *("patient/Observation.rs?category=", "patient/Observation.rs?category=%ff", "patient/Observation.rs?a=b&"),
        *(
            "patient/Observation.rs?category=a%26status=b",
            "patient/Observation.rs?category=a%20b",
            "launch/",
            "launch/X",
        ),
        *("openid2", "OPENID", "\u00e9", 'patient/"', "patient/Observation.rs?category=a\\b", "*/*.rs", "email"),
        *("practitioner/Patient.rs", "patient/Observation.readwrite", "patient/Observation.rs\n"),
    ],
)
def test_what_is_no_scope_is_unknown_with_a_reason(text):
    unknown = parse_scope(text)
    assert isinstance(unknown, UnknownScope)
    assert unknown.reason.endswith(".")


@pytest.mark.parametrize(
    "text",
    [
        *("openid", "fhirUser", "profile", "launch", "launch/patient", "launch/encounter", "launch/location"),
        *("launch/imagingstudy?role=http://example.org/roles/focus", "offline_access", "online_access"),
        *("https://example.org/scopes/own", "urn:example:own", "__experimental"),
    ],
)
def test_other_scopes_are_kept_as_texts(text):
    assert parse_scope(text) == text


def test_a_constraint_is_read_encoded_or_not_and_spelled_unencoded():
    encoded = f"patient/Observation.rs?category={quote(SYSTEM, safe='')}%7Claboratory"
    scope = parse_scope(encoded)
    assert scope.constraint == (("category", f"{SYSTEM}|laboratory"),)
    assert str(scope) == LABORATORY
    assert granted(encoded, "patient/*.rs").scope == LABORATORY


def test_a_parameter_is_read_in_its_order_and_each_scope_once():
    scopes = parse("  openid patient/*.rs openid launch patient/*.rs what patient/Observation.r  ")
    assert [str(item) for item in scopes.items] == ["openid", "patient/*.rs", "launch", "patient/Observation.r"]
    assert [unknown.text for unknown in scopes.unknown] == ["what"]
    assert scopes.others == ("openid", "launch")


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("patient/*.rs", "patient/Observation.rs"),
        ("patient/*.cruds", "patient/*.read"),
        ("patient/*.read", "patient/Observation.s"),
        ("patient/*.rs", LABORATORY),
        ("patient/Observation.rs", LABORATORY),
        ("patient/Observation.rs?category=laboratory", LABORATORY),
        (f"patient/Observation.rs?category={SYSTEM}|", LABORATORY),
        (LABORATORY, f"{LABORATORY}&status=final"),
    ],
)
def test_a_wider_scope_covers_a_narrower_one_and_not_the_other_way(wide, narrow):
    wide, narrow = parse_scope(wide), parse_scope(narrow)
    assert covers(wide, narrow)
    assert not covers(narrow, wide)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("patient/*.rs", "user/*.rs"),
        ("patient/Observation.rs", "patient/Condition.rs"),
        ("patient/Observation.r", "patient/Observation.s"),
        (LABORATORY, f"patient/Observation.rs?category={SYSTEM}|vital-signs"),
        (LABORATORY, "patient/Observation.rs?status=final"),
    ],
)
def test_scopes_that_have_nothing_to_do_with_each_other_cover_neither_way(one, other):
    one, other = parse_scope(one), parse_scope(other)
    assert not covers(one, other)
    assert not covers(other, one)


@given(resource_scopes)
def test_a_scope_covers_itself(scope):
    assert covers(scope, scope)
    assert parse_scope(spelled(scope)) == scope


@given(resource_scopes, resource_scopes, resource_scopes)
def test_covering_is_transitive(one, two, three):
    if covers(one, two) and covers(two, three):
        assert covers(one, three)


@given(resource_scopes, resource_scopes)
def test_scopes_that_cover_each_other_allow_the_same(one, other):
    if covers(one, other) and covers(other, one):
        assert (one.level, one.type, one.letters) == (other.level, other.type, other.letters)
        assert _narrowest(one.constraint) == _narrowest(other.constraint)


def _narrowest(constraint):
    """The pairs of a constraint that no other pair of it implies."""
    tokens = [ResourceScope("user", "*", frozenset("r"), (pair,)) for pair in constraint]
    return {
        token.constraint
        for token in tokens
        if not any(covers(token, other) and not covers(other, token) for other in tokens)
    }


@given(resource_scopes, resource_scopes)
def test_what_two_scopes_have_in_common_is_covered_by_both(one, other):
    common = meet(one, other)
    if common is not None:
        assert covers(one, common)
        assert covers(other, common)
    elif covers(one, other):
        raise AssertionError("the narrower one is what they have in common")


@given(parameters, parameters)
def test_what_is_granted_exceeds_neither_what_was_asked_for_nor_what_is_allowed(requested, allowed):
    answer = granted(requested, allowed)
    result, asked, permitted = parse(answer.scope), parse(requested), parse(allowed)
    assert result.unknown == ()
    for scope in result.resources:
        assert covered(scope, asked.resources)
        assert covered(scope, permitted.resources)
        assert constraint_fault(scope) is None
    assert set(result.others) <= set(asked.others)
    assert {other.partition("?")[0] for other in result.others} <= {o.partition("?")[0] for o in permitted.others}


@given(parameters, parameters)
def test_what_was_granted_can_be_granted_again_and_is_never_beyond_itself(requested, allowed):
    answer = granted(requested, allowed)
    assert granted(answer.scope, allowed).scope == answer.scope
    assert granted(answer.scope, answer.scope).scope == answer.scope
    assert beyond(answer.scope, answer.scope) == []


@given(parameters, parameters)
def test_nothing_disappears_without_a_reason(requested, allowed):
    answer = granted(requested, allowed)
    told = {text for text, _ in answer.dropped} | {text for text, _ in answer.narrowed} | set(answer.granted)
    asked = parse(requested)
    assert {str(item) for item in asked.items} | {unknown.text for unknown in asked.unknown} <= told
    assert all(reason.endswith(".") for _, reason in answer.dropped)


@given(parameters, parameters, parameters)
def test_to_be_beyond_nothing_is_transitive(one, two, three):
    if not beyond(one, two) and not beyond(two, three):
        assert not beyond(one, three)


@given(parameters)
def test_what_is_asked_for_is_granted_as_it_is_spelled_where_all_is_allowed(requested):
    allowed = "patient/*.cruds user/*.cruds system/*.cruds " + requested
    scopes = parse(requested)
    wanted = [str(i) for i in scopes.items if isinstance(i, str) or constraint_fault(i) is None]
    assert list(granted(requested, allowed).granted) == wanted


@pytest.mark.parametrize(
    ("requested", "allowed", "expected"),
    [
        (
            "patient/*.read launch/patient openid",
            "openid launch/patient patient/*.cruds",
            "patient/*.read launch/patient openid",
        ),
        ("patient/*.cruds", "patient/*.rs", "patient/*.rs"),
        ("patient/*.*", "patient/*.rs", "patient/*.read"),
        ("patient/*.*", "patient/*.r", "patient/*.r"),
        ("patient/*.rs", "patient/Patient.rs patient/Observation.r", "patient/Patient.rs patient/Observation.r"),
        ("patient/Patient.r patient/Patient.s", "patient/*.rs", "patient/Patient.r patient/Patient.s"),
        ("patient/Patient.rs", "patient/Patient.r patient/Patient.s", "patient/Patient.rs"),
        ("patient/Observation.rs", LABORATORY, LABORATORY),
        (f"{LABORATORY}", "patient/Observation.rs?status=final", f"{LABORATORY}&status=final"),
        (LABORATORY, f"patient/Observation.rs?category={SYSTEM}|survey", ""),
        ("launch/location?role=https://example.org/r", "launch/location", "launch/location?role=https://example.org/r"),
        ("user/*.rs", "patient/*.rs", ""),
        ("__own urn:a:b", "urn:a:b", "urn:a:b"),
    ],
)
def test_what_is_granted_of_what_is_asked_for(requested, allowed, expected):
    answer = granted(requested, allowed)
    assert set(answer.scope.split()) == set(expected.split())


def test_levels_that_a_grant_may_not_give_are_dropped_with_the_reason():
    answer = granted("system/*.rs patient/*.rs", "system/*.rs patient/*.rs", {"patient", "user"})
    assert answer.scope == "patient/*.rs"
    assert answer.dropped == (("system/*.rs", "Scopes that begin with system/ are not granted in this way."),)


@pytest.mark.parametrize(
    "text",
    [
        LABORATORY,
        "patient/Condition.rs?category=encounter-diagnosis",
        "patient/Encounter.rs?class=http://terminology.hl7.org/CodeSystem/v3-ActCode|AMB",
        "patient/Observation.rs?code=http://loinc.org|8302-2&status=final",
        "patient/DocumentReference.rs?type=http://loinc.org|",
        "patient/*.rs?_security=http://terminology.hl7.org/CodeSystem/v3-Confidentiality|N",
        "patient/Patient.rs?_tag=|x",
    ],
)
def test_plain_tokens_of_a_few_parameters_may_constrain(text):
    assert constraint_fault(parse_scope(text)) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("patient/Observation.rs?category:in=http://example.org/vs", "modifier"),
        ("patient/Observation.rs?subject.name=x", "chain"),
        ("patient/Observation.rs?date=2020", "date"),
        ("patient/Observation.rs?_filter=x", "_filter"),
        ("patient/Patient.rs?category=x", "token parameter of Patient"),
        ("patient/*.rs?category=x", "every resource type"),
        ("patient/Observation.rs?category=a,b", "one scope a value"),
        ("patient/Observation.rs?category=a|b|c", "single code"),
        ("patient/Observation.rs?category=|", "single code"),
        ("patient/Observation.rs?category=a$b", "single code"),
    ],
)
def test_other_constraints_are_not_granted(text, why):
    assert why in constraint_fault(parse_scope(text))
    answer = granted(text, "patient/*.cruds")
    assert answer.granted == ()
    assert why in answer.dropped[0][1]


@given(st.text(max_size=60))
def test_no_text_makes_the_parser_fail(text):
    scopes = parse(text)
    assert all(scope.level in LEVELS and scope.letters for scope in scopes.resources)
    granted(text, text)
    beyond(text, text)
