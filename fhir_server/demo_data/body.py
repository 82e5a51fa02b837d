"""A plausible body and blood for a patient: heights, weights, pressures and laboratory values that fit together."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from .chart import Chart

# Heights in centimetres at each birthday from 0 to 18, about the middle of what is usual.
_GIRLS = (50, 74, 86, 94, 101, 108, 115, 121, 127, 133, 138, 144, 150, 156, 160, 162, 163, 163, 163)
_BOYS = (51, 76, 88, 96, 103, 110, 116, 122, 128, 133, 138, 143, 149, 156, 163, 169, 173, 175, 176)
# The body mass index in the middle at the same birthdays.
_CHILD_BMI = (
    *(13.6, 17.0, 16.3, 15.9, 15.6, 15.4, 15.4, 15.6, 16.0, 16.4),
    *(16.9, 17.5, 18.1, 18.7, 19.3, 19.9, 20.5, 21.0, 21.6),
)


class Body(NamedTuple):
    """What stays the same about a body: how tall for the age (1.0 is usual), and the index as an adult."""

    stature: float
    mass_index: float
    systolic: float
    pulse: float


def new_body(chart: Chart) -> Body:
    """Return a body drawn for the chart's patient, by the conditions the patient has."""
    gauss = chart.random.gauss
    mass_index = min(44.0, max(17.5, gauss(26.3, 4.2)))
    if chart.has("diabetes"):
        mass_index = min(44.0, mass_index + 3.5)
    age = chart.age_on(chart.last_day)
    systolic = gauss(112 + max(0, age - 25) * 0.22, 7) + (14 if chart.has("hypertension") else 0)
    stature = min(1.09, max(0.91, gauss(1.0, 0.035)))
    return Body(stature, mass_index, systolic, gauss(72, 7))


def height(chart: Chart, body: Body, day: date) -> float:
    """Return the height in centimetres on `day`."""
    usual = _BOYS if chart.gender == "male" else _GIRLS
    return round(_at_age(usual, chart, day) * body.stature, 1)


def weight(chart: Chart, body: Body, day: date) -> float:
    """Return the weight in kilograms on `day`: it follows from height and index, and moves a little."""
    tall = height(chart, body, day) / 100
    usual = _at_age(_CHILD_BMI, chart, day)
    # A child's index grows into the adult's.
    share = min(1.0, max(0.0, (day - chart.birth).days / 365.25 - 10) / 8)
    index = usual * (1 + (body.mass_index / 21.6 - 1) * (0.2 + 0.8 * share))
    return round(index * tall * tall * chart.random.uniform(0.98, 1.02), 1)


def mass_index(kilograms: float, centimetres: float) -> float:
    """Return the body mass index of a weight and a height, as it is reported: to one decimal."""
    return round(kilograms / (centimetres / 100) ** 2, 1)


def pressure(chart: Chart, body: Body, day: date) -> tuple[int, int]:
    """Return systolic and diastolic blood pressure on `day`; a child's are lower."""
    gauss = chart.random.gauss
    years = chart.age_on(day)
    usual = body.systolic if years >= 18 else 88 + years * 1.4
    systolic = round(min(205.0, max(78.0, gauss(usual, 6))))
    return systolic, round(min(systolic - 22.0, max(44.0, gauss(systolic * 0.62, 4))))


def pulse(chart: Chart, body: Body, day: date) -> int:
    """Return the heart rate on `day`: fast in infants, at rest in adults."""
    years = chart.age_on(day)
    faster = 55 - 9 * years if years < 6 else max(0.0, 12 - years * 0.7)
    return round(min(170.0, max(46.0, chart.random.gauss(body.pulse + faster, 4))))


def _at_age(table: tuple[float, ...], chart: Chart, day: date) -> float:
    """Return the table's value at the age on `day`, between two birthdays in proportion."""
    years = (day - chart.birth).days / 365.25
    whole = int(years)
    if whole >= len(table) - 1:
        return table[-1]
    return table[whole] + (table[whole + 1] - table[whole]) * (years - whole)
