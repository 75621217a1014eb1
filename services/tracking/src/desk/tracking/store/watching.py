"""What is read across cases, and which provinces are silent."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, union, update
from sqlalchemy.ext.asyncio import AsyncSession

from desk.database import insert_into
from desk.tracking.domain import State
from desk.tracking.store.tables import case_table, handover_table, refusal_table, silence_table, step_table


@dataclass(frozen=True, slots=True)
class Waiting:
    """Requests a province has not acknowledged: how many, and since when the oldest of them waits."""

    province: str
    requests: int
    oldest_since: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a request stands, and since when; None in cases older than that was noted."""

    state: State
    since: datetime | None


class WatchStore:
    """Reads across cases what does not fit, and remembers which provinces are silent."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def codes(self, since: datetime, until: datetime, *, after: str, upto: str | None) -> dict[str, Standing]:
        """Give codes of a period greater than ``after`` and not greater than ``upto``, with where they stand."""
        query = select(case_table.c.tracking_code, case_table.c.state, case_table.c.since).where(
            case_table.c.submitted_at >= since, case_table.c.submitted_at < until, case_table.c.tracking_code > after
        )
        if upto is not None:
            query = query.where(case_table.c.tracking_code <= upto)
        rows = (await self._session.execute(query)).all()
        return {row.tracking_code: Standing(State(row.state), row.since) for row in rows}

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
