"""Who publishes and consumes what: the one table from which brokers are set up, embedded or real."""

from dataclasses import dataclass

from desk.chassis.bus import QueueSpec, Topology
from desk.iran.provinces import PROVINCES

EVENTS, CASES, DEAD = "desk.events", "desk.cases", "desk.dead"

TO_PROVINCES = (
    "request-submitted",
    "request-referred",
    "request-replied",
    "request-objected",
    "request-withdrawn",
    "request-rated",
    "request-overdue",
    "request-erased",
    "case-refused",
)
"""What a province receives about its own requests, and why a report of its own was refused."""

ERASED, ERASURE_DONE = "request-erased", "request-erasure-done"
"""The request to erase, also to services and headquarters, and the acknowledgement of a service."""

TO_HEADQUARTERS = ("request-escalated", "province-silent")
"""What headquarters receives: an answer that is late for a second period, and a province that acknowledges nothing."""
HEADQUARTERS = "headquarters"
"""The queue of headquarters, its user, and the routing key of its events."""

PENDING = ("request-pending", "request-identity-rejected")
"""What no province receives: a request whose identity check is pending, and the end of a request that failed it."""

TO_INTAKE = ("request-pending-withdrawn",)
"""What only intake receives: a pending request that its applicant has withdrawn, and that needs no look-up."""

FROM_PROVINCES = (
    "case-received",
    "case-assigned",
    "case-opened",
    "case-info-requested",
    "case-answered",
    "case-rejected",
    "case-referred",
    "case-erased",
)
"""What a province may report."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service at the broker: its user, its queue if it has one, and the events it may publish."""

    user: str
    queue: str | None
    publishes: tuple[str, ...]
    untrusted: tuple[str, ...] = ()
    """Further queues, whose messages come from provinces."""

    @property
    def queues(self) -> tuple[str, ...]:
        """All queues of the service."""
        return (*([self.queue] if self.queue is not None else []), *self.untrusted)


def report_queue(key: str) -> str:
    """Return the name of the queue with the reports of a province, so that none can delay those of another."""
    return f"reports.{key}"


SERVICES = (
    Service("intake", "intake", ("request-submitted", *PENDING, ERASURE_DONE)),
    Service(
        "tracking",
        "tracking",
        (
            "request-status-changed",
            *(name for name in TO_PROVINCES if name != "request-submitted"),
            *TO_HEADQUARTERS,
            *TO_INTAKE,
        ),
        tuple(report_queue(each.key) for each in PROVINCES),
    ),
    Service("notifier", "notifier", (ERASURE_DONE,)),
)

OPERATOR = "operator"
"""The user who lists and replays dead letters."""


def province_queue(key: str) -> str:
    """Return the name of a province's queue."""
    return f"province.{key}"


def desk_topology() -> Topology:
    """Return all exchanges and queues. Each province has its queue before it first connects, so nothing is lost."""
    return Topology(
        exchanges=(EVENTS, CASES, DEAD),
        queues=(
            QueueSpec(
                "intake",
                tuple((EVENTS, f"{name}.*") for name in ("request-referred", "request-replied", *TO_INTAKE, ERASED)),
            ),
            QueueSpec(
                "tracking",
                tuple((EVENTS, f"{name}.*") for name in ("request-submitted", *PENDING, ERASURE_DONE)),
            ),
            *(
                QueueSpec(
                    report_queue(each.key),
                    tuple((CASES, f"{name}.{each.key}") for name in FROM_PROVINCES),
                    untrusted=True,
                )
                for each in PROVINCES
            ),
            QueueSpec(
                "notifier",
                tuple(
                    (EVENTS, f"{name}.*")
                    for name in ("request-submitted", "request-pending", "request-status-changed", ERASED)
                ),
            ),
            QueueSpec(HEADQUARTERS, tuple((EVENTS, f"{name}.{HEADQUARTERS}") for name in (*TO_HEADQUARTERS, ERASED))),
            *(
                QueueSpec(province_queue(each.key), tuple((EVENTS, f"{name}.{each.key}") for name in TO_PROVINCES))
                for each in PROVINCES
            ),
        ),
    )
