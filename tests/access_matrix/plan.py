"""Which cells are asked: every interaction gets its share, spread over tokens, types and resources by a fixed seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import islice

from tests.access_matrix import operating, reading, searching, writing
from tests.access_matrix.cells import Ask, Expected, Interaction, World
from tests.access_matrix.holders import ONE, TOKENS, TWO, Token

INTERACTIONS: tuple[Interaction, ...] = (
    *reading.interactions.all,
    *searching.interactions.all,
    *operating.interactions.all,
    *writing.interactions.all,
    *operating.changing.all,
)
TYPES = (
    *("Patient", "Encounter", "Appointment", "MedicationRequest", "Observation", "Condition", "AllergyIntolerance"),
    *("RelatedPerson", "Immunization", "List", "Group", "Provenance", "Practitioner", "PractitionerRole"),
    *("Organization", "Location", "Schedule"),
)
# The whole history is read page by page, with every version weighed, so few ask for it.
MOST = {"history of the system": 12}
PER_TYPE = 2


@dataclass(frozen=True)
class Cell:
    """One cell. key: of the resource, or "" ."""

    token: Token
    interaction: Interaction
    type: str
    key: str

    def make(self, world: World) -> tuple[Ask, Expected] | None:
        """What is asked and what must come; None where the cell makes no sense."""
        return self.interaction.make(world, self.token.holder, self.type, self.key)

    def __str__(self) -> str:
        return f"{self.interaction.name} of {self.key or self.type or 'everything'}, by {self.token}"


def planned(world: World, wanted: int) -> list[Cell]:
    """So many cells, or all there are; those that write come last."""
    picked: list[Cell] = []
    pools = sorted((_pool(world, interaction) for interaction in INTERACTIONS), key=len)
    for place, pool in enumerate(pools):
        share = (wanted - len(picked)) // (len(pools) - place)
        most = MOST.get(pool[0].interaction.name, share)
        picked += islice((cell for cell in pool if cell.make(world) is not None), min(share, most))
    return sorted(picked, key=lambda cell: (cell.interaction.writes, INTERACTIONS.index(cell.interaction)))


def _pool(world: World, interaction: Interaction) -> list[Cell]:
    """All cells of an interaction, in a random but repeatable order; some may make no sense."""
    places = _places(world, interaction.of)
    cells = [Cell(token, interaction, type_name, key) for token in TOKENS for type_name, key in places]
    random.Random(interaction.name).shuffle(cells)
    return cells


def _places(world: World, of: str) -> list[tuple[str, str]]:
    if of == "token":
        return [("", "")]
    if of == "type":
        return [(type_name, "") for type_name in TYPES]
    return [(type_name, key) for type_name in TYPES for key in _samples(world, type_name)]


def _samples(world: World, type_name: str) -> list[str]:
    """Some resources of a type: of each patient, of nobody, and all the awkward ones."""
    chosen: list[str] = []
    owners: dict[frozenset[str], int] = {}
    for key, resource in sorted(world.records.of_type(type_name).items()):
        owner = world.compartments.of(resource)
        owners[owner] = owners.get(owner, 0) + 1
        is_known = owner <= {ONE, TWO} or owners[owner] == 1
        if "/awkward-" in key or (is_known and owners[owner] <= PER_TYPE):
            chosen.append(key)
    return chosen
