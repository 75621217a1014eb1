"""The checks, in their order. Each passes or raises a fault."""

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from desk.expert_kit.contract import event_type, new_code
from desk.expert_kit.errors import Fault
from desk.expert_kit.proxy import Observation
from desk.expert_kit.rehearsal import Rehearsal, unreadable

LONG_TEXT = "درخواست بسیار بلند. " * 8000
UNKNOWN = "request-praised"
REPEATS = 2
BY_HAND_SECONDS = 600.0
"""How long the check waits for a consumer that is started by hand."""
OBJECTED = "request-objected"
ERASED, ACKNOWLEDGED = "request-erased", "case-erased"
DECISIONS = ("case-answered", "case-rejected")


@dataclass(frozen=True, slots=True)
class Check:
    """A check: its name, the text when it passes, and whether the others depend on it."""

    name: str
    says: str
    run: Callable[[Rehearsal], Awaitable[None]]
    first: bool = False
    kills: bool = False
    """It kills the consumer, and therefore needs its command."""
    looks_back: bool = False
    """It only evaluates what the other checks recorded."""


async def _connects(it: Rehearsal) -> None:
    queue = f"province.{it.contract.province}"
    seconds = it.patience if it.program is not None else BY_HAND_SECONDS
    if not await it.connected(0, seconds):
        if it.program is not None and (code := it.program.ended) is not None:
            raise Fault(f"it ended with exit code {code}:\n{it.program.log_tail()}", "fix this first")
        others = sorted({each.queue for each in it.proxy.seen if each.kind == "consume"})
        read = f"; it reads {', '.join(others)}" if others else ""
        raise Fault(f"no consumer read {queue} within {seconds:.0f} s{read}", f"consume the queue {queue}")
    if any(each.without_acks for each in it.proxy.seen if each.kind == "consume"):
        raise Fault(
            "it consumes without acknowledgements (no_ack)",
            "consume with acknowledgements; otherwise events in delivery are lost when the consumer stops",
        )


async def _accepts_a_request(it: Rehearsal) -> None:
    await it.still_serves()


async def _accepts_every_event(it: Rehearsal) -> None:
    for name in it.contract.to_province:
        if name == "request-submitted":
            continue
        envelope = it.new(name)
        if name != "request-referred":
            before = it.new(code=envelope["subject"])
            await it.desk.publish("request-submitted", before)
            await it.handled(before)
            envelope["seq"] = 2
        await it.desk.publish(name, envelope)
        if name == "request-referred":
            await it.handled(envelope, name)
        else:
            await it.settled(name, envelope["id"])


async def _leaves_objections_to_a_supervisor(it: Rehearsal) -> None:
    request = it.new()
    code = request["subject"]
    await it.desk.publish("request-submitted", request)
    await it.handled(request)
    await it.still_serves()
    before = {str(report.envelope.get("id")) for report in it.reports_of(code)}
    objection = it.new(OBJECTED, code, 2)
    await it.desk.publish(OBJECTED, objection)
    await it.settled(OBJECTED, objection["id"])
    await it.still_serves()
    new = [report for report in it.reports_of(code) if str(report.envelope.get("id")) not in before]
    if decided := sorted({report.name for report in new if report.name in DECISIONS}):
        raise Fault(
            f"{OBJECTED} was decided without a supervisor: {', '.join(decided)}",
            f"show the objection to a supervisor who did not give the answer (data.answer_report_id, here "
            f"{objection['data'].get('answer_report_id')}); never answer it automatically",
        )


async def _acknowledges_an_erasure(it: Rehearsal) -> None:
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


async def _counts_once(it: Rehearsal) -> None:
    envelope = it.new()
    await it.desk.publish("request-submitted", envelope)
    await it.handled(envelope)
    for _ in range(REPEATS):
        await it.desk.publish("request-submitted", envelope)
    await it.settled("request-submitted", envelope["id"], times=1 + REPEATS)
    await it.still_serves()
    ids: dict[str, set[str]] = defaultdict(set)
    for report in it.reports_of(envelope["subject"]):
        ids[report.name].add(str(report.envelope.get("id")))
    if twice := sorted(name for name, several in ids.items() if len(several) > 1):
        raise Fault(
            f"the same event was delivered {1 + REPEATS} times, and reported under different ids: {', '.join(twice)}",
            "store the id of each handled event and skip it when it is delivered again; or derive a report's id "
            "from the event's, so that the desk recognises it",
        )


async def _accepts_any_order(it: Rehearsal) -> None:
    code = new_code()
    later, earlier = it.new("request-replied", code, 2), it.new("request-submitted", code, 1)
    await it.desk.publish("request-replied", later)
    await it.wait(lambda: it.count("deliver", later["id"]) > 0)
    await it.desk.publish("request-submitted", earlier)
    await it.handled(earlier)
    await it.settled("request-replied before its request-submitted", later["id"])


async def _ignores_unknown_fields(it: Rehearsal) -> None:
    envelope = it.new() | {"traceparent": "00-1", "unknown": {"a": [1]}}
    envelope["data"] |= {"unknown": {"deep": [1, None]}}
    envelope["data"]["applicant"]["unknown"] = True
    await it.desk.publish("request-submitted", envelope)
    await it.handled(envelope, "request-submitted with unknown fields")


async def _ignores_unknown_events(it: Rehearsal) -> None:
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


async def _rejects_invalid_messages(it: Rehearsal) -> None:
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


async def _refuses_data_of_others(it: Rehearsal) -> None:
    foreign = it.new()
    moved = it.new()
    for what, sealed in (
        ("an event that is encrypted for another key", it.desk.seal(foreign, foreign=True)),
        ("an event with the encrypted data of another event", it.desk.seal(moved, event_id=new_code())),
    ):
        await it.desk.publish_sealed("request-submitted", sealed)
        await it.settled(what, sealed["id"], also=("reject",))
    await it.still_serves()
    if it.reports_of(moved["subject"]):
        raise Fault(
            "the encrypted data of another event was handled",
            "compare event_id in the protected header with the id of the event, and reject it if they differ",
        )


async def _accepts_a_long_text(it: Rehearsal) -> None:
    envelope = it.new()
    envelope["data"]["text"] = LONG_TEXT
    await it.desk.publish("request-submitted", envelope)
    await it.handled(envelope, f"request-submitted of {len(json.dumps(envelope, ensure_ascii=False).encode())} bytes")


async def _reconnects(it: Rehearsal) -> None:
    envelope = it.new()
    since = len(it.proxy.seen)
    it.proxy.set_trap(lambda each: each.kind == "deliver" and each.event_id == envelope["id"])
    await it.desk.publish("request-submitted", envelope)
    await it.wait(lambda: it.proxy.sprung)
    it.proxy.shut = True
    await it.proxy.cut()
    it.proxy.set_trap(None)
    since = len(it.proxy.seen)
    it.proxy.shut = False
    if not await it.connected(since):
        if it.program is None or it.program.ended is None:
            raise Fault(
                f"the broker was unavailable briefly, and the consumer did not reconnect within {it.patience:.0f} s",
                "connect again whenever the connection is lost, with a pause that grows",
            )
        it.remarks.append("it ended when the broker was unavailable; its service manager must restart it")
        it.program.start()
        await it.connected(since)
    await it.handled(envelope, "request-submitted, delivered just before the connection broke,")


async def _survives_a_kill_at_its_report(it: Rehearsal) -> None:
    await _killed(it, "at its first report", lambda each, code: each.kind == "publish" and code.encode() in each.body)


async def _survives_a_kill_at_its_ack(it: Rehearsal) -> None:
    await _killed(it, "right after its acknowledgement", lambda each, _: each.kind == "ack")


async def _killed(it: Rehearsal, when: str, trap: Callable[[Observation, str], bool]) -> None:
    envelope = it.new()
    code, event_id = envelope["subject"], envelope["id"]
    it.proxy.set_trap(lambda each: (each.kind == "publish" or each.event_id == event_id) and trap(each, code))
    await it.desk.publish("request-submitted", envelope)
    if not await it.wait(lambda: it.proxy.sprung):
        raise Fault(f"the request was neither reported nor acknowledged within {it.patience:.0f} s", "see above")
    if not await it.restart():
        raise Fault("killed and started again, it does not read its queue", "start without manual steps after a crash")
    if not await it.wait(lambda: bool(it.reports_of(code, "case-received"))):
        raise Fault(
            f"killed {when} and started again, it does not report the request: the case is lost",
            "acknowledge only after the case is stored and reported, and mark it handled only then",
        )
    await it.settled("request-submitted", event_id)


async def _reports_by_the_contract(it: Rehearsal) -> None:
    faults: list[str] = []
    numbers: dict[tuple[str, int], str] = {}
    for report in it.desk.reports:
        if report.fault:
            faults.append(f"{report.name}: data: {report.fault}")
            continue
        faults += it.contract.faults(report.envelope, report.data, report.properties, report.routing_key)
        place, own = (str(report.envelope.get("subject")), report.envelope.get("seq")), report.envelope.get("id")
        if isinstance(place[1], int) and numbers.setdefault((place[0], place[1]), str(own)) != own:
            faults.append(f"{report.name}: seq {place[1]} was used by another report of the same request")
    if faults:
        several = list(dict.fromkeys(faults))
        shown = "".join(f"\n- {each}" for each in several[:12])
        raise Fault(f"{len(several)} violations of the contract:{shown}", "see desk.asyncapi.json")
    if not all(each.confirmed for each in it.proxy.seen if each.kind == "publish"):
        it.remarks.append("publisher confirms are off: a report that the broker did not receive counts as sent")


async def _downloads_files_by_the_contract(it: Rehearsal) -> None:
    if it.files.faults:
        shown = "".join(f"\n- {each}" for each in it.files.faults)
        raise Fault(f"calls for files were refused:{shown}", "see /api/office/files in intake.openapi.json")
    if not it.files.calls:
        it.remarks.append("no file was downloaded; a request may have attachments, at DESK_URL/api/office/files/<id>")


CHECKS = (
    Check("connects", "reads its queue, with acknowledgements", _connects, first=True),
    Check("request", "a new request is acknowledged and reported received", _accepts_a_request, first=True),
    Check("every event", "every event of the contract is accepted", _accepts_every_event),
    Check("objections", "an objection is left to a supervisor", _leaves_objections_to_a_supervisor),
    Check("erasure", "an erasure is acknowledged", _acknowledges_an_erasure),
    Check("duplicates", "an event that is delivered again is reported once", _counts_once),
    Check("disorder", "a later event may arrive before the earlier", _accepts_any_order),
    Check("unknown fields", "fields it does not know are ignored", _ignores_unknown_fields),
    Check("unknown events", "events and versions it does not know are acknowledged", _ignores_unknown_events),
    Check("unreadable", "an invalid message delays no other", _rejects_invalid_messages),
    Check("encryption", "data for another key, or of another event, is not handled", _refuses_data_of_others),
    Check("long text", "a very long text is accepted", _accepts_a_long_text),
    Check("broker unavailable", "it reconnects and handles the events that were in delivery", _reconnects),
    Check("killed at report", "killed while it reports, it loses no event", _survives_a_kill_at_its_report, kills=True),
    Check("killed at ack", "events that it acknowledged are stored", _survives_a_kill_at_its_ack, kills=True),
    Check("reports", "all its reports follow the contract", _reports_by_the_contract, looks_back=True),
    Check("files", "files are requested by the contract", _downloads_files_by_the_contract, looks_back=True),
)
