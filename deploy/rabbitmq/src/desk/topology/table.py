"""Who publishes and consumes what: the one table from which brokers are set up, embedded or real."""

from dataclasses import dataclass

from desk.chassis.bus import QueueSpec, Topology
from desk.iran.offices import HEADQUARTERS, OFFICES

EVENTS, CASES, DEAD = "desk.events", "desk.cases", "desk.dead"

CONTACT_CHANGED = "request-contact-changed"
"""Another mobile of a request, for its office and for notifier."""

TO_OFFICES = (
    "request-submitted",
    "request-referred",
    "request-replied",
    "request-objected",
    "request-unanswered",
    "request-withdrawn",
    "request-rated",
    "request-overdue",
    "request-taken-over",
    "request-commented",
    "request-notice-failed",
    CONTACT_CHANGED,
    "request-erased",
    "case-refused",
)
"""What an office receives about its own requests, and why a report of its own was refused."""

ERASED, ERASURE_DONE = "request-erased", "request-erasure-done"
"""The request to erase, also to services, and the acknowledgement of a service."""

NOTICE_FAILED = "notice-failed"
"""What notifier publishes to tracking about an SMS that was not delivered."""

TO_NOTIFIER = ("request-submitted", "request-pending", "request-status-changed", CONTACT_CHANGED, ERASED)
"""What notifier consumes, of all offices."""

TO_HEADQUARTERS = ("request-escalated", "province-silent")
"""What headquarters alone receives: an answer that is late for a second period, and an office that sends nothing."""

PENDING = ("request-pending", "request-identity-rejected")
"""What no office receives: a request whose identity check is pending, and the end of a request that failed it."""

PROBED = "request-probed"
"""What only tracking receives: a synthetic request of ``desk-probe``."""

TO_INTAKE = ("request-pending-withdrawn",)
"""What only intake receives: a pending request that its applicant has withdrawn, and that needs no look-up."""

FROM_OFFICES = (
    "case-received",
    "case-assigned",
    "case-opened",
    "case-info-requested",
    "case-answered",
    "case-rejected",
    "case-referred",
    "case-erased",
)
"""What an office may report."""

FROM_HEADQUARTERS = ("case-taken-over", "case-commented")
"""What headquarters alone may report, about the cases of all offices."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service at the broker: its user, its queue if it has one, and the events it may publish."""

    user: str
    queue: str | None
    publishes: tuple[str, ...]
    untrusted: tuple[str, ...] = ()
    """Further queues, whose messages come from offices."""

    @property
    def queues(self) -> tuple[str, ...]:
        """All queues of the service."""
        return (*([self.queue] if self.queue is not None else []), *self.untrusted)


def report_queue(key: str) -> str:
    """Return the name of the queue with the reports of an office, so that none can delay those of another."""
    return f"reports.{key}"


SERVICES = (
    Service("intake", "intake", ("request-submitted", *PENDING, PROBED, ERASURE_DONE)),
    Service(
        "tracking",
        "tracking",
        (
            "request-status-changed",
            *(name for name in TO_OFFICES if name != "request-submitted"),
            *TO_HEADQUARTERS,
            *TO_INTAKE,
        ),
        tuple(report_queue(each.key) for each in OFFICES),
    ),
    Service("notifier", "notifier", (ERASURE_DONE, NOTICE_FAILED)),
)

OPERATOR = "operator"
"""The user who lists and replays dead letters."""


def office_queue(key: str) -> str:
    """Return the name of an office's queue, which is also the name of its user: `province.<key>` or `headquarters`."""
    return key if key == HEADQUARTERS.key else f"province.{key}"


def events_to(key: str) -> tuple[str, ...]:
    """Return the events that an office receives."""
    return (*TO_OFFICES, *TO_HEADQUARTERS) if key == HEADQUARTERS.key else TO_OFFICES


def reports_from(key: str) -> tuple[str, ...]:
    """Return the reports that an office may send."""
    return (*FROM_OFFICES, *FROM_HEADQUARTERS) if key == HEADQUARTERS.key else FROM_OFFICES


def desk_topology() -> Topology:
    """Return all exchanges and queues. Each office has its queue before it first connects, so nothing is lost."""
    return Topology(
        exchanges=(EVENTS, CASES, DEAD),
        queues=(
            QueueSpec(
                "intake",
                tuple((EVENTS, f"{name}.*") for name in ("request-referred", "request-replied", *TO_INTAKE, ERASED)),
            ),
            QueueSpec(
                "tracking",
                tuple(
                    (EVENTS, f"{name}.*")
                    for name in ("request-submitted", *PENDING, PROBED, ERASURE_DONE, NOTICE_FAILED)
                ),
            ),
            *(
                QueueSpec(
                    report_queue(each.key),
                    tuple((CASES, f"{name}.{each.key}") for name in reports_from(each.key)),
                    untrusted=True,
                )
                for each in OFFICES
            ),
            QueueSpec(
                "notifier",
                tuple((EVENTS, f"{name}.*") for name in TO_NOTIFIER),
            ),
            *(
                QueueSpec(office_queue(each.key), tuple((EVENTS, f"{name}.{each.key}") for name in events_to(each.key)))
                for each in OFFICES
            ),
        ),
    )
