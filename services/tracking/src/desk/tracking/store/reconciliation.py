"""Reads across all cases for reconciliation, and records which provinces are silent."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, union, update

from desk.database import DatabaseSession, insert_into
from desk.tracking.domain import OPEN, State
from desk.tracking.store.tables import case_table, handover_table, refusal_table, silence_table, step_table


@dataclass(frozen=True, slots=True)
class Waiting:
    """The requests that a province has not acknowledged: their number, and since when the oldest of them waits."""

    province: str
    requests: int
    oldest_since: datetime


@dataclass(frozen=True, slots=True)
class KnownState:
    """The state of a request, and since when; None in cases older than that column."""

    state: State
    since: datetime | None


class ReconciliationStore:
    """Reads across all cases, and records which provinces are silent."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def states(self, since: datetime, until: datetime, *, after: str, upto: str | None) -> dict[str, KnownState]:
        """Return the states of a period's requests by code, for codes above ``after`` and up to ``upto``."""
        query = select(case_table.c.tracking_code, case_table.c.state, case_table.c.since).where(
            case_table.c.submitted_at >= since, case_table.c.submitted_at < until, case_table.c.tracking_code > after
        )
        if upto is not None:
            query = query.where(case_table.c.tracking_code <= upto)
        rows = (await self._session.execute(query)).all()
        return {row.tracking_code: KnownState(State(row.state), row.since) for row in rows}

    async def unacknowledged(self, before: datetime) -> dict[str, Waiting]:
        """Return, by province, the requests that have waited for acknowledgement since before a moment."""
        query = (
            select(case_table.c.province, func.count(), func.min(case_table.c.since))
            .where(case_table.c.state == State.REGISTERED.value, case_table.c.since < before)
            .group_by(case_table.c.province)
        )
        return {row[0]: Waiting(*row) for row in (await self._session.execute(query)).all()}

    async def overdue(self) -> dict[str, int]:
        """Count, by province, the open cases whose answer is late, as figures do. It reads the open cases by index."""
        late = (case_table.c.overdue > 0) | case_table.c.office_due_at.is_not(None)
        query = (
            select(case_table.c.province, func.count())
            .where(case_table.c.state.in_([state.value for state in OPEN]), late)
            .group_by(case_table.c.province)
        )
        return {row[0]: row[1] for row in (await self._session.execute(query)).all()}

    async def provinces_active_since(self, moment: datetime) -> set[str]:
        """Return the provinces that have reported anything since a moment, refused reports included."""
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
        """Record that a province is silent; return how often it has been, or None if that is recorded already."""
        recorded = await self._session.execute(
            insert_into(self._session.dialect, silence_table)
            .values(province=province, since=now, times=1)
            .on_conflict_do_update(
                index_elements=["province"],
                set_={"since": now, "times": silence_table.c.times + 1, "ended_at": None},
                where=silence_table.c.ended_at.is_not(None),
            )
            .returning(silence_table.c.times)
        )
        row = recorded.first()
        return row.times if row else None

    async def end_silences(self, silent: Collection[str], now: datetime) -> None:
        """Record that all provinces but these report again."""
        await self._session.execute(
            update(silence_table)
            .where(silence_table.c.ended_at.is_(None), silence_table.c.province.not_in(silent))
            .values(ended_at=now)
        )
