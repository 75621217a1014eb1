"""The checks, in their order. Each passes or raises a fault."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from desk.expert_kit import checks_of_encryption as encryption
from desk.expert_kit import checks_of_events as events
from desk.expert_kit import checks_of_failures as failures
from desk.expert_kit import checks_of_reports as reports
from desk.expert_kit.rehearsal import Rehearsal


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


CHECKS = (
    Check("connects", "reads its queue, with acknowledgements", failures.connects, first=True),
    Check("request", "a new request is acknowledged and reported received", events.accepts_a_request, first=True),
    Check("every event", "every event of the contract is accepted", events.accepts_every_event),
    Check("objections", "an objection is left to a supervisor", events.leaves_objections_to_a_supervisor),
    Check("erasure", "an erasure is acknowledged", events.acknowledges_an_erasure),
    Check("duplicates", "an event that is delivered again is reported once", events.counts_once),
    Check("disorder", "a later event may arrive before the earlier", events.accepts_any_order),
    Check("stale events", "an older event after a newer one has no effect", events.ignores_stale_events),
    Check("unknown fields", "fields it does not know are ignored", events.ignores_unknown_fields),
    Check("unknown events", "events and versions it does not know are acknowledged", events.ignores_unknown_events),
    Check("unreadable", "an invalid message delays no other", events.rejects_invalid_messages),
    Check("encryption", "data for another key, or of another event, is not handled", encryption.refuses_data_of_others),
    Check("rotation", "events for its former and its current key are read", encryption.reads_events_during_a_rotation),
    Check("long text", "a very long text is accepted", events.accepts_a_long_text),
    Check("broker unavailable", "it reconnects and handles the events that were in delivery", failures.reconnects),
    Check("returned report", "a report that no queue got is sent again", failures.publishes_a_returned_report_again),
    Check(
        "killed at report",
        "killed while it reports, it loses no event",
        failures.survives_a_kill_at_its_report,
        kills=True,
    ),
    Check("killed at ack", "events that it acknowledged are stored", failures.survives_a_kill_at_its_ack, kills=True),
    Check("reports", "all its reports follow the contract", reports.reports_by_the_contract, looks_back=True),
    Check("mandatory", "a report that no queue gets would be returned", reports.publishes_mandatory, looks_back=True),
    Check("confirms", "the broker confirms each report", reports.uses_confirms, looks_back=True),
    Check("prefetch", "the number of events in delivery is limited", reports.limits_its_prefetch, looks_back=True),
    Check("files", "files are requested by the contract", reports.downloads_files_by_the_contract, looks_back=True),
)
