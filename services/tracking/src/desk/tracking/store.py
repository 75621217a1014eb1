"""Tracking's tables: cases, their history, who had them before, and refused reports. What people wrote is sealed."""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    func,
    insert,
    select,
    union,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from desk.chassis.crypto import Vault
from desk.chassis.db import UtcDateTime, insert_into, new_metadata
from desk.chassis.events import add_event_tables
from desk.iran.digits import to_persian
from desk.tracking.domain import ACTION_TITLES, TITLES, Action, Case, Past, State
from desk.tracking.events import AnswerData, RequestSubmitted

metadata = new_metadata()
add_event_tables(metadata)

case_table = Table(
    "case",
    metadata,
    Column("tracking_code", String(12), primary_key=True),
    Column("owner_index", String(64), nullable=False),
    Column("province", String(40), nullable=False),
    Column("state", String(24), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("report_seq", Integer, nullable=False),
    Column("turn", Integer, nullable=False, server_default="0"),
    Column("submitted_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("since", UtcDateTime),
    Column("answer_days", Integer),
    Column("overdue", Integer, nullable=False, server_default="0"),
    Column("alarm_at", UtcDateTime),
    Column("request", LargeBinary, nullable=False),
)
Index(
    "ix_case_alarm",
    case_table.c.alarm_at,
    postgresql_where=case_table.c.alarm_at.is_not(None),
    sqlite_where=case_table.c.alarm_at.is_not(None),
)
step_table = Table(
    "step",
    metadata,
    Column("event_id", String(64), primary_key=True),
    Column("tracking_code", String(12), ForeignKey("case.tracking_code"), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("turn", Integer, nullable=False, server_default="0"),
    Column("seq", Integer, nullable=False, server_default="0"),
    Column("state", String(24), nullable=False),
    Column("action", String(16)),
    Column("words", LargeBinary),
)
handover_table = Table(
    "handover",
    metadata,
    Column("tracking_code", String(12), ForeignKey("case.tracking_code"), primary_key=True),
    Column("province", String(40), primary_key=True),
    Column("report_seq", Integer, nullable=False),
    Column("turn", Integer, nullable=False, server_default="0"),
)
Index("ix_case_waiting", case_table.c.state, case_table.c.since)
Index("ix_case_submitted_at", case_table.c.submitted_at)
Index("ix_step_recorded_at", step_table.c.recorded_at)
refusal_table = Table(
    "refusal",
    metadata,
    Column("event_id", String(64), primary_key=True),
    Column("tracking_code", String(12), nullable=False, index=True),
    Column("province", String(40), nullable=False),
    Column("report", String(96), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)


silence_table = Table(
    "silence",
    metadata,
    Column("province", String(40), primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    Column("times", Integer, nullable=False),
    Column("ended_at", UtcDateTime),
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Requests a province has not acknowledged: how many, and since when the oldest of them waits."""

    province: str
    requests: int
    oldest_since: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """One step in a case's history; ``at`` is when it happened, whenever it was heard of.

    ``seq`` is the number the case's province of that ``turn`` gave its report; what comes before any report has none.
    """

    event_id: str
    at: datetime
    state: State
    note: str | None = None
    answer: AnswerData | None = None
    turn: int = 0
    seq: int = 0
    action: Action | None = None
    """What the applicant did, if it was the applicant's step."""
    rating: int | None = None

    @property
    def title(self) -> str:
        """What the applicant reads."""
        if self.rating is not None:
            return f"{ACTION_TITLES[Action.RATE]}: {to_persian(str(self.rating))} از ۵"
        return ACTION_TITLES[self.action] if self.action else TITLES[self.state]

    def says_the_same(self, other: "Step") -> bool:
        """Tell whether an applicant's step repeats another."""
        return (self.note, self.rating) == (other.note, other.rating)


def past_of(history: Sequence[Step]) -> Past:
    """Tell what matters of a history for what the applicant may do."""
    answers = [place for place, step in enumerate(history) if step.answer is not None]
    since_answer = history[answers[-1] :] if answers else []
    return Past(
        answered=bool(answers),
        rated=any(step.action is Action.RATE for step in since_answer),
        objected=any(step.action is Action.OBJECT for step in history),
    )


@dataclass(frozen=True, slots=True)
class Handover:
    """How a province gave a case away: in which turn, and by which of its reports."""

    turn: int
    report_seq: int


class CaseStore:
    """Reads and writes cases and their history."""

    def __init__(self, session: AsyncSession, vault: Vault) -> None:
        self._session = session
        self._vault = vault

    async def add(self, case: Case, request: RequestSubmitted) -> None:
        """Write a new case with the whole request it is about."""
        await self._session.execute(
            insert(case_table).values(
                **_columns(case),
                tracking_code=case.tracking_code,
                owner_index=self._vault.index(request.applicant.national_id, "national_id"),
                submitted_at=case.submitted_at,
                request=self._seal(request),
            )
        )

    async def save(self, case: Case) -> None:
        """Write what has changed of a case."""
        await self._session.execute(
            update(case_table).where(case_table.c.tracking_code == case.tracking_code).values(**_columns(case))
        )

    async def release(self, case: Case, request: RequestSubmitted) -> None:
        """Write a case whose applicant is known at last, with the request under the registry's names."""
        await self._session.execute(
            update(case_table)
            .where(case_table.c.tracking_code == case.tracking_code)
            .values(**_columns(case), request=self._seal(request))
        )

    def _seal(self, request: RequestSubmitted) -> bytes:
        return self._vault.seal(request.model_dump_json().encode(), f"case.request:{request.tracking_code}")

    async def get(self, tracking_code: str) -> tuple[Case, RequestSubmitted] | None:
        """Find a case and its request, locked against other reports until the transaction ends."""
        query = select(case_table).where(case_table.c.tracking_code == tracking_code).with_for_update()
        row = (await self._session.execute(query)).first()
        return self._found(row) if row else None

    async def run_out(self, now: datetime, limit: int) -> list[tuple[Case, RequestSubmitted]]:
        """Lock up to ``limit`` cases whose time has run out, the oldest first; those another holds are passed over."""
        query = (
            select(case_table)
            .where(case_table.c.alarm_at < now)
            .order_by(case_table.c.alarm_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return [self._found(row) for row in (await self._session.execute(query)).all()]

    async def of_person(self, national_id: str, tracking_code: str) -> tuple[Case, RequestSubmitted] | None:
        """Find a person's case by its code."""
        query = select(case_table).where(
            case_table.c.tracking_code == tracking_code,
            case_table.c.owner_index == self._vault.index(national_id, "national_id"),
        )
        row = (await self._session.execute(query)).first()
        return self._found(row) if row else None

    async def add_step(self, tracking_code: str, step: Step) -> None:
        """Add to a case's history."""
        words = {
            "note": step.note,
            "answer": step.answer.model_dump(mode="json") if step.answer else None,
            "rating": step.rating,
        }
        sealed = self._vault.seal(json.dumps(words).encode(), f"step.words:{step.event_id}")
        await self._session.execute(
            insert(step_table).values(
                event_id=step.event_id,
                tracking_code=tracking_code,
                at=step.at,
                recorded_at=datetime.now(UTC),
                turn=step.turn,
                seq=step.seq,
                state=step.state.value,
                action=step.action.value if step.action else None,
                words=sealed if any(words.values()) else None,
            )
        )

    async def history(self, tracking_code: str) -> list[Step]:
        """Give a case's steps in the order they happened.

        A province's own numbers say so, not the clocks: times are whole seconds, and 31 clocks differ. What the
        applicant did comes after the report it followed.
        """
        query = (
            select(step_table)
            .where(step_table.c.tracking_code == tracking_code)
            .order_by(
                step_table.c.turn,
                step_table.c.seq,
                step_table.c.action.is_not(None),
                step_table.c.at,
                step_table.c.recorded_at,
            )
        )
        return [self._step(row) for row in (await self._session.execute(query)).all()]

    async def add_handover(self, tracking_code: str, province: str, handover: Handover) -> None:
        """Record how a province gave the case away, in place of any earlier time."""
        row = {"tracking_code": tracking_code, "province": province, **asdict(handover)}
        await self._session.execute(
            insert_into(self._session.get_bind().dialect.name, handover_table)
            .values(row)
            .on_conflict_do_update(index_elements=["tracking_code", "province"], set_=row)
        )

    async def handover(self, tracking_code: str, province: str) -> Handover | None:
        """Tell how a province gave the case away last, if it did."""
        query = select(handover_table.c.turn, handover_table.c.report_seq).where(
            handover_table.c.tracking_code == tracking_code, handover_table.c.province == province
        )
        row = (await self._session.execute(query)).first()
        return Handover(row.turn, row.report_seq) if row else None

    async def add_refusal(self, event_id: str, tracking_code: str, province: str, report: str, reason: str) -> None:
        """Record a report that did not fit."""
        await self._session.execute(
            insert(refusal_table).values(
                event_id=event_id,
                tracking_code=tracking_code,
                province=province,
                report=report,
                reason=reason,
                at=datetime.now(UTC),
            )
        )

    def _found(self, row: Row[Any]) -> tuple[Case, RequestSubmitted]:
        request = self._vault.open(row.request, f"case.request:{row.tracking_code}")
        case = Case(
            tracking_code=row.tracking_code,
            province=row.province,
            state=State(row.state),
            seq=row.seq,
            report_seq=row.report_seq,
            turn=row.turn,
            submitted_at=row.submitted_at,
            due_at=row.due_at,
            since=row.since or row.submitted_at,
            answer_days=row.answer_days,
            overdue=row.overdue,
            alarm_at=row.alarm_at,
        )
        return case, RequestSubmitted.model_validate_json(request)

    def _step(self, row: Row[Any]) -> Step:
        words = json.loads(self._vault.open(row.words, f"step.words:{row.event_id}")) if row.words else {}
        answer = words.get("answer")
        return Step(
            event_id=row.event_id,
            at=row.at,
            state=State(row.state),
            note=words.get("note"),
            answer=AnswerData.model_validate(answer) if answer else None,
            turn=row.turn,
            seq=row.seq,
            action=Action(row.action) if row.action else None,
            rating=words.get("rating"),
        )


class WatchStore:
    """Reads across cases what does not fit, and remembers which provinces are silent."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def codes(self, since: datetime, until: datetime, *, after: str, upto: str | None) -> dict[str, State]:
        """Give codes of a period greater than ``after`` and not greater than ``upto``, with their states."""
        query = select(case_table.c.tracking_code, case_table.c.state).where(
            case_table.c.submitted_at >= since, case_table.c.submitted_at < until, case_table.c.tracking_code > after
        )
        if upto is not None:
            query = query.where(case_table.c.tracking_code <= upto)
        return {row.tracking_code: State(row.state) for row in (await self._session.execute(query)).all()}

    async def unacknowledged(self, before: datetime) -> dict[str, Waiting]:
        """Give, by province, what has waited since before that moment to be acknowledged."""
        query = (
            select(case_table.c.province, func.count(), func.min(case_table.c.since))
            .where(case_table.c.state == State.REGISTERED.value, case_table.c.since < before)
            .group_by(case_table.c.province)
        )
        return {row[0]: Waiting(*row) for row in (await self._session.execute(query)).all()}

    async def heard_since(self, moment: datetime) -> set[str]:
        """Name the provinces that have reported anything since then, were it refused."""
        applied = (
            select(case_table.c.province)
            .join(step_table, step_table.c.tracking_code == case_table.c.tracking_code)
            .where(
                step_table.c.recorded_at >= moment,
                step_table.c.turn == case_table.c.turn,
                step_table.c.seq > 0,
                step_table.c.action.is_(None),
            )
        )
        referred = (
            select(handover_table.c.province)
            .join(step_table, step_table.c.tracking_code == handover_table.c.tracking_code)
            .where(step_table.c.recorded_at >= moment, step_table.c.turn == handover_table.c.turn, step_table.c.seq > 0)
        )
        refused = select(refusal_table.c.province).where(refusal_table.c.at >= moment)
        rows = (await self._session.execute(union(applied, referred, refused))).all()
        return {row[0] for row in rows}

    async def begin_silence(self, province: str, now: datetime) -> int | None:
        """Note that a province is silent; give how often it has been by now, or None if that is noted already."""
        noted = await self._session.execute(
            insert_into(self._session.get_bind().dialect.name, silence_table)
            .values(province=province, since=now, times=1)
            .on_conflict_do_update(
                index_elements=["province"],
                set_={"since": now, "times": silence_table.c.times + 1, "ended_at": None},
                where=silence_table.c.ended_at.is_not(None),
            )
            .returning(silence_table.c.times)
        )
        row = noted.first()
        return row.times if row else None

    async def end_silence(self, silent: Collection[str], now: datetime) -> None:
        """Note that all provinces but these are heard again."""
        await self._session.execute(
            update(silence_table)
            .where(silence_table.c.ended_at.is_(None), silence_table.c.province.not_in(silent))
            .values(ended_at=now)
        )


def _columns(case: Case) -> dict[str, object]:
    return {
        "province": case.province,
        "state": case.state.value,
        "seq": case.seq,
        "report_seq": case.report_seq,
        "turn": case.turn,
        "due_at": case.due_at,
        "since": case.since,
        "answer_days": case.answer_days,
        "overdue": case.overdue,
        "alarm_at": case.alarm_at,
    }
