"""Checks of failures: of the broker, of the consumer, and of the way of a report."""

from collections.abc import Callable

from desk.expert_kit.errors import Fault
from desk.expert_kit.proxy import Observation
from desk.expert_kit.rehearsal import Rehearsal

BY_HAND_SECONDS = 600.0
"""How long the check waits for a consumer that is started by hand."""
RETURN_SECONDS = 2.0
"""How long the broker may take to return a report."""


async def connects(it: Rehearsal) -> None:
    """The consumer reads its queue, with acknowledgements. Raises Fault."""
    queue = it.contract.queue_name
    seconds = it.patience if it.program is not None else BY_HAND_SECONDS
    if not await it.connected(0, seconds):
        if it.program is not None and (code := it.program.ended) is not None:
            output = "\n".join(it.program.log_since())
            raise Fault(f"it ended with exit code {code}; its output:\n{output}", "fix this first")
        others = sorted({each.queue for each in it.proxy.seen if each.kind == "consume"})
        read = f"; it reads {', '.join(others)}" if others else ""
        raise Fault(f"no consumer read {queue} within {seconds:.0f} s{read}", f"consume the queue {queue}")
    if any(each.without_acks for each in it.proxy.seen if each.kind == "consume"):
        raise Fault(
            "it consumes without acknowledgements (no_ack)",
            "consume with acknowledgements; otherwise events in delivery are lost when the consumer stops",
        )


async def reconnects(it: Rehearsal) -> None:
    """The consumer connects again after the broker was unavailable, and handles what was in delivery. Raises Fault."""
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


async def publishes_a_returned_report_again(it: Rehearsal) -> None:
    """A report that no queue got is published again. Raises Fault."""
    envelope = it.new()
    code, event_id = envelope["subject"], envelope["id"]
    since = len(it.proxy.seen)

    def returned() -> bool:
        return any(each.kind == "return" and code.encode() in each.body for each in it.proxy.seen[since:])

    def received() -> bool:
        return bool(it.reports_of(code, "case-received"))

    def published() -> bool:
        return any(each.kind == "publish" and code.encode() in each.body for each in it.proxy.seen[since:])

    await it.desk.take_reports(taken=False)
    try:
        await it.desk.publish("request-submitted", envelope)
        await it.wait(lambda: returned() or (bool(it.count("ack", event_id)) and published()))
        await it.wait(returned, RETURN_SECONDS)
    finally:
        await it.desk.take_reports(taken=True)
    if not returned():
        raise Fault(
            "a report that no queue got was published without mandatory, and is lost",
            "publish with mandatory=true: the broker then returns such a report (basic.return) before the confirm",
        )
    if not await it.wait(received) and it.program is not None and it.program.ended is not None:
        it.remarks.append("it ended when a report was returned; its service manager must restart it")
        it.program.start()
        await it.wait(received)
    if not received():
        raise Fault(
            "a report that the broker returned (basic.return) was not published again: it is lost",
            "treat a returned report like one that is not confirmed: publish it again after a pause, and only then "
            "acknowledge the event. Many clients return a result instead of an error",
        )
    await it.settled("request-submitted", event_id)


async def survives_a_kill_at_its_report(it: Rehearsal) -> None:
    """Killed while it reports, the consumer loses no request. Raises Fault."""
    await _killed(it, "at its first report", lambda each, code: each.kind == "publish" and code.encode() in each.body)


async def survives_a_kill_at_its_ack(it: Rehearsal) -> None:
    """Killed after its acknowledgement, the consumer has the request. Raises Fault."""
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
