"""Every interaction by every kind of token on records of one's own and of others, against a rule worked out by brute force.

`FHIR_TEST_CELLS` says how many cells are asked; by default a few more than 5,000, for which every interaction has its share.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from fhir_server.authorization import make_auth_services
from fhir_server.serving import mongodb_for
from fhir_server.settings import Settings
from fhir_server.store.database import connected
from smart_auth.people.user_commands import add_user
from smart_auth.services import AuthServices
from smart_auth.tokens.by_hand import issue_token
from tests.access_matrix.asking import Asker
from tests.access_matrix.cells import World
from tests.access_matrix.compartments import WALKS, Compartments, Json, official_parameters
from tests.access_matrix.holders import PEOPLE, TOKENS
from tests.access_matrix.plan import INTERACTIONS, TYPES, planned
from tests.access_matrix.records import Records, clone, download, store_awkward
from tests.access_matrix.rule import Holder, Rule
from tests.running_server import RunningServer, server_with_demo_data

pytestmark = pytest.mark.xdist_group("access-matrix")

CELLS = int(os.environ.get("FHIR_TEST_CELLS", "5400"))
CELLS_OF_RULES = 2500
AT_ONCE = 2
LASTS = 6 * 3600


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with server_with_demo_data(tmp_path_factory.mktemp("matrix"), 3) as server:
        yield server


@pytest.fixture(scope="module")
def tokens(server: RunningServer) -> dict[str, str]:
    """The access tokens by what they are called, and under "master" one that may do everything."""
    settings = Settings.from_environ(server.environ)
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("FHIR_")]:
            patch.delenv(name)
        with (
            mongodb_for(settings, "the access matrix", shared=True) as mongodb,
            connected(mongodb.uri, settings.database) as database,
        ):
            return _minted(make_auth_services(settings, database))


def _minted(services: AuthServices) -> dict[str, str]:
    subs = {}
    for person in PEOPLE:
        add_user(
            services,
            name=person.name,
            password="only for this run of tests",
            display=person.name,
            role=person.role,
            fhir_user=person.own,
            patients=person.patients,
        )
        user = services.store.users.find_by_name(person.name)
        assert user is not None
        subs[person] = user.sub
    made = {
        str(token): issue_token(services, token.text, subs.get(token.person), token.launched_for, LASTS)
        for token in TOKENS
    }
    made["master"] = issue_token(services, "system/*.cruds", seconds=LASTS)
    return {name: answer["access_token"] for name, answer in made.items()}


@pytest.fixture(scope="module")
def world(server: RunningServer, tokens: dict[str, str], shared: Path) -> World:
    with _master(server, tokens) as client:
        store_awkward(client, server.base_url)
        records = download(client)
    compartments = Compartments(official_parameters(shared), server.base_url)
    return World(records, compartments, Rule(compartments))


def _master(server: RunningServer, tokens: dict[str, str]) -> httpx.Client:
    return httpx.Client(base_url=server.base_url, headers={"Authorization": f"Bearer {tokens['master']}"}, timeout=60)


def test_every_parameter_that_puts_a_resource_into_a_compartment_is_walked(shared):
    official = official_parameters(shared)
    assert {(name, parameter) for name in TYPES for parameter in official[name]} <= set(WALKS)
    assert all(parameter in official[name] for name, parameter in WALKS)


def test_the_server_answers_every_cell_as_the_rule_says(server, tokens, world):
    cells = planned(world, CELLS)
    assert len(cells) >= min(CELLS, 5000)
    assert {cell.interaction for cell in cells} == set(INTERACTIONS)
    askers = [Asker(server.base_url, world, tokens, tokens["master"]) for _ in range(AT_ONCE)]
    reads = [cell for cell in cells if not cell.interaction.writes]
    writes = [cell for cell in cells if cell.interaction.writes]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        parts = [reads[number::AT_ONCE] for number in range(AT_ONCE)]
        found = [each for part in pool.map(_differences, askers, parts) for each in part]
    # One after the other, because each puts back what it changed.
    found += _differences(askers[0], writes)
    for asker in askers:
        asker.client.close()
    assert not found, f"{len(found)} of {len(cells)} cells differ:\n" + "\n".join(found[:40])
    with _master(server, tokens) as client:
        assert _contents(download(client)) == _contents(world.records)


class WithoutCategories(Rule):
    """What would hold if constraints were passed over."""

    def may(self, holder: Holder, letter: str, resource: Json) -> bool:
        scopes = tuple(replace(scope, category=None) for scope in holder.scopes)
        return super().may(replace(holder, scopes=scopes), letter, resource)


class WithoutLetters(Rule):
    """What would hold if whoever may do anything with a type might do all."""

    def can(self, holder: Holder, letter: str, type_name: str) -> bool:
        return any(Rule.can(self, holder, each, type_name) for each in "cruds")

    def may(self, holder: Holder, letter: str, resource: Json) -> bool:
        return any(Rule.may(self, holder, each, resource) for each in "cruds")


class WithoutCompartments(Rule):
    """What would hold if one patient's token opened all records."""

    def may(self, holder: Holder, letter: str, resource: Json) -> bool:
        return self.can(holder, letter, resource["resourceType"])


class WithReadersWriting(Rule):
    """What would hold if whatever one sees in one's record could be written."""

    def may(self, holder: Holder, letter: str, resource: Json) -> bool:
        return super().may(holder, letter, resource) or (
            letter in "cud"
            and self.can(holder, letter, resource["resourceType"])
            and super().may(holder, "r", resource)
        )


class WithAnyLaunch(Rule):
    """What would hold if a launch opened whatever patient it names."""

    def can(self, holder: Holder, letter: str, type_name: str) -> bool:
        return super().can(_acting_for_all(holder), letter, type_name)

    def may(self, holder: Holder, letter: str, resource: Json) -> bool:
        return super().may(_acting_for_all(holder), letter, resource)


def _acting_for_all(holder: Holder) -> Holder:
    return replace(holder, patients=(*holder.patients, *([holder.launched_for] if holder.launched_for else [])))


class WithoutFhirUser(Rule):
    """What would hold if users could not read their own resource."""

    def can(self, holder: Holder, letter: str, type_name: str) -> bool:
        return super().can(replace(holder, tells_user=False), letter, type_name)

    def may(self, holder: Holder, letter: str, resource: Json) -> bool:
        return super().may(replace(holder, tells_user=False), letter, resource)


@pytest.mark.parametrize(
    "wrong",
    [WithoutCategories, WithoutLetters, WithoutCompartments, WithReadersWriting, WithAnyLaunch, WithoutFhirUser],
)
def test_a_server_that_held_to_another_rule_would_be_found_out(wrong, world):
    """Each clause of the rule decides cells that are asked."""
    other = World(world.records, world.compartments, wrong(world.compartments))
    cells = planned(world, CELLS_OF_RULES)
    assert any(cell.make(world) != cell.make(other) for cell in cells)


def _differences(asker: Asker, cells: list) -> list[str]:
    return [found for cell in cells if (found := asker.difference(cell)) is not None]


def _contents(records: Records) -> dict:
    current = {key: records.current(key) for key in records.versions}
    return {key: clone(resource) for key, resource in current.items() if resource is not None}
