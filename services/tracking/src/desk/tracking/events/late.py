"""The events that tracking publishes about late answers and silent offices."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from desk.chassis.events import Event
from desk.chassis.moments import Moment
from desk.tracking.domain import State
from desk.tracking.events.parts import Named, Titled


class LateCase(Event):
    """Base of the events about a late answer; ``due_at`` is when the answer was due."""

    tracking_code: str
    at: Moment
    due_at: Moment
    state: State
    province: Named
    subject: Titled
    sub_subject: Titled
    office_due_at: Moment | None = None
    """When the present office had to answer, if it got the case after ``due_at``."""


class RequestOverdue(LateCase):
    """To the province, once in each period: its answer is late."""

    name: ClassVar[str] = "request-overdue"
    receivers: ClassVar[tuple[str, ...]] = ("{key}",)


class Stay(BaseModel):
    """How long an office had a case; ``until`` is null for the present office."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    office: Named
    since: Moment
    until: Moment | None = None


class RequestEscalated(LateCase):
    """To headquarters, once in each period: a second period has passed without an answer."""

    name: ClassVar[str] = "request-escalated"
    receivers: ClassVar[tuple[str, ...]] = ("{key}",)

    trail: list[Stay] = Field(default_factory=list)
    """The offices that have had the case, the present one last; of several stays of an office only the latest."""


class ProvinceSilent(Event):
    """To headquarters: a province acknowledges no requests while some wait for it."""

    name: ClassVar[str] = "province-silent"
    receivers: ClassVar[tuple[str, ...]] = ("{key}",)

    province: Named
    at: Moment
    waiting: int
    """The number of requests that it has not acknowledged in time."""
    oldest_since: Moment
    """When the oldest of them was registered there."""
