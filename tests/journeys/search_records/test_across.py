"""Searches across references, checked against what the stored resources say. https://hl7.org/fhir/R4/search.html#chaining"""

from __future__ import annotations

from urllib.parse import quote

import pytest

from fhir_server.services import services_for
from fhir_server.settings import Settings
from fhir_server.store.run_plan import Limits, Runner
from resources.problem import Problem
from search.plan import plan_search
from search.query_text import parse_pairs, parse_query

pytestmark = pytest.mark.xdist_group("search records")


def of_type(entries, mode):
    return sorted(
        f"{e['resource']['resourceType']}/{e['resource']['id']}" for e in entries if e["search"]["mode"] == mode
    )


@pytest.fixture(scope="module")
def facts(records, brute_force):
    """Query → the predicate of the resources that it means, over all the ways to go across references."""
    target = records.target
    values = brute_force.values

    def is_female(tree):
        return tree is not None and tree["resourceType"] == "Patient" and tree["gender"] == "female"

    def subject_of(tree):
        return target(tree.get("subject"))

    def organization_is_named(tree, start):
        there = target(tree.get("serviceProvider"))
        return there is not None and brute_force.has_text(there["name"], start)

    def code_of(tree):
        return {coding["code"] for coding in values(tree, "code.coding")}

    def patients_with(type_name, holds, member="subject"):
        return {
            tree[member]["reference"].partition("/")[2]
            for tree in records.of(type_name)
            if member in tree and holds(tree)
        }

    provider = records.of("Organization")[0]["name"][:3]
    tall = patients_with("Observation", lambda o: "8302-2" in code_of(o))
    coded = next(iter(sorted(code_of(records.of("Condition")[0]))))
    diagnosed = patients_with("Condition", lambda c: coded in code_of(c))
    ambulatory_conditions = patients_with(
        "Condition", lambda c: (target(c.get("encounter")) or {"class": {}})["class"].get("code") == "AMB"
    )
    family = records.of("Patient")[0]["name"][0]["family"]
    reported = {
        reference["reference"].partition("/")[2]
        for report in records.of("DiagnosticReport")
        for reference in report.get("result", [])
    }
    seen_by_reported = {
        target(tree["encounter"])["id"]
        for tree in records.of("Observation")
        if tree["id"] in reported and "encounter" in tree
    }
    return {
        ("Encounter", "subject:Patient.gender=female"): lambda t: is_female(subject_of(t)),
        ("Encounter", "subject.gender=female"): lambda t: is_female(subject_of(t)),
        ("Encounter", "patient.gender=female"): lambda t: is_female(subject_of(t)),
        ("Encounter", f"subject:Patient.family={family}"): lambda t: subject_of(t)["name"][0]["family"] == family,
        ("Encounter", "subject:Patient.birthdate=lt1980"): lambda t: subject_of(t)["birthDate"] < "1980",
        ("Encounter", "subject:Patient.gender=female&status=finished&class=AMB"): lambda t: (
            is_female(subject_of(t)) and t["status"] == "finished" and t["class"]["code"] == "AMB"
        ),
        ("Encounter", "subject:Patient.gender=female&subject:Patient.birthdate=gt1990"): lambda t: (
            is_female(subject_of(t)) and subject_of(t)["birthDate"] >= "1991"
        ),
        ("Encounter", f"service-provider.name={quote(provider)}"): lambda t: organization_is_named(t, provider),
        ("Condition", f"encounter.service-provider.name={quote(provider)}"): lambda t: organization_is_named(
            target(t.get("encounter")) or {}, provider
        ),
        ("Condition", "encounter:Encounter.subject:Patient.gender=female"): lambda t: is_female(
            subject_of(target(t.get("encounter")) or {})
        ),
        ("Observation", "encounter.patient.gender:not=male&code=8302-2"): lambda t: (
            "8302-2" in code_of(t)
            and target(t.get("encounter")) is not None
            and subject_of(target(t["encounter"]))["gender"] != "male"
        ),
        ("Patient", "_has:Observation:patient:code=8302-2"): lambda t: t["id"] in tall,
        ("Patient", f"_has:Condition:patient:code={coded}"): lambda t: t["id"] in diagnosed,
        ("Patient", f"_has:Condition:subject:code={coded}&_has:Observation:subject:code=8302-2"): lambda t: (
            t["id"] in diagnosed & tall
        ),
        ("Patient", "_has:Condition:patient:encounter.class=AMB"): lambda t: t["id"] in ambulatory_conditions,
        ("Encounter", "_has:Observation:encounter:_has:DiagnosticReport:result:status=final"): lambda t: (
            t["id"] in seen_by_reported
        ),
        ("Encounter", "subject:Patient._has:Observation:patient:code=8302-2"): lambda t: subject_of(t)["id"] in tall,
        ("Encounter", f"subject:Patient._has:Condition:patient:code={coded}&class=AMB"): lambda t: (
            subject_of(t)["id"] in diagnosed and t["class"]["code"] == "AMB"
        ),
        ("Encounter", "_filter=" + quote("subject.gender eq female and class eq AMB")): lambda t: (
            is_female(subject_of(t)) and t["class"]["code"] == "AMB"
        ),
        ("Encounter", "_filter=" + quote("not (subject.gender eq female) or class eq EMER")): lambda t: (
            not is_female(subject_of(t)) or t["class"]["code"] == "EMER"
        ),
        (
            "Patient",
            "_filter=" + quote(f'family sw "{family[:2]}" or birthdate ge 1990 and gender ne male'),
        ): lambda t: (
            brute_force.has_text(t["name"][0]["family"], family[:2])
            or any(brute_force.has_text(n.get("family", ""), family[:2]) for n in t["name"])
            or (t["birthDate"] >= "1990" and t["gender"] != "male")
        ),
        ("Patient", "_filter=" + quote("death-date pr true")): lambda t: "deceasedDateTime" in t,
        ("Patient", "_filter=" + quote("not (death-date pr true)")): lambda t: "deceasedDateTime" not in t,
        ("Patient", "death-date:missing=false"): lambda t: "deceasedDateTime" in t,
        ("MedicationRequest", "_has:Provenance:target:agent:missing=false"): lambda t: any(
            reference["reference"] == f"MedicationRequest/{t['id']}"
            for provenance in records.of("Provenance")
            for reference in provenance["target"]
        ),
    }


def test_chains_reverse_chains_and_filters_find_exactly_what_they_mean(records, facts):
    sizes = {}
    for (type_name, query), holds in facts.items():
        wanted = records.ids(type_name, holds)
        assert records.found(f"{type_name}?{query}&_count=1000") == wanted, query
        assert records.get(f"{type_name}?{query}&_count=0")["total"] == len(wanted), query
        sizes[type_name, query] = len(wanted)
    assert sum(1 for size in sizes.values() if size) >= len(sizes) - 3, sizes


@pytest.mark.parametrize("few", [0, 3, 100_000])
def test_both_ways_to_join_give_the_same(records, facts, few):
    """With few=0 every join is checked in batches; with few=100,000 every one becomes a list of ids."""
    context = services_for(Settings.from_environ({}), records.database).context()
    for (type_name, query), holds in facts.items():
        selection = plan_search(type_name, parse_query(parse_pairs(query), type_name), context)
        wanted = records.ids(type_name, holds)
        for batch in (2, 7, 300):
            limits = Limits(few=few, batch=batch, many=100_000, most_examined=10**9, milliseconds=60_000)
            if few == 0 and batch == 2 and len(records.of(type_name)) > 1000:
                continue  # thousands of batches would show no more than the smaller types do
            assert Runner(records.database, limits).count(selection) == len(wanted), (query, batch)
            if batch == 7:
                runner = Runner(records.database, limits)
                page = runner.page(selection, 5)
                found = [match.stored.id for match in page.matches]
                while page.has_more:
                    page = runner.page(selection, 5, after=page.matches[-1].position)
                    found += [match.stored.id for match in page.matches]
                    if len(found) > 100:
                        break
                assert found == wanted[: len(found)], query
                assert page.has_more or found == wanted, query


def test_a_search_that_reads_too_much_or_takes_too_long_is_refused(records):
    context = services_for(Settings.from_environ({}), records.database).context()
    selection = plan_search("Observation", parse_query([("status", "final")], "Observation"), context)
    with pytest.raises(Problem) as too_many:
        Runner(records.database, Limits(most_examined=10)).page(selection, 20)
    assert (too_many.value.status, too_many.value.issues[0].code) == (400, "too-costly")
    slow = type(selection)(
        "Patient",
        {"$expr": {"$function": {"body": "function() { sleep(200); return true }", "args": [], "lang": "js"}}},
    )
    for ask in (
        lambda runner: runner.page(slow, 5),
        lambda runner: runner.count(slow),
        lambda runner: runner.ids(slow, 50),
    ):
        with pytest.raises(Problem) as too_slow:
            ask(Runner(records.database, Limits(milliseconds=100)))
        assert (too_slow.value.status, too_slow.value.issues[0].code) == (400, "too-costly")
        assert "longer" in too_slow.value.issues[0].text
    with pytest.raises(Problem) as no_time:
        Runner(records.database, Limits(milliseconds=0)).page(selection, 5)
    assert "longer" in no_time.value.issues[0].text


def test_references_of_matches_come_along(records):
    patient = records.of("Patient")[0]["id"]
    mine = [tree for tree in records.of("Encounter") if tree["subject"]["reference"] == f"Patient/{patient}"]
    providers = {tree["serviceProvider"]["reference"] for tree in mine}
    participants = {
        p["individual"]["reference"] for tree in mine for p in tree.get("participant", []) if "individual" in p
    }
    locations = {entry["location"]["reference"] for tree in mine for entry in tree.get("location", [])}
    expected = {
        "_include=Encounter:patient": {f"Patient/{patient}"},
        "_include=Encounter:subject:Patient": {f"Patient/{patient}"},
        "_include=Encounter:subject:Group": set(),
        "_include=Encounter:service-provider": providers,
        "_include=Encounter:service-provider&_include=Encounter:participant:Practitioner": providers | participants,
        "_include=Patient:general-practitioner": set(),
        "_include=Location:organization": set(),
        "_include=Patient:*": set(),
        "_include=Encounter:location&_include=Location:organization": locations,
        "_include=Encounter:location&_include:iterate=Location:organization": locations,
        "_include=Encounter:*": {f"Patient/{patient}"} | providers | participants | locations,
        "_include=*": {f"Patient/{patient}"} | providers | participants | locations,
        "_include:iterate=*": {f"Patient/{patient}"} | providers | participants | locations,
    }
    for query, wanted in expected.items():
        entries = records.walk(f"Encounter?patient={patient}&_count=1000&{query}")
        assert of_type(entries, "match") == sorted(f"Encounter/{tree['id']}" for tree in mine), query
        assert of_type(entries, "include") == sorted(wanted), query
    assert providers
    assert participants


def test_what_refers_to_matches_comes_along(records):
    encounter = max(
        records.of("Encounter"),
        key=lambda e: sum(
            o.get("encounter", {}).get("reference") == f"Encounter/{e['id']}" for o in records.of("Observation")
        ),
    )
    name = f"Encounter/{encounter['id']}"
    observations = {
        f"Observation/{o['id']}" for o in records.of("Observation") if o.get("encounter", {}).get("reference") == name
    }
    reports = {
        f"DiagnosticReport/{r['id']}"
        for r in records.of("DiagnosticReport")
        if observations & {result["reference"] for result in r.get("result", [])}
    }
    expected = {
        "_revinclude=Observation:encounter": observations,
        "_revinclude=Observation:encounter:Encounter": observations,
        "_revinclude=Observation:encounter:Patient": set(),
        "_revinclude=Observation:*": observations,
        "_revinclude=Observation:encounter&_revinclude=DiagnosticReport:result": observations,
        "_revinclude=Observation:encounter&_revinclude:iterate=DiagnosticReport:result": observations | reports,
        "_revinclude=Observation:encounter&_include=Encounter:patient": observations
        | {encounter["subject"]["reference"]},
    }
    for query, wanted in expected.items():
        entries = records.walk(f"Encounter?_id={encounter['id']}&{query}")
        assert of_type(entries, "match") == [name], query
        assert of_type(entries, "include") == sorted(wanted), query
    assert observations


def test_a_compartment_holds_what_belongs_to_its_patient(records):
    patient = records.of("Patient")[2]["id"]
    name = f"Patient/{patient}"
    subjects = {"Encounter": "subject", "Condition": "subject", "Observation": "subject", "Claim": "patient"}
    for type_name, member in subjects.items():
        wanted = records.ids(type_name, lambda tree, member=member: tree.get(member, {}).get("reference") == name)
        assert records.found(f"{name}/{type_name}?_count=1000") == wanted
        assert wanted, type_name
    finished = records.found(f"{name}/Encounter?status=finished&class=AMB&_count=3")
    assert finished == records.ids(
        "Encounter",
        lambda t: t["subject"]["reference"] == name and t["status"] == "finished" and t["class"]["code"] == "AMB",
    )
    assert records.found(f"{name}/Patient") == [patient]
    everything = of_type(records.walk(f"{name}/*?_count=200"), "match")
    assert len(everything) == len(set(everything))
    for type_name, member in subjects.items():
        own = [
            f"{type_name}/{i}"
            for i in records.ids(type_name, lambda t, m=member: t.get(m, {}).get("reference") == name)
        ]
        assert [each for each in everything if each.startswith(f"{type_name}/")] == own
    assert name in everything
    part = of_type(records.walk(f"{name}/*?_type=Encounter,Claim&_count=7"), "match")
    assert part == [each for each in everything if each.startswith(("Encounter/", "Claim/"))]


@pytest.mark.parametrize(
    "address", ["Patient/1/Organization", "Organization/1/Patient", "Patient/1/Nonsense", "Patient/1/*/x"]
)
def test_a_compartment_that_r4_does_not_have_is_not_found(records, address):
    answer = records.client.get(f"/fhir/{address}")
    assert answer.status_code == 404
    assert answer.get_json()["issue"][0]["diagnostics"]


@pytest.mark.parametrize("count", [1, 5, 12, 13, 1000])
def test_several_types_are_searched_page_by_page(records, count):
    wanted = [f"{t}/{i}" for t in ("Location", "Organization", "Patient") for i in records.ids(t)]
    entries = (
        records.walk(f"?_type=Patient,Organization,Location&_count={count}")
        if count > 1
        else records.walk("?_type=Patient&_count=1")
    )
    names = [f"{e['resource']['resourceType']}/{e['resource']['id']}" for e in entries]
    assert names == (wanted if count > 1 else [each for each in wanted if each.startswith("Patient/")])
    assert records.get("?_type=Patient,Organization,Location&_summary=count")["total"] == len(wanted)


def test_what_matches_of_several_types_share_is_included_once_and_never_a_match_twice(records):
    patient = records.of("Patient")[0]["id"]
    entries = records.walk("?_type=Condition,Encounter,Patient&_count=1000&_include=*&_lastUpdated=gt2000")
    names = [f"{e['resource']['resourceType']}/{e['resource']['id']}" for e in entries]
    assert len(names) == len(set(names))
    assert f"Patient/{patient}" in of_type(entries, "match")
    assert any(each.startswith("Organization/") for each in of_type(entries, "include"))


def test_members_of_a_list_are_found(records):
    patients = [tree["id"] for tree in records.of("Patient")[:3]]
    listed = {
        "resourceType": "List",
        "status": "current",
        "mode": "working",
        "entry": [{"item": {"reference": f"Patient/{each}"}} for each in patients],
    }
    answer = records.client.put("/fhir/List/mine", json={**listed, "id": "mine"})
    assert answer.status_code == 201, answer.text
    try:
        assert records.found("Patient?_list=mine") == sorted(patients)
        assert records.found(f"Patient?_list=mine&_id={patients[0]}") == [patients[0]]
        assert records.found("Patient?_list=nothing") == records.found("Encounter?_list=mine") == []
    finally:
        records.client.delete("/fhir/List/mine")
