"""From a record to the AuditEvents that say the same.

https://hl7.org/fhir/R4/auditevent.html and the Basic Audit Log Patterns of IHE, https://profiles.ihe.net/ITI/BALP/

A request is one AuditEvent, with all patients that its answer told about. Of a Bundle, each search and each kind of
interaction that ended in the same way is one.
"""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from fhir_server.audit import codes
from fhir_server.audit.records import Deed, Record, RequestRecord, SecurityRecord, Seen, Who
from fhir_server.audit.subjects import Subjects
from fhir_server.outcome import speakable
from resources.document import instant
from smart_auth.model import Client, User

Json = dict[str, Any]
Outcome = Literal["0", "4", "8"]

UNFINISHED = "The server ended before it had answered. Whether anything was changed, the history tells."
COMMAND = "A command on the server"
# So that one AuditEvent of a large Bundle stays readable.
MOST_DEEDS = 100
_IP_ADDRESS = "2"


@dataclass(frozen=True, slots=True)
class Names:
    """Users by their sub and clients by their client_id, as far as they are known."""

    users: Mapping[str, User]
    clients: Mapping[str, Client]


def versions_of(record: Record) -> Iterator[Seen]:
    """The versions of which it must be known whom they are about."""
    if isinstance(record, RequestRecord):
        for deed in record.deeds:
            yield from deed.shown
            if deed.type is not None and deed.id is not None:
                yield _seen(deed.type, deed.id, deed)


def audit_events(record: Record, subjects: Subjects, names: Names, base_url: str) -> list[Json]:
    """The AuditEvents of a record, without `resourceType` and id. subjects: of `versions_of` it."""
    if isinstance(record, SecurityRecord):
        return [_security_event(record, names, base_url)]
    return [_request_event(record, deeds, subjects, names, base_url) for deeds in _together(record.deeds)]


def _together(deeds: Sequence[Deed]) -> Iterator[Sequence[Deed]]:
    groups: dict[tuple[object, ...], list[Deed]] = defaultdict(list)
    for number, deed in enumerate(deeds):
        alike = (deed.interaction, _outcome(deed), deed.is_denial, deed.reason)
        groups[alike if deed.query is None else (number,)].append(deed)
    for group in groups.values():
        for start in range(0, len(group), MOST_DEEDS):
            yield group[start : start + MOST_DEEDS]


def _request_event(
    record: RequestRecord, deeds: Sequence[Deed], subjects: Subjects, names: Names, base_url: str
) -> Json:
    first = deeds[0]
    code, action = codes.INTERACTIONS.get(first.interaction or "", ("operation", "E"))
    if first.interaction == "history":
        code = "history-instance" if first.id else "history-type" if first.type else "history-system"
    subtypes = [codes.interaction_code(code)]
    if code == "operation" and first.interaction is not None:
        subtypes.append(codes.own_code(base_url, first.interaction))
    if first.is_denial:
        subtypes.append(codes.own_code(base_url, "denied"))
    entities = [
        *_resource_entities(deeds, subjects),
        *(_query_entity(deed) for deed in deeds if deed.query is not None),
    ]
    return _event(
        codes.REST,
        subtypes,
        action,
        record,
        _outcome(first),
        UNFINISHED if not first.status else first.reason,
        _agents(record.who, names, base_url),
        codes.APPLICATION_SERVER,
        [*_patients(record.who, deeds, subjects), *entities],
        base_url,
    )


def _security_event(record: SecurityRecord, names: Names, base_url: str) -> Json:
    type_, subtype, action = codes.SECURITY.get(record.code, (codes.SECURITY_ALERT, None, "E"))
    subtypes = [*([subtype] if subtype else []), codes.own_code(base_url, record.code)]
    who = record.who
    entities: list[Json] = []
    if record.code == "client-change":
        # The client is what was changed, and not who changed it.
        client = names.clients.get(who.client or "")
        what = {"what": {"identifier": {"value": who.client}}} if who.client else {}
        entities.append({**what, "type": codes.SYSTEM_OBJECT, **({"name": client.name} if client else {})})
        who = replace(who, client=None)
    if who.patient is not None:
        entities.append(_patient(who.patient))
    failed: Outcome = "8" if record.code in ("replay", "denied") else "4"
    return _event(
        type_,
        subtypes,
        action,
        record,
        "0" if record.succeeded else failed,
        record.reason,
        _agents(who, names, base_url),
        codes.SECURITY_SERVER,
        entities,
        base_url,
    )


def _event(
    type_: codes.Coding,
    subtypes: list[codes.Coding],
    action: codes.Action,
    record: Record,
    outcome: Outcome,
    reason: str | None,
    agents: list[Json],
    source: codes.Coding,
    entities: list[Json],
    base_url: str,
) -> Json:
    event: Json = {
        "type": type_,
        "subtype": subtypes,
        "action": action,
        "recorded": instant(record.at),
        "outcome": outcome,
    }
    if reason:
        event["outcomeDesc"] = speakable(reason)
    event["agent"] = agents
    observer = {"identifier": {"system": "urn:ietf:rfc:3986", "value": base_url}, "display": "FHIR server"}
    event["source"] = {"observer": observer, "type": [source]}
    if record.request is not None:
        entities.append({"what": {"identifier": {"value": record.request}}, "type": codes.REQUEST_ID})
    if record.who.grant is not None:
        grant = {"what": {"identifier": {"value": record.who.grant}, "display": "Grant"}, "type": codes.SYSTEM_OBJECT}
        entities.append(grant)
    if entities:
        event["entity"] = entities
    return event


def _agents(who: Who, names: Names, base_url: str) -> list[Json]:
    agents: list[Json] = []
    if who.sub is not None:
        user = names.users.get(who.sub)
        own: Json = {"identifier": {"system": base_url, "value": who.sub}}
        agent: Json = {"type": {"coding": [codes.HUMAN]}}
        if user is not None:
            if user.fhir_user is not None:
                own = {"reference": user.fhir_user, **own}
            agent["role"] = [{"coding": [codes.own_code(base_url, user.role)]}]
        agent["who"] = own
        if user is not None:
            agent |= {"altId": user.name, "name": user.display}
        agents.append(agent)
    if who.client is not None:
        client = names.clients.get(who.client)
        agent = {
            "type": {"coding": [codes.APPLICATION]},
            "who": {"identifier": {"system": base_url, "value": who.client}},
            "altId": who.client,
        }
        if client is not None:
            agent["name"] = client.name
        agents.append(agent)
    if not agents:
        agents.append({} if who.address is not None else {"name": COMMAND})
    for number, agent in enumerate(agents):
        agent["requestor"] = number == 0
    if who.address is not None:
        agents[-1]["network"] = {"address": who.address, "type": _IP_ADDRESS}
    return agents


def _patients(who: Who, deeds: Sequence[Deed], subjects: Subjects) -> list[Json]:
    """The patients whom the answer told about; where it told nothing, the one whose record the app was launched with."""
    own: set[str] = set()  # those that stand among the resources already
    ids: dict[str, None] = {}
    for deed in deeds:
        if deed.compartment is not None and deed.compartment.startswith("Patient/"):
            ids[deed.compartment.partition("/")[2]] = None
        seen = deed.shown
        if deed.type is not None and deed.id is not None:
            seen = (*seen, _seen(deed.type, deed.id, deed))
            if deed.type == "Patient":
                own.add(deed.id)
        for version in seen:
            ids.update(dict.fromkeys(subjects.get(version, ())))
    if not ids and not own and who.patient is not None:
        ids[who.patient] = None
    return [_patient(patient) for patient in ids if patient not in own]


def _patient(reference: str) -> Json:
    return {
        "what": {"reference": f"Patient/{reference}"},
        "type": codes.PERSON,
        "role": codes.PATIENT_ROLE,
    }


def _resource_entities(deeds: Iterable[Deed], subjects: Subjects) -> Iterator[Json]:
    for deed in deeds:
        if deed.type is None:
            continue
        if deed.id is None:
            if deed.query is None:
                yield {"type": codes.resource_type(deed.type), "role": codes.RESOURCE_ROLE}
            continue
        version = f"/_history/{deed.version}" if deed.version else ""
        what = {"what": {"reference": f"{deed.type}/{deed.id}{version}"}}
        if deed.type == "Patient":
            yield {**what, "type": codes.PERSON, "role": codes.PATIENT_ROLE}
        else:
            yield {**what, "type": codes.resource_type(deed.type), "role": codes.RESOURCE_ROLE}


def _query_entity(deed: Deed) -> Json:
    history = "_history" if deed.interaction == "history" else None
    place = "/".join(part for part in (deed.compartment, deed.type, deed.id, history) if part)
    text = f"{place}?{deed.query}"
    return {
        "type": codes.SYSTEM_OBJECT,
        "role": codes.QUERY_ROLE,
        "query": base64.b64encode(text.encode(errors="replace")).decode(),
        "detail": [{"type": "resources-shown", "valueString": str(len(deed.shown))}],
    }


def _outcome(deed: Deed) -> Outcome:
    if deed.is_denial or not deed.status or deed.status >= 500:
        return "8"
    return "4" if deed.status >= 400 else "0"


def _seen(type_name: str, logical_id: str, deed: Deed) -> Seen:
    return type_name, logical_id, deed.version or 0
