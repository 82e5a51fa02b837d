"""Names by their sound. https://hl7.org/fhir/R4/patient.html#search"""

from __future__ import annotations

import pytest

from resources.problem import Problem
from search.catalogue import STANDARD
from search.context import Context
from search.index_values import IndexValues
from search.kinds.phonetic import filter_for, index, sounds
from search.match import matches
from search.parameters import Parameter
from search.query import Criterion

PHONETIC = Parameter("phonetic", "phonetic", ())
CONTEXT = Context("http://localhost:8080/fhir")


def is_found(name, *values, type_name="HumanName"):
    held = IndexValues({"resourceType": "Patient"}, STANDARD)
    index(PHONETIC, type_name)(name, held, CONTEXT)
    filter_ = filter_for(PHONETIC, Criterion("phonetic", None, values), CONTEXT)
    return matches(filter_, {"_id": "1", "k": sorted(held.entries)})


SMITH = {"family": "Smith", "given": ["Catherine", "Jon"]}


@pytest.mark.parametrize(
    "text", ["smith", "Smyth", "SMITHE", "katherine", "Kathryn", "john", "John Smyth", "smyth, katherine"]
)
def test_a_name_is_found_by_words_that_sound_like_its_own(text):
    assert is_found(SMITH, text)


@pytest.mark.parametrize("text", ["jones", "smart", "John Jones", "stefan"])
def test_a_name_is_not_found_by_words_of_which_one_sounds_like_none(text):
    assert not is_found(SMITH, text)


def test_any_of_several_values_may_match():
    assert is_found(SMITH, "jones", "smyth")
    assert not is_found(SMITH, "jones", "miller")


@pytest.mark.parametrize(
    ("family", "text"),
    [
        ("Müller", "mueller"),
        ("Müller-Sanchez", "sanchez"),
        ("O'Brien", "obrien"),
        ("O\u2019Brien", "O'Brian"),
        ("Łukasiewicz", "lukasiewicz"),
        ("José", "jose"),
        ("Иванов", "иванов"),
        ("Ёлкин", "елкин"),
        ("山田", "山田"),
        ("3rd", "3RD"),
    ],
)
def test_accents_marks_and_other_scripts_are_no_hindrance(family, text):
    assert is_found({"family": family}, text)


def test_names_in_other_scripts_are_compared_as_they_are_written():
    assert not is_found({"family": "Иванов"}, "петров")
    assert not is_found({"family": "3rd"}, "2rd")


def test_family_and_given_names_count_and_the_text_where_there_are_none():
    assert not is_found({"family": "Smith", "prefix": ["Doctor"]}, "doctor")
    assert not is_found({"family": "Smith", "text": "Robert Smith"}, "robert")
    assert is_found({"text": "Robert Smith"}, "smyth")
    assert is_found("Philips Clinic", "filips", type_name="string")  # of an Organization


@pytest.mark.parametrize("text", [" ", "--", "'", "\u0301"])
def test_a_text_without_a_word_is_refused(text):
    with pytest.raises(Problem, match="400: value"):
        filter_for(PHONETIC, Criterion("phonetic", None, (text,)), CONTEXT)


def test_a_text_of_very_many_words_is_refused_and_a_very_long_word_is_cut():
    words = " ".join("bdfgjklmnprstvz"[n % 15] + "xkp"[n // 15] for n in range(45))
    with pytest.raises(Problem, match="400: too-costly"):
        filter_for(PHONETIC, Criterion("phonetic", None, (words,)), CONTEXT)
    assert len(sounds("k" + "ab" * 50_000)[0]) < 60
