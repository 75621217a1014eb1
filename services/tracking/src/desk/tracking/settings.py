"""Tracking's settings."""

from typing import Annotated, ClassVar

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from desk.chassis.rate_limits import RateLimitText
from desk.chassis.settings import (
    AuditSettings,
    CallerSettings,
    ClientSettings,
    ConsumerSettings,
    LogSettings,
    ProbedSettings,
    PublisherSettings,
    StoreSettings,
    TraceSettings,
)
from desk.iran.offices import OFFICE_KEYS
from desk.iran.settings import WorkCalendarSettings
from desk.tracking.domain import Published, Retention, State

RetentionDays = Annotated[int, Field(ge=1, le=36_500)]


class Settings(
    CallerSettings,
    ClientSettings,
    StoreSettings,
    PublisherSettings,
    ConsumerSettings,
    AuditSettings,
    LogSettings,
    ProbedSettings,
    TraceSettings,
    WorkCalendarSettings,
):
    """Read once, in ``create_app``. Each environment variable has the prefix ``DESK_TRACKING_``."""

    model_config = SettingsConfigDict(env_prefix="DESK_TRACKING_")
    receivers: ClassVar[frozenset[str]] = frozenset({"intake", "notifier", *OFFICE_KEYS})
    clients: ClassVar[frozenset[str]] = OFFICE_KEYS

    token_private_key: SecretStr
    """PEM of the Ed25519 key that signs tracking tokens."""
    token_seconds: int = 900
    session_seconds: Annotated[int, Field(ge=60, le=86_400)] = 7200
    """How long after a look-up tracking tokens are renewed by actions; then the request must be looked up again."""
    captcha_url: str
    """Base URL of the captcha service."""
    intake_url: str
    """Base URL of intake, which has the requests whose events have not arrived yet."""
    registry_url: str
    """Base URL of registry-gateway, which lists the look-ups of an applicant in the civil registry."""
    budget_url: SecretStr
    """``memory://`` or ``redis://…``: the counters of the rate limits."""
    misses_per_source: RateLimitText = "10/10 minutes"
    """Wrong tracking codes from one source (IPv4 address, IPv6 /56); further look-ups need a proof of work."""
    lookups_per_source: RateLimitText = "120/10 minutes"
    """Look-ups from one source, which many people may share; beyond it as for wrong codes."""
    misses_per_person: RateLimitText = "5/hour"
    """Lists of requests for one national ID that were empty; further lists for it need a proof of work."""
    moves_per_request: RateLimitText = "30/hour"
    """The number of actions on one request."""
    contact_changes_per_request: RateLimitText = "3/day"
    """How often the mobile of one request may be changed."""
    cases_per_office: RateLimitText = "600/hour"
    """How many cases an office may look up by tracking code."""
    published_figures: Published = Published.NONE
    """What ``/figures`` shows to everyone: ``none``, ``totals`` of months, or the totals of ``offices`` too."""
    reports_per_second: Annotated[float, Field(gt=0)] = 20
    """How many reports of one office a replica handles in a second, after a burst of 25 times as many."""
    objection_days: Annotated[int, Field(ge=0, le=365)] = 15
    """For how many days after an answer its applicant may object; then the request is closed."""
    question_days: Annotated[int, Field(ge=1, le=60)] = 10
    """Working days that an applicant has for a question; an office may name another number with its question."""
    silent_hours: Annotated[float, Field(gt=0, le=720)] = 24
    """After how many hours without a report from a province, while requests wait for it, headquarters is notified."""
    reconcile_days: Annotated[int, Field(ge=1, le=366)] = 7
    """How many days back intake and tracking are compared, once a day."""
    retention_decided_days: RetentionDays = 730
    """How many days after its last change an answered, rejected or closed request is erased."""
    retention_withdrawn_days: RetentionDays = 90
    """How many days after its withdrawal a request is erased."""
    retention_identity_rejected_days: RetentionDays = 30
    """How many days after the civil registry did not confirm its applicant a request is erased."""
    retention_identity_pending_days: RetentionDays = 90
    """How many days a request waits for the civil registry before it is erased."""

    @property
    def retention(self) -> Retention:
        """The terms after which cases are erased; a case that is being handled has none."""
        decided = dict.fromkeys((State.ANSWERED, State.REJECTED, State.CLOSED), self.retention_decided_days)
        return Retention(
            {
                **decided,
                State.WITHDRAWN: self.retention_withdrawn_days,
                State.IDENTITY_REJECTED: self.retention_identity_rejected_days,
                State.IDENTITY_PENDING: self.retention_identity_pending_days,
            }
        )
