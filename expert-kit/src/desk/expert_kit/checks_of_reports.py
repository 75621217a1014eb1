"""Checks that only look back at what was recorded: the consumer's reports, its calls, and how it uses the broker."""

from desk.expert_kit.contract import CASES
from desk.expert_kit.errors import Fault
from desk.expert_kit.rehearsal import Rehearsal

PREFETCH_MAX = 10


async def reports_by_the_contract(it: Rehearsal) -> None:
    """All reports follow the contract. Raises Fault."""
    faults: list[str] = []
    numbers: dict[tuple[str, int], str] = {}
    for report in it.desk.reports:
        if report.fault:
            faults.append(f"{report.name}: data: {report.fault}")
            continue
        faults += it.contract.faults(report.envelope, report.data, report.properties, report.routing_key)
        place = (str(report.envelope.get("subject")), report.envelope.get("seq"))
        if isinstance(place[1], int) and numbers.setdefault((place[0], place[1]), report.id) != report.id:
            faults.append(f"{report.name}: seq {place[1]} was used by another report of the same request")
    if faults:
        several = list(dict.fromkeys(faults))
        shown = "".join(f"\n- {each}" for each in several[:12])
        raise Fault(f"{len(several)} violations of the contract:{shown}", "see desk.asyncapi.json")


async def downloads_files_by_the_contract(it: Rehearsal) -> None:
    """No call for a file was refused. Raises Fault."""
    if it.files.faults:
        shown = "".join(f"\n- {each}" for each in it.files.faults)
        raise Fault(f"calls for files were refused:{shown}", "; ".join(dict.fromkeys(it.files.faults.values())))
    if not it.files.calls:
        it.remarks.append("no file was downloaded; a request may have attachments, at DESK_URL/api/office/files/<id>")


async def publishes_mandatory(it: Rehearsal) -> None:
    """All reports were published with mandatory. Raises Fault."""
    published = [each for each in it.proxy.seen if each.kind == "publish"]
    if wrong := sum(not each.mandatory for each in published):
        raise Fault(
            f"{wrong} of {len(published)} reports were published without mandatory",
            f"set mandatory in basic.publish to {CASES}: without it the broker drops a report that no queue gets, and "
            "confirms it",
        )


async def uses_confirms(it: Rehearsal) -> None:
    """All reports were published on channels with publisher confirms. Raises Fault."""
    published = [each for each in it.proxy.seen if each.kind == "publish"]
    if wrong := sum(not each.confirmed for each in published):
        raise Fault(
            f"{wrong} of {len(published)} reports were published on a channel without publisher confirms",
            "select confirms on the channel (confirm.select), and acknowledge an event only once the broker has "
            "confirmed the reports on it",
        )


async def limits_its_prefetch(it: Rehearsal) -> None:
    """The queue is consumed with a prefetch limit. Raises Fault."""
    queue = it.contract.queue_name
    limits = {each.prefetch for each in it.proxy.seen if each.kind == "consume" and each.queue == queue}
    if 0 in limits:
        raise Fault(
            "it consumes without a prefetch limit: it is sent the whole queue at once",
            f"call basic.qos with prefetch_count 1, at most {PREFETCH_MAX}, on the channel before basic.consume; "
            "otherwise memory grows with the queue, and a crash counts against all events in delivery",
        )
    if most := max((limit for limit in limits if limit and limit > PREFETCH_MAX), default=0):
        it.remarks.append(f"prefetch is {most}: a crash counts against so many events; {PREFETCH_MAX} are enough")
