"""Counts requests for figures: in the roll-up those that no longer change, and all others where they are."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    String,
    bindparam,
    case,
    cast,
    false,
    func,
    literal,
    null,
    select,
    text,
    tuple_,
    union_all,
    update,
)

from desk.database import DatabaseSession, insert_into
from desk.tracking.domain import (
    BEFORE_ANY_OFFICE,
    FIELD,
    LINE,
    OPEN,
    SETTLED,
    UNKNOWN_SUBJECT,
    Case,
    Cell,
    Facts,
    Month,
    MonthCounts,
    OfficeMonth,
    Period,
    Tally,
    read_cells,
    write_cells,
)
from desk.tracking.store.case_rows import read_case
from desk.tracking.store.tables import case_table, roll_up_table

_CASE, _ROLL_UP = case_table.c, roll_up_table.c
_KEY = (_ROLL_UP.month, _ROLL_UP.office)
_FIGURES = [column for column in case_table.c if column.name not in {"owner_index", "request"}]
_SETTLED_STATES = [state.value for state in SETTLED]
_UPDATE = (
    update(roll_up_table)
    .where(_ROLL_UP.month == bindparam("of_month"), _ROLL_UP.office == bindparam("of_office"))
    .values(cells=bindparam("new_cells"))
)
_MEMORY = text("SET LOCAL work_mem = '32MB'")
"""With the default of 4 MB, 50,000 cases are sorted on the disk."""
Tallies = Mapping[OfficeMonth, Mapping[Cell, Tally]]


class FigureStore:
    """Reads and writes counts of requests."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def counts(self, period: Period, office: str | None) -> list[MonthCounts]:
        """Return the counts of the requests of a period, of one office or of all, as they are at one moment.

        One statement reads both parts, so that no case is missing or counted twice that is added to the roll-up now.
        """
        query = union_all(_rolled_up(period, office), _others(period, office))
        if self._session.dialect == "postgresql":
            await self._session.execute(_MEMORY)
        texts: dict[OfficeMonth, dict[str, str]] = {}
        for month, of_office, part, cells in (await self._session.execute(query)).all():
            texts.setdefault(OfficeMonth(month, of_office), {})[part] = cells
        return [MonthCounts(of, **texts[of]) for of in sorted(texts)]

    async def add(self, tallies: Tallies) -> None:
        """Add counts to the roll-up. Its rows stay locked until the transaction ends, so this comes last in it."""
        keys = [(of.month, of.office) for of in sorted(tallies)]
        new = insert_into(self._session.dialect, roll_up_table).on_conflict_do_nothing()
        await self._session.execute(new, [{"month": month, "office": office} for month, office in keys])
        locked = select(roll_up_table).where(tuple_(*_KEY).in_(keys)).order_by(*_KEY).with_for_update()
        rows = (await self._session.execute(locked)).all()
        await self._session.execute(_UPDATE, [_added(row, tallies[OfficeMonth(row.month, row.office)]) for row in rows])

    async def count_settled(self, limit: int) -> int:
        """Add up to ``limit`` cases whose figures no longer change to the roll-up; return their number.

        Cases that another session has locked are skipped.
        """
        settled = _CASE.state.in_(bindparam("settled", _SETTLED_STATES, expanding=True, literal_execute=True))
        query = (
            select(*_FIGURES)
            .where(_CASE.counted.is_(false()), settled)
            .order_by(_CASE.since)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        rows = (await self._session.execute(query)).all()
        if rows:
            codes = [row.tracking_code for row in rows]
            await self._session.execute(update(case_table).where(_CASE.tracking_code.in_(codes)).values(counted=True))
            await self.add(_counted(rows))
        return len(rows)

    async def lock_unread(self, limit: int) -> list[str]:
        """Lock up to ``limit`` cases from before figures were recorded, and return their codes; skip locked ones."""
        query = (
            select(_CASE.tracking_code)
            .where(_CASE.counted.is_(false()), _CASE.subject.is_(None))
            .order_by(_CASE.submitted_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return list((await self._session.execute(query)).scalars())

    async def record(self, tracking_code: str, facts: Facts) -> None:
        """Record the facts of a case from before figures were recorded."""
        subject, sub_subject = facts.cell
        await self._session.execute(
            update(case_table)
            .where(_CASE.tracking_code == tracking_code)
            .values(
                subject=subject,
                sub_subject=sub_subject,
                first_answer_days=facts.first_answer_days,
                objections=facts.objections,
                ratings=facts.ratings,
                rating_sum=facts.rating_sum,
            )
        )

    async def recorded(self, found: Case) -> Facts | None:
        """Return the facts of a case; None if it is from before they were recorded."""
        query = select(_CASE.subject, _CASE.sub_subject).where(_CASE.tracking_code == found.tracking_code)
        row = (await self._session.execute(query)).one()
        return Facts.recorded(found, row.subject, row.sub_subject) if row.subject is not None else None


def _counted(rows: Iterable[Row[Any]]) -> Tallies:
    tallies: dict[OfficeMonth, dict[Cell, Tally]] = {}
    for row in rows:
        facts = Facts.recorded(read_case(row), row.subject or UNKNOWN_SUBJECT, row.sub_subject or UNKNOWN_SUBJECT)
        tallies.setdefault(facts.of, {}).setdefault(facts.cell, Tally()).add(facts.tally())
    return tallies


def _added(row: Row[Any], more: Mapping[Cell, Tally]) -> dict[str, str]:
    cells = read_cells(row.cells)
    for cell, tally in more.items():
        cells.setdefault(cell, Tally()).add(tally)
    return {"of_month": row.month, "of_office": row.office, "new_cells": write_cells(cells)}


def _rolled_up(period: Period, office: str | None) -> Select[Any]:
    first, last = str(period.first), str(period.last)
    query = select(*_KEY, literal("rolled_up"), _ROLL_UP.cells).where(_ROLL_UP.month >= first, _ROLL_UP.month <= last)
    return query.where(_ROLL_UP.office == office) if office is not None else query


def _others(period: Period, office: str | None) -> Select[Any]:
    """Return the counts of cases that are not in the roll-up, by the index of exactly these."""
    cells = _cells(period, office).subquery().c
    counts = (cells.requests, cells.open, cells.overdue, cells.answered, cells.objections, cells.ratings)
    parts = (cells.subject, cells.sub_subject, *(cast(each, String) for each in (*counts, cells.rating_sum)))
    line: ColumnElement[str] = literal("")
    for part in parts:
        line = line + part + literal(FIELD)
    lines = func.aggregate_strings(line + func.coalesce(cells.days, ""), LINE)
    return select(cells.month, cells.office, literal("others"), lines).group_by(cells.month, cells.office)


def _cells(period: Period, office: str | None) -> Select[Any]:
    is_open = _CASE.state.in_([state.value for state in OPEN])
    is_late = (_CASE.overdue > 0) | _CASE.office_due_at.is_not(None)  # a later office is not late, but the answer is
    query = (
        select(
            _month(period.months()).label("month"),
            _CASE.province.label("office"),
            func.coalesce(_CASE.subject, UNKNOWN_SUBJECT).label("subject"),
            func.coalesce(_CASE.sub_subject, UNKNOWN_SUBJECT).label("sub_subject"),
            func.count().label("requests"),
            func.sum(case((is_open, 1), else_=0)).label("open"),
            func.sum(case((is_late & is_open, 1), else_=0)).label("overdue"),
            func.count(_CASE.first_answer_days).label("answered"),
            func.sum(_CASE.objections).label("objections"),
            func.sum(_CASE.ratings).label("ratings"),
            func.sum(_CASE.rating_sum).label("rating_sum"),
            func.aggregate_strings(cast(_CASE.first_answer_days, String), ",").label("days"),
        )
        .where(
            _CASE.counted.is_(false()),
            _CASE.submitted_at >= period.first.start,
            _CASE.submitted_at < period.last.plus(1).start,
            _CASE.state.not_in([state.value for state in BEFORE_ANY_OFFICE]),
        )
        .group_by("month", "office", "subject", "sub_subject")
    )
    return query.where(_CASE.province == office) if office is not None else query


def _month(months: Sequence[Month]) -> ColumnElement[str | None]:
    """Return the month of a case of the period: the last one that has begun when it was submitted."""
    begun = [(_CASE.submitted_at >= month.start, literal(str(month))) for month in reversed(months)]
    return case(*begun, else_=null())
