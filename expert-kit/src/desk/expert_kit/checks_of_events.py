"""Checks of the events that a consumer receives: each is accepted, and has its effect once."""

import json
from collections import defaultdict
from collections.abc import Iterable

from desk.expert_kit.contract import event_type, new_code
from desk.expert_kit.desk import Report
from desk.expert_kit.errors import Fault
from desk.expert_kit.rehearsal import Rehearsal, unreadable

LONG_TEXT = "درخواست بسیار بلند. " * 8000
UNKNOWN = "request-praised"
REPEATS = 2
OBJECTED, WITHDRAWN, REPLIED = "request-objected", "request-withdrawn", "request-replied"
ERASED, ACKNOWLEDGED = "request-erased", "case-erased"
DECISIONS = ("case-answered", "case-rejected")


WITHOUT_A_REQUEST = frozenset({"request-referred", "request-escalated", "province-silent"})
"""Events that need no request before: one brings it, the others are about the cases of other offices."""


async def accepts_a_request(it: Rehearsal) -> None:
    """A new request is acknowledged and reported received. Raises Fault."""
    await it.still_serves()


async def accepts_every_event(it: Rehearsal) -> None:
    """Each event of the contract is acknowledged. Raises Fault."""
    for name in it.contract.to_province:
        if name == "request-submitted":
            continue
        envelope = it.new(name)
        if name not in WITHOUT_A_REQUEST:
            before = it.new(code=envelope["subject"])
            await it.desk.publish("request-submitted", before)
            await it.handled(before)
            envelope["seq"] = 2
        await it.desk.publish(name, envelope)
        if name == "request-referred":
            await it.handled(envelope, name)
        else:
            await it.settled(name, envelope["id"])


async def leaves_objections_to_a_supervisor(it: Rehearsal) -> None:
    """An objection is acknowledged and not decided. Raises Fault."""
    request = it.new()
    code = request["subject"]
    await it.desk.publish("request-submitted", request)
    await it.handled(request)
    await it.still_serves()
    before = {each.id for each in it.reports_of(code)}
    objection = it.new(OBJECTED, code, 2)
    await it.desk.publish(OBJECTED, objection)
    await it.settled(OBJECTED, objection["id"])
    await it.still_serves()
    new = [report for report in it.reports_of(code) if report.id not in before]
    if decided := _names(report for report in new if report.name in DECISIONS):
        raise Fault(
            f"{OBJECTED} was decided without a supervisor: {decided}",
            f"show the objection to a supervisor who did not give the answer (data.answer_report_id, here "
            f"{objection['data'].get('answer_report_id')}); never answer it automatically",
        )


async def acknowledges_an_erasure(it: Rehearsal) -> None:
    """An erasure is reported done, under its certificate. Raises Fault."""
    request = it.new()
    code = request["subject"]
    await it.desk.publish("request-submitted", request)
    await it.handled(request)
    erasure = it.new(ERASED, code, 2)
    await it.desk.publish(ERASED, erasure)
    await it.settled(ERASED, erasure["id"])
    await it.wait(lambda: bool(it.reports_of(code, ACKNOWLEDGED)))
    reports = [each.data for each in it.reports_of(code, ACKNOWLEDGED)]
    wanted = erasure["data"]["certificate_id"]
    if not any(isinstance(data, dict) and data.get("certificate_id") == wanted for data in reports):
        raise Fault(
            f"no {ACKNOWLEDGED} with the certificate_id of {ERASED} was published within {it.patience:.0f} s",
            f"erase all that is stored of the case, then report {ACKNOWLEDGED}; the desk alerts its operators after "
            "seven days",
        )


async def counts_once(it: Rehearsal) -> None:
    """An event that is delivered three times is reported once. Raises Fault."""
    envelope = it.new()
    await it.desk.publish("request-submitted", envelope)
    await it.handled(envelope)
    for _ in range(REPEATS):
        await it.desk.publish("request-submitted", envelope)
    await it.settled("request-submitted", envelope["id"], times=1 + REPEATS)
    await it.still_serves()
    ids: dict[str, set[str]] = defaultdict(set)
    for report in it.reports_of(envelope["subject"]):
        ids[report.name].add(report.id)
    if twice := sorted(name for name, several in ids.items() if len(several) > 1):
        raise Fault(
            f"the same event was delivered {1 + REPEATS} times, and reported under different ids: {', '.join(twice)}",
            "store the id of each handled event and skip it when it is delivered again; or derive a report's id "
            "from the event's, so that the desk recognises it",
        )


async def accepts_any_order(it: Rehearsal) -> None:
    """A reply may arrive before its request. Raises Fault."""
    code = new_code()
    later, earlier = it.new("request-replied", code, 2), it.new("request-submitted", code, 1)
    await it.desk.publish("request-replied", later)
    await it.wait(lambda: it.count("deliver", later["id"]) > 0)
    await it.desk.publish("request-submitted", earlier)
    await it.handled(earlier)
    await it.settled("request-replied before its request-submitted", later["id"])


async def ignores_stale_events(it: Rehearsal) -> None:
    """An older event after a newer one, and a repeated one, are acknowledged without effect. Raises Fault."""
    request = it.new()
    code = request["subject"]
    await it.desk.publish("request-submitted", request)
    await it.handled(request)
    await it.still_serves()
    withdrawal, reply = it.new(WITHDRAWN, code, 3), it.new(REPLIED, code, 2)
    await it.desk.publish(WITHDRAWN, withdrawal)
    await it.settled(WITHDRAWN, withdrawal["id"])
    await it.still_serves()
    before = {each.id for each in it.reports_of(code)}
    await it.desk.publish(REPLIED, reply)
    await it.settled(f"{REPLIED} (seq 2) after {WITHDRAWN} (seq 3)", reply["id"])
    await it.desk.publish("request-submitted", request)
    await it.settled("request-submitted, delivered again after later events of its case,", request["id"], times=2)
    await it.still_serves()
    if new := _names(report for report in it.reports_of(code) if report.id not in before):
        raise Fault(
            f"a request that its applicant had withdrawn was reported on again: {new}",
            "store the highest seq of each case, and only acknowledge an event with a lower one, or with an id that "
            "was handled before",
        )


async def ignores_unknown_fields(it: Rehearsal) -> None:
    """Fields that the contract may add are ignored. Raises Fault."""
    envelope = it.new() | {"traceparent": "00-1", "unknown": {"a": [1]}}
    envelope["data"] |= {"unknown": {"deep": [1, None]}}
    envelope["data"]["applicant"]["unknown"] = True
    await it.desk.publish("request-submitted", envelope)
    await it.handled(envelope, "request-submitted with unknown fields")


async def ignores_unknown_events(it: Rehearsal) -> None:
    """Events and versions that the contract may add are acknowledged. Raises Fault."""
    await it.desk.bind(UNKNOWN, bound=True)
    try:
        event = it.new("request-rated") | {"type": event_type(UNKNOWN)}
        await it.desk.publish(UNKNOWN, event)
        await it.settled(f"{UNKNOWN}, which is not in the contract,", event["id"])
        newer = it.new()
        newer |= {"type": newer["type"].replace(".v1", ".v2"), "data": {"shape": "of another version"}}
        await it.desk.publish(UNKNOWN, newer)
        await it.settled("request-submitted.v2", newer["id"])
    finally:
        await it.desk.bind(UNKNOWN, bound=False)
    await it.still_serves()


async def rejects_invalid_messages(it: Rehearsal) -> None:
    """A message that is not JSON or lacks its data delays no other. Raises Fault."""
    body, event_id = unreadable()
    await it.desk.publish_bytes("request-submitted", body, event_id)
    answers = {await it.settled("a body that is no JSON", event_id, also=("reject",))}
    empty = it.new() | {"data": {}}
    await it.desk.publish("request-submitted", empty)
    answers.add(await it.settled("request-submitted without data", empty["id"], also=("reject",)))
    await it.still_serves()
    if "ack" in answers:
        it.remarks.append(
            "invalid messages are acknowledged and lost; if they were rejected with requeue=false, they would be "
            "dead-lettered, and an operator could restore them"
        )


async def accepts_a_long_text(it: Rehearsal) -> None:
    """A text of 150,000 letters is handled. Raises Fault."""
    envelope = it.new()
    envelope["data"]["text"] = LONG_TEXT
    await it.desk.publish("request-submitted", envelope)
    await it.handled(envelope, f"request-submitted of {len(json.dumps(envelope, ensure_ascii=False).encode())} bytes")


def _names(reports: Iterable[Report]) -> str:
    return ", ".join(sorted({report.name for report in reports}))
