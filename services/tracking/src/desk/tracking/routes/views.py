"""The response of every route: a request as its applicant may see it."""

from collections.abc import Sequence
from typing import Literal, Self

from fastapi import Response
from pydantic import BaseModel, ConfigDict, computed_field

from desk.chassis.moments import Moment
from desk.iran.email_address import mask_email
from desk.iran.jalali import local_text
from desk.iran.phone import mask_phone
from desk.tracking.domain import TITLES, Action, Contact, HistoryEntry, State
from desk.tracking.events import Content, Named, Titled
from desk.tracking.responses import FreshContact
from desk.tracking.routes.dependencies import TOKEN_AUDIENCE, Services
from desk.tracking.routes.guards import TrackingSession
from desk.tracking.service import Overview, OwnRequest


class FileView(BaseModel):
    """A file of an answer or a reply, fetched at ``GET /api/files/{id}``; ``size`` in bytes."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    size: int


class ContactView(BaseModel):
    """The applicant's contact data, masked: first and last characters."""

    mobile: str
    landline: str | None
    email: str | None

    @classmethod
    def of(cls, contact: Contact | FreshContact) -> Self:
        """Return the masked form."""
        return cls(
            mobile=mask_phone(contact.mobile),
            landline=mask_phone(contact.landline) if contact.landline else None,
            email=mask_email(contact.email) if contact.email else None,
        )


class LookupView(BaseModel):
    """A look-up of the applicant in the civil registry; ``local`` is ``at`` in Jalali and Tehran time."""

    model_config = ConfigDict(from_attributes=True)

    at: Moment
    purpose: str

    @computed_field  # type: ignore[prop-decorator]
    @property
    def local(self) -> str:
        """The moment as pages show it."""
        return local_text(self.at)


class LookupsView(BaseModel):
    """The look-ups of an applicant in the civil registry, the newest first."""

    lookups: list[LookupView]


class AnswerView(BaseModel):
    """The experts' answer."""

    model_config = ConfigDict(from_attributes=True)

    text: str
    at: Moment
    files: list[FileView]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def local(self) -> str:
        """``at`` in Jalali and Tehran time, ``1405-09-22 14:30``."""
        return local_text(self.at)


class HistoryEntryView(BaseModel):
    """One entry of the history."""

    model_config = ConfigDict(from_attributes=True)

    at: Moment
    state: State
    title: str
    note: str | None
    action: Action | Literal["opened", "contact_changed"] | None
    """The applicant's action, if the entry records one.

    ``opened`` if an expert opened the case, ``contact_changed`` for a new mobile, whose masked number is the note.
    """
    files: list[FileView]
    """The files that the applicant sent."""

    @classmethod
    def of(cls, entry: HistoryEntry) -> Self:
        """Return the view of an entry."""
        view = cls.model_validate(entry)
        if not entry.is_record:
            return view
        return view.model_copy(update={"action": "opened" if entry.opened else "contact_changed"})

    @computed_field  # type: ignore[prop-decorator]
    @property
    def local(self) -> str:
        """``at`` in Jalali and Tehran time, ``1405-09-22 14:30``."""
        return local_text(self.at)


class TrackingView(Content):
    """A request as its applicant may see it. ``actions`` lists the actions that ``token`` allows.

    ``text``, ``attachments`` and ``contact`` are what the applicant sent. The fields that end in ``_local`` are moments
    in Jalali and Tehran time, ``1405-09-22 14:30``. ``objection_until`` is the last moment of an objection, if one is
    possible.
    """

    tracking_code: str
    state: State
    state_title: str
    submitted_at: Moment
    submitted_local: str
    due_at: Moment
    due_local: str
    province: Named
    office: Named
    """The office that handles the request: that of the province, or headquarters."""
    subject: Titled
    sub_subject: Titled
    attachments: list[FileView]
    contact: ContactView
    contact_changeable: bool
    """Whether ``POST /api/tracking/contact`` is possible."""
    unreached: bool
    """Whether an SMS about the request did not reach this mobile, so that the applicant should check it."""
    source: str
    """``web``, or ``counter`` or ``phone`` if an office registered it."""
    representative: str | None
    """The name of the person who sent it for the applicant, if another person did."""
    history: list[HistoryEntryView]
    answer: AnswerView | None
    actions: list[Action]
    objection_until: Moment | None
    objection_until_local: str | None
    reply_until: Moment | None
    """Until when a question can be answered; in the state ``unanswered`` the answer opens the request again."""
    reply_until_local: str | None
    token: str

    @classmethod
    def of(cls, overview: Overview, tracking_code: str, token: str) -> Self:
        """Return the view of a request with a token for its actions."""
        return cls(
            tracking_code=tracking_code,
            state=overview.state,
            state_title=TITLES[overview.state],
            submitted_at=overview.request.submitted_at,
            submitted_local=local_text(overview.request.submitted_at),
            due_at=overview.due_at,
            due_local=local_text(overview.due_at),
            province=Named.model_validate(overview.request.province),
            office=Named.model_validate(overview.office),
            subject=Titled.model_validate(overview.request.subject),
            sub_subject=Titled.model_validate(overview.request.sub_subject),
            **{name: getattr(overview.request, name) for name in Content.model_fields},
            attachments=[FileView.model_validate(file) for file in overview.request.attachments],
            contact=ContactView.of(overview.request.contact),
            contact_changeable=overview.contact_changeable,
            unreached=overview.unreached,
            source=overview.request.source,
            representative=overview.request.representative.name if overview.request.representative else None,
            history=[HistoryEntryView.of(entry) for entry in overview.history],
            answer=AnswerView.model_validate(overview.answer) if overview.answer else None,
            actions=list(overview.actions),
            objection_until=overview.objection_until,
            objection_until_local=local_text(overview.objection_until) if overview.objection_until else None,
            reply_until=overview.reply_until,
            reply_until_local=local_text(overview.reply_until) if overview.reply_until else None,
            token=token,
        )


class OwnRequestView(BaseModel):
    """A request in the list of its applicant. ``token`` opens it, for a quarter of an hour."""

    tracking_code: str
    state: State
    state_title: str
    submitted_at: Moment
    submitted_local: str
    office: Named
    subject: Titled
    sub_subject: Titled
    token: str

    @classmethod
    def of(cls, own: OwnRequest, token: str) -> Self:
        """Return the view of a request with a token that opens it."""
        return cls(
            tracking_code=own.request.tracking_code,
            state=own.state,
            state_title=TITLES[own.state],
            submitted_at=own.submitted_at,
            submitted_local=local_text(own.submitted_at),
            office=Named.model_validate(own.office),
            subject=Titled.model_validate(own.request.subject),
            sub_subject=Titled.model_validate(own.request.sub_subject),
            token=token,
        )


class OwnRequestsView(BaseModel):
    """The requests of an applicant, the newest first; ``more`` if there are older ones than those."""

    requests: list[OwnRequestView]
    more: bool


def respond(services: Services, response: Response, overview: Overview, session: TrackingSession) -> TrackingView:
    """Return the view with a new token, which ends with the session; no cache may keep it."""
    token = issue_token(services, session, overview.actions)
    response.headers["Cache-Control"] = "no-store"
    return TrackingView.of(overview, session.tracking_code, token)


def issue_token(services: Services, session: TrackingSession, actions: Sequence[Action] = ()) -> str:
    """Return a tracking token that allows ``actions``, besides opening the request; it ends with the session."""
    claims = {
        "sub": session.tracking_code,
        "auth_time": session.auth_time,
        "actions": [action.value for action in actions],
    }
    seconds = max(1, min(services.token_seconds, session.seconds_left(services.session_seconds)))
    token, _ = services.tokens.issue(claims, audience=TOKEN_AUDIENCE, seconds=seconds)
    return token
