"""Checks of the encryption of events."""

from desk.expert_kit.contract import new_code
from desk.expert_kit.errors import Fault
from desk.expert_kit.rehearsal import Rehearsal


async def refuses_data_of_others(it: Rehearsal) -> None:
    """Data for another key, or moved from another event, is rejected and not handled. Raises Fault."""
    foreign, moved, keys = it.new(), it.new(), it.desk.keys
    for what, sealed in (
        ("an event that is encrypted for another key", keys.seal(foreign, [keys.foreign])),
        ("an event with the encrypted data of another event", keys.seal(moved, event_id=new_code())),
    ):
        await it.desk.publish_sealed("request-submitted", sealed)
        await it.settled(what, sealed["id"], also=("reject",))
    await it.still_serves()
    if it.reports_of(moved["subject"]):
        raise Fault(
            "the encrypted data of another event was handled",
            "compare event_id in the protected header with the id of the event, and reject it if they differ",
        )


async def reads_events_during_a_rotation(it: Rehearsal) -> None:
    """Events for the former key, the current key, or both are handled. Raises Fault."""
    keys = it.desk.keys
    for what, recipients, advice in (
        (
            "an event for two offices",
            [keys.foreign, keys.current],
            "choose the recipient whose kid is the thumbprint (RFC 7638) of your key, wherever it is in the list",
        ),
        (
            "an event for the former key",
            [keys.former],
            "keep the former key (FORMER_EVENT_PRIVATE_KEY) for 30 days, and choose a key by the kid of a recipient",
        ),
        (
            "an event for the former and the current key",
            [keys.former, keys.current],
            "two recipients of an event may be yours: use either of them",
        ),
    ):
        envelope = it.new()
        await it.desk.publish_sealed("request-submitted", keys.seal(envelope, recipients))
        try:
            await it.handled(envelope, what)
        except Fault as fault:
            raise Fault(str(fault), advice) from None
