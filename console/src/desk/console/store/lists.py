"""Lists of cases by where they stand, by subject and by what is searched, in an expert's order or a supervisor's."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from desk.console.domain import words
from desk.console.domain.cases import Stage
from desk.console.seal import Seal
from desk.console.store.cases import OBJECTED_FIRST
from desk.console.store.tables import case, case_word

PAGE = 25
TERMS = 6
"""How many words of a search are heeded."""
RARE, FREQUENT = 1500, 10_000
"""Up to how many cases a word alone gives the cases to sort, and one of several does."""
RATED = (1, 5)


class ListName(StrEnum):
    """The lists of the inbox."""

    OPEN = "open"
    OVERDUE = "overdue"
    URGENT = "urgent"
    MINE = "mine"
    ASKED = "asked"
    DONE = "done"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cases are to be listed, and for whom."""

    province: str
    account: str
    supervisor: bool
    list: ListName
    now: datetime
    sub_subject: str = ""
    search: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class Figures:
    """A province at a glance; ``median_days`` is from submission to decision."""

    open: int
    overdue: int
    urgent: int
    asked: int
    done: int
    median_days: float | None
    ratings: dict[int, int]

    @property
    def rated(self) -> int:
        """How many applicants have rated."""
        return sum(self.ratings.values())

    @property
    def average(self) -> float | None:
        """The mean of the ratings."""
        return sum(mark * count for mark, count in self.ratings.items()) / self.rated if self.rated else None


class ListStore:
    """Reads lists and counts; changes nothing."""

    def __init__(self, session: AsyncSession, seal: Seal) -> None:
        self._session, self._seal = session, seal

    async def page(self, wanted: Wanted) -> tuple[list[Row[Any]], bool]:
        """Give one page of rows, and whether there are more."""
        query = select(case).where(*self._where(wanted), *await self._terms(wanted))
        query = _ordered(query, wanted).offset((wanted.page - 1) * PAGE).limit(PAGE + 1)
        rows = list((await self._session.execute(query)).all())
        return rows[:PAGE], len(rows) > PAGE

    async def newest(self, province: str | None, most: int) -> list[Row[Any]]:
        """Return the newest cases of a province, or of all."""
        query = select(case).where(case.c.submitted_at.is_not(None)).order_by(case.c.submitted_at.desc()).limit(most)
        if province:
            query = query.where(case.c.province == province)
        return list((await self._session.execute(query)).all())

    @staticmethod
    def _where(wanted: Wanted) -> list[ColumnElement[bool]]:
        conditions = [case.c.province == wanted.province]
        match wanted.list:
            case ListName.OPEN | ListName.OVERDUE | ListName.URGENT:
                conditions.append(case.c.stage == Stage.OPEN)
            case ListName.MINE:
                conditions += [case.c.holder == wanted.account, case.c.held_until > wanted.now]
            case ListName.ASKED | ListName.DONE:
                conditions.append(case.c.stage == Stage(wanted.list))
            case ListName.ALL:
                conditions.append(case.c.submitted_at.is_not(None))
        if wanted.list is ListName.OVERDUE:
            conditions.append(case.c.due_at < wanted.now)
        if wanted.list is ListName.URGENT:
            conditions.append(or_(case.c.rank == OBJECTED_FIRST, case.c.escalates_at < wanted.now))
        if wanted.sub_subject:
            conditions.append(case.c.sub_subject == wanted.sub_subject)
        return conditions

    async def _terms(self, wanted: Wanted) -> list[ColumnElement[bool]]:
        """Say that all words are to be found: the rarest gives the cases, a frequent one is looked for in each."""
        conditions: list[ColumnElement[bool]] = []
        counted: list[tuple[int, int]] = []
        for term in words.terms(wanted.search)[:TERMS]:
            digits = words.number(term)
            word = self._seal.word(words.phone(digits) if digits else term, wanted.province)
            if digits and len(digits) >= words.CODE_BEGINS:
                begun = select(case.c.tracking_code).where(
                    case.c.province == wanted.province, case.c.tracking_code.between(digits, digits + ":")
                )
                conditions.append(case.c.tracking_code.in_(_codes(wanted.province, word).union(begun)))
            else:
                counted.append((await self._count_word(wanted.province, word), word))
        counted.sort()
        if counted and counted[0][0] <= (RARE if len(counted) == 1 else FREQUENT):
            (_, rarest), *others = counted
            codes = _codes(wanted.province, rarest)
            for _, word in others:
                codes = codes.where(_carries(wanted.province, word, case_word.c.tracking_code))
            conditions.append(case.c.tracking_code.in_(codes))
        else:
            conditions += [_carries(wanted.province, word, case.c.tracking_code) for _, word in counted]
        return conditions

    async def _count_word(self, province: str, word: int) -> int:
        some = _codes(province, word).limit(FREQUENT + 1).subquery()
        return int((await self._session.execute(select(func.count()).select_from(some))).scalar_one())

    async def figures(self, province: str, now: datetime) -> Figures:
        """Count what is open, late, asked and done, and measure how long decisions took and how they were liked."""
        staged = {
            row.stage: row.n
            for row in await self._session.execute(
                select(case.c.stage, func.count().label("n")).where(case.c.province == province).group_by(case.c.stage)
            )
        }
        rated = await self._session.execute(
            select(case.c.rating, func.count().label("n"))
            .where(case.c.province == province, case.c.rating.between(*RATED))
            .group_by(case.c.rating)
        )
        return Figures(
            open=staged.get(Stage.OPEN, 0),
            overdue=await self._count(province, case.c.due_at < now),
            urgent=await self._count(province, or_(case.c.rank == OBJECTED_FIRST, case.c.escalates_at < now)),
            asked=staged.get(Stage.ASKED, 0),
            done=staged.get(Stage.DONE, 0),
            median_days=await self._median(province),
            ratings={row.rating: row.n for row in rated},
        )

    async def _count(self, province: str, condition: ColumnElement[bool]) -> int:
        where = (case.c.province == province, case.c.stage == Stage.OPEN, condition)
        return int((await self._session.execute(select(func.count()).select_from(case).where(*where))).scalar_one())

    async def _median(self, province: str) -> float | None:
        of_province = (case.c.province == province, case.c.days.is_not(None))
        count = (await self._session.execute(select(func.count()).select_from(case).where(*of_province))).scalar_one()
        if not count:
            return None
        middle = select(case.c.days).where(*of_province).order_by(case.c.days).offset((count - 1) // 2)
        days = (await self._session.execute(middle.limit(2 - count % 2))).scalars().all()
        return float(sum(days) / len(days))


def _codes(province: str, word: int) -> Select[tuple[str]]:
    return select(case_word.c.tracking_code).where(case_word.c.province == province, case_word.c.word == word)


def _carries(province: str, word: int, code: ColumnElement[str]) -> ColumnElement[bool]:
    """Tell of each case by itself whether it carries a word; as EXISTS, PostgreSQL would read all cases of the word."""
    other = case_word.alias()
    probe = select(literal(1)).where(other.c.province == province, other.c.word == word, other.c.tracking_code == code)
    return probe.limit(1).scalar_subquery().is_not(None)


def _ordered(query: Select[Any], wanted: Wanted) -> Select[Any]:
    """Put what is due first to the top: overdue leads; for supervisors objections do, and what headquarters knows."""
    if wanted.list is ListName.DONE:
        return query.order_by(case.c.decided_at.desc())
    if wanted.list is ListName.ALL:
        return query.order_by(case.c.submitted_at.desc())
    if wanted.supervisor and wanted.list in {ListName.OPEN, ListName.URGENT}:
        return query.order_by(case.c.rank, case.c.escalates_at)
    return query.order_by(case.c.due_at)
