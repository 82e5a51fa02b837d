"""Addresses and telephone numbers: invented towns and streets, numbers from the range kept for fiction."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from .datatypes import Resource


class Town(NamedTuple):
    """An invented town, with a position for its clinic."""

    name: str
    state: str
    postal_code: int
    latitude: float
    longitude: float


TOWNS = (
    Town("Alder Falls", "VT", 5980, 44.4712, -72.5803),
    Town("Port Linden", "ME", 4990, 43.9148, -69.9653),
    Town("Willow Bend", "NH", 3890, 43.2081, -71.5376),
    Town("Cañon Grove", "MA", 1990, 42.3851, -72.4916),
    Town("Saint-Aurèle", "VT", 5985, 44.8117, -73.0832),
    Town("Quarry Hill", "NY", 12990, 43.0842, -73.7851),
    Town("Heron Lake", "NY", 12985, 44.1127, -73.9238),
    Town("Millrace", "NH", 3885, 42.9337, -72.2781),
    Town("Øresby", "ME", 4985, 44.3106, -69.7795),
    Town("Stonebridge", "MA", 1985, 42.1015, -72.5898),
    Town("Larkspur Harbor", "ME", 4980, 44.5521, -68.4273),
    Town("Copper Notch", "VT", 5975, 43.6106, -72.9726),
)
STREETS = (
    *("Foxglove Lane", "Old Tannery Road", "Cedar Hollow Street", "Lantern Avenue", "Ropewalk Row", "Millstone Way"),
    *("Juniper Court", "Saltmarsh Drive", "Bellwether Street", "Orchard Terrace", "Quince Alley", "Ferry Landing"),
    *("Tamarack Road", "Weathervane Circle", "Calle del Río", "Rue des Érables"),
)
_AREA_CODES = (802, 603, 207, 413, 518)


def address(random: Random, town: Town, use: str) -> Resource:
    """Return an address of `use` in `town`."""
    street = f"{int(random.random() * 980) + 1} {STREETS[int(random.random() * len(STREETS))]}"
    lines = [street]
    if use == "home" and random.random() < 0.25:
        lines.append(f"Apt {int(random.random() * 40) + 1}")
    postal_code = f"{town.postal_code + int(random.random() * 5):05d}"
    return {
        "use": use,
        "type": "both",
        "text": f"{', '.join(lines)}, {town.name}, {town.state} {postal_code}",
        "line": lines,
        "city": town.name,
        "state": town.state,
        "postalCode": postal_code,
        "country": "US",
    }


def phone(random: Random, use: str) -> Resource:
    """Return a telephone number of the range that is kept for fiction (555-0100 to 555-0199)."""
    area = _AREA_CODES[int(random.random() * len(_AREA_CODES))]
    return {"system": "phone", "value": f"+1-{area}-555-01{int(random.random() * 100):02d}", "use": use}


def email(local_part: str, use: str) -> Resource:
    """Return the e-mail address of `local_part` at example.org."""
    return {"system": "email", "value": f"{local_part}@example.org", "use": use}
