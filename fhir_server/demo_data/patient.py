"""The Patient resource, and the RelatedPerson of those who have one."""

from __future__ import annotations

from datetime import date
from html import escape

from .chart import Chart, reference_to
from .datatypes import HL7, Coding, Resource, concept, identifier, instant, random_source
from .names import Culture, PersonName, ascii_letters, draw_family, person_name
from .organization import clinic
from .places import TOWNS, address, email, phone

_MARITAL = {
    code: Coding(HL7 + "v3-MaritalStatus", code, display)
    for code, display in (("M", "Married"), ("S", "Never Married"), ("D", "Divorced"), ("W", "Widowed"))
}
_ROLE = HL7 + "v3-RoleCode"
_MOTHER = Coding(_ROLE, "MTH", "mother")
_ADULT_RELATIONS = (
    Coding(_ROLE, "SPS", "spouse"),
    Coding(_ROLE, "NCHILD", "natural child"),
    Coding(_ROLE, "FRND", "unrelated friend"),
)
_NEXT_OF_KIN = Coding(HL7 + "v2-0131", "N", "Next-of-Kin")
_EMERGENCY = Coding(HL7 + "v2-0131", "C", "Emergency Contact")
_LANGUAGE = "urn:ietf:bcp:47"
_INTERPRETER = "http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired"


def patient_resources(chart: Chart) -> list[Resource]:
    """Return the Patient, and the RelatedPerson: a child's mother, the kin or friend of some adults."""
    patient = _patient(chart)
    child = chart.age_on(chart.last_day) < 18
    if not child and chart.persona is None and chart.random.random() > 0.22:
        return [patient]
    return [patient, _related_person(chart, patient, child)]


def _patient(chart: Chart) -> Resource:
    random, persona = chart.random, chart.persona
    identifiers = [identifier("mrn", f"MRN{chart.number:07d}", "MR", "Medical record number", "usual")]
    if persona or random.random() < 0.3:
        value = f"{random.randrange(10**9):09d}"
        identifiers.append(identifier("national-id", value, "NI", "National unique individual identifier"))
    patient: Resource = {
        "resourceType": "Patient",
        "id": f"demo-patient-{chart.label}",
        "text": _narrative(chart),
    }
    foreign = chart.culture.language != "en"
    interpreter = persona.interpreter if persona else foreign and random.random() < 0.2
    if interpreter:
        patient["extension"] = [{"url": _INTERPRETER, "valueBoolean": True}]
    patient["identifier"] = identifiers
    patient["active"] = chart.death is None
    patient["name"] = _names(chart)
    patient["telecom"] = _telecom(chart)
    patient["gender"] = chart.gender
    patient["birthDate"] = chart.birth.isoformat()
    if chart.death:
        patient["deceasedDateTime"] = instant(chart.death, int(random.random() * 1440))
    home = TOWNS[int(random.random() * len(TOWNS))]
    patient["address"] = [address(random, home, "home")]
    patient["maritalStatus"] = concept(_MARITAL[_marital_status(chart)])
    if chart.age_on(chart.last_day) < 18 and random.random() < 0.03:
        patient["multipleBirthInteger"] = 1 + int(random.random() * 2)
    if persona or random.random() < 0.18:
        patient["contact"] = [_contact(chart, home.name)]
    patient["communication"] = _communication(chart.culture, interpreter)
    if persona or random.random() < 0.8:
        patient["generalPractitioner"] = [reference_to(chart.general)]
    to, name = clinic(chart.general.clinic)
    patient["managingOrganization"] = {"reference": to, "display": name}
    return patient


def _narrative(chart: Chart) -> Resource:
    words = f"{chart.gender}, born {chart.birth.isoformat()}"
    if chart.death:
        words += f", died {chart.death.isoformat()}"
    shown = chart.name.text + (f" ({chart.name.native_text})" if chart.name.native_family else "")
    div = (
        '<div xmlns="http://www.w3.org/1999/xhtml">'
        f"<p><b>{escape(shown)}</b>, {words}, medical record number MRN{chart.number:07d}</p></div>"
    )
    return {"status": "generated", "div": div}


def _human_name(name: PersonName, use: str) -> Resource:
    return {"use": use, "text": name.text, "family": name.family, "given": list(name.given)}


def _names(chart: Chart) -> list[Resource]:
    random, name = chart.random, chart.name
    if name.native_family:
        native = {
            "use": "official",
            "text": name.native_text,
            "family": name.native_family,
            "given": [name.native_given],
        }
        # Many charts hold both scripts; the rest what the front desk could type.
        if chart.persona or random.random() < 0.7:
            return [native, _human_name(name, "usual")]
    names = [_human_name(name, "official")]
    if chart.gender == "female" and chart.age_on(chart.last_day) >= 25 and random.random() < 0.15:
        maiden = person_name(random, chart.culture, "female", draw_family(random, chart.culture))
        names.append({"use": "maiden", "family": maiden.family})
    return names


def _telecom(chart: Chart) -> list[Resource]:
    random = chart.random
    telecom = [phone(random, "home" if random.random() < 0.4 else "mobile")]
    if chart.age_on(chart.last_day) >= 16 and (chart.persona or random.random() < 0.7):
        name = chart.name
        local_part = f"{ascii_letters(name.given[0])}.{ascii_letters(name.family)}{chart.number}"
        telecom.append(email(local_part, "home"))
    return telecom


def _marital_status(chart: Chart) -> str:
    if chart.persona:
        return chart.persona.marital_status
    age, draw = chart.age_on(chart.last_day), chart.random.random()
    if age < 20:
        return "S"
    if age < 32:
        return "S" if draw < 0.65 else "M"
    if age >= 72 and draw < 0.4:
        return "W"
    return "M" if draw < 0.68 else "D" if draw < 0.85 else "S"


def _contact(chart: Chart, town: str) -> Resource:
    random = chart.random
    gender = "female" if random.random() < 0.5 else "male"
    name = person_name(random, chart.culture, gender, draw_family(random, chart.culture))
    return {
        "relationship": [concept(_NEXT_OF_KIN if random.random() < 0.6 else _EMERGENCY)],
        "name": _human_name(name, "usual"),
        "telecom": [phone(random, "mobile")],
        "address": {"use": "home", "city": town, "country": "US"},
        "gender": gender,
    }


def _communication(culture: Culture, needs_own_language: bool) -> list[Resource]:
    own = {"language": concept(Coding(_LANGUAGE, culture.language, culture.language_name))}
    if culture.language == "en":
        return [{**own, "preferred": True}]
    english = {"language": concept(Coding(_LANGUAGE, "en", "English"))}
    return [{**own, "preferred": True}] if needs_own_language else [{**own, "preferred": True}, english]


def _related_person(chart: Chart, patient: Resource, child: bool) -> Resource:
    # A source of its own, so that the relation never shifts what else the seed draws.
    random = random_source(chart.seed, "related", chart.number)
    relation = _MOTHER if child else _ADULT_RELATIONS[int(random.random() * len(_ADULT_RELATIONS))]
    gender = "female" if child or random.random() < 0.5 else "male"
    name = person_name(random, chart.culture, gender, draw_family(random, chart.culture))
    if child:
        mother = chart.persona.mother if chart.persona else None
        name = mother or name._replace(family=chart.name.family, native_family=chart.name.native_family)
    record: Resource = {
        "resourceType": "RelatedPerson",
        "id": f"demo-relatedperson-{chart.label}-1",
        "active": True,
        "patient": chart.subject(),
        "relationship": [concept(relation)],
        "name": [_human_name(name, "official")],
        "telecom": [phone(random, "mobile")],
        "gender": gender,
    }
    # The date of birth is known of those whose age follows from the patient's: a mother is 20 to 40 years older.
    if child:
        years = 20 + int(random.random() * 20)
        born = date(chart.birth.year - years, 1 + int(random.random() * 12), 1 + int(random.random() * 28))
        record["birthDate"] = born.isoformat()
        home = patient["address"][0]
        record["address"] = [home | {"line": list(home["line"])}]
    return record
