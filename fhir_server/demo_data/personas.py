"""The memorable patients: the first five of every population, the same whatever the seed.

Only what makes them memorable is fixed here; the rest (readings, visit days) comes from the seed.
"""

from __future__ import annotations

from typing import NamedTuple

from .names import CHINESE, ENGLISH, POLISH, SPANISH, SWEDISH, Culture, PersonName


class Persona(NamedTuple):
    """A patient's fixed facts.

    `conditions` are diagnosis keys with how many years ago they began; `medications` are given besides
    those of the diagnoses: medicine, diagnosis that is the reason, status. `allergies` are keys of
    `allergies.ALLERGENS`.
    """

    name: PersonName
    culture: Culture
    gender: str
    age: int
    marital_status: str
    conditions: tuple[tuple[str, int], ...]
    visits: int
    allergies: tuple[str, ...] = ()
    medications: tuple[tuple[str, str, str], ...] = ()
    mother: PersonName | None = None
    died_days_ago: int = 0
    in_hospital: bool = False
    interpreter: bool = False


PERSONAS = (
    # A woman with diabetes and a long, full chart.
    Persona(
        PersonName(("Rosalía", "Inés"), "Castañeda"),
        *(SPANISH, "female", 58, "M"),
        conditions=(("diabetes", 11), ("hypertension", 14), ("hyperlipidemia", 9), ("kidney-disease", 3)),
        visits=10,
        allergies=("penicillin",),
        medications=(("glipizide", "diabetes", "stopped"),),
    ),
    # A boy with asthma and an allergy to peanuts, and his mother.
    Persona(
        PersonName(("Åke",), "Sjögren"),
        *(SWEDISH, "male", 8, "S"),
        conditions=(("asthma", 3), ("eczema", 6), ("otitis", 2)),
        visits=6,
        allergies=("peanut",),
        mother=PersonName(("Linnéa",), "Sjögren"),
    ),
    # A man in hospital now with his heart.
    Persona(
        PersonName(("Stanisław",), "Wójcik"),
        *(POLISH, "male", 83, "W"),
        conditions=(("hypertension", 25), ("coronary-disease", 12), ("heart-failure", 4), ("atrial-fibrillation", 5)),
        visits=8,
        allergies=("sulfonamide",),
        in_hospital=True,
    ),
    # A young woman whose name is written in Chinese, and who needs an interpreter.
    Persona(
        PersonName(("Mingyue",), "Ouyang", "明月", "欧阳", True),
        *(CHINESE, "female", 27, "S"),
        conditions=(("migraine", 5), ("ankle-sprain", 1)),
        visits=4,
        allergies=("pollen",),
        interpreter=True,
    ),
    # A man who died last year of his lungs.
    Persona(
        PersonName(("Desmond", "Albert"), "O'Malley"),
        *(ENGLISH, "male", 79, "M"),
        conditions=(("copd", 15), ("hypertension", 20), ("bronchitis", 2)),
        visits=7,
        died_days_ago=240,
    ),
)
