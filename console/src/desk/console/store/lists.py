"""Lists of cases by stage, subject and search, in the order for experts or for supervisors, and figures."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, literal, or_, select

from desk.console.domain import search
from desk.console.domain.states import Stage
from desk.console.encryption import Encryption
from desk.console.store.cases import OBJECTED_FIRST
from desk.console.store.tables import case, case_word
from desk.database import DatabaseSession

PAGE_SIZE = 25
MAX_TERMS = 6
"""The number of search terms that are used; the others are ignored."""
MAX_RARE, MAX_FREQUENT = 1500, 10_000
"""A word that finds more cases is not used to select them: as the only word, and as the rarest of several."""
RATINGS = (1, 5)


class ListName(StrEnum):
    """The lists of cases."""

    OPEN = "open"
    OVERDUE = "overdue"
    URGENT = "urgent"
    MINE = "mine"
    ASKED = "asked"
    DONE = "done"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class ListQuery:
    """The filter of a list, and the account that reads it."""

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
    """The figures of a province; ``median_days`` is from submission to decision."""

    open: int
    overdue: int
    urgent: int
    asked: int
    done: int
    median_days: float | None
    ratings: dict[int, int]

    @property
    def rated(self) -> int:
        """The number of ratings."""
        return sum(self.ratings.values())

    @property
    def average(self) -> float | None:
        """The mean of the ratings."""
        return sum(mark * count for mark, count in self.ratings.items()) / self.rated if self.rated else None


class ListStore:
    """Reads lists and figures."""

    def __init__(self, session: DatabaseSession, encryption: Encryption) -> None:
        self._session, self._encryption = session, encryption

    async def page(self, wanted: ListQuery) -> tuple[list[Row[Any]], bool]:
        """Return the rows of one page, and whether more follow."""
        query = select(case).where(*self._where(wanted), *await self._terms(wanted))
        query = _ordered(query, wanted).offset((wanted.page - 1) * PAGE_SIZE).limit(PAGE_SIZE + 1)
        rows = list((await self._session.execute(query)).all())
        return rows[:PAGE_SIZE], len(rows) > PAGE_SIZE

    async def newest(self, province: str | None, most: int) -> list[Row[Any]]:
        """Return the newest cases of a province, or of all provinces."""
        query = select(case).where(case.c.submitted_at.is_not(None)).order_by(case.c.submitted_at.desc()).limit(most)
        if province:
            query = query.where(case.c.province == province)
        return list((await self._session.execute(query)).all())

    @staticmethod
    def _where(wanted: ListQuery) -> list[ColumnElement[bool]]:
        conditions = [case.c.province == wanted.province]
        match wanted.list:
            case ListName.OPEN | ListName.OVERDUE:
                conditions.append(case.c.stage == Stage.OPEN)
            case ListName.URGENT:
                conditions.append(_for_supervisor(wanted.now))
            case ListName.MINE:
                conditions.append(_of_account(wanted))
            case ListName.ASKED | ListName.DONE:
                conditions.append(case.c.stage == Stage(wanted.list))
            case ListName.ALL:
                conditions.append(case.c.submitted_at.is_not(None))
        if wanted.list is ListName.OVERDUE:
            conditions.append(case.c.due_at < wanted.now)
        if wanted.sub_subject:
            conditions.append(case.c.sub_subject == wanted.sub_subject)
        return conditions

    async def _terms(self, wanted: ListQuery) -> list[ColumnElement[bool]]:
        """Require all terms: the rarest selects the cases, and each of them is checked for the others."""
        conditions: list[ColumnElement[bool]] = []
        counted: list[tuple[int, tuple[int, ...]]] = []
        for term in search.search_terms(wanted.search)[:MAX_TERMS]:
            digits = search.parse_number(term[0])
            alternatives = (search.local_phone(digits), *term[1:]) if digits else term
            words = tuple(
                number for each in alternatives for number in self._encryption.index_numbers(each, wanted.province)
            )
            if digits and len(digits) >= search.MIN_CODE_DIGITS:
                prefixed = select(case.c.tracking_code).where(
                    case.c.province == wanted.province, case.c.tracking_code.between(digits, digits + ":")
                )
                conditions.append(case.c.tracking_code.in_(_codes(wanted.province, words).union(prefixed)))
            else:
                counted.append((await self._count_words(wanted.province, words), words))
        counted.sort()
        if counted and counted[0][0] <= (MAX_RARE if len(counted) == 1 else MAX_FREQUENT):
            (_, rarest), *others = counted
            codes = _codes(wanted.province, rarest)
            for _, words in others:
                codes = codes.where(_has_word(wanted.province, words, case_word.c.tracking_code))
            conditions.append(case.c.tracking_code.in_(codes))
        else:
            conditions += [_has_word(wanted.province, words, case.c.tracking_code) for _, words in counted]
        return conditions

    async def _count_words(self, province: str, words: tuple[int, ...]) -> int:
        some = _codes(province, words).limit(MAX_FREQUENT + 1).subquery()
        return int((await self._session.execute(select(func.count()).select_from(some))).scalar_one())

    async def figures(self, province: str, now: datetime) -> Figures:
        """Return the number of cases by list, the median days of a decision, and the ratings."""
        staged = {
            row.stage: row.n
            for row in await self._session.execute(
                select(case.c.stage, func.count().label("n")).where(case.c.province == province).group_by(case.c.stage)
            )
        }
        rated = await self._session.execute(
            select(case.c.rating, func.count().label("n"))
            .where(case.c.province == province, case.c.rating.between(*RATINGS))
            .group_by(case.c.rating)
        )
        return Figures(
            open=staged.get(Stage.OPEN, 0),
            overdue=await self._count(province, case.c.stage == Stage.OPEN, case.c.due_at < now),
            urgent=await self._count(province, _for_supervisor(now)),
            asked=staged.get(Stage.ASKED, 0),
            done=staged.get(Stage.DONE, 0),
            median_days=await self._median(province),
            ratings={row.rating: row.n for row in rated},
        )

    async def _count(self, province: str, *conditions: ColumnElement[bool]) -> int:
        where = (case.c.province == province, *conditions)
        return int((await self._session.execute(select(func.count()).select_from(case).where(*where))).scalar_one())

    async def _median(self, province: str) -> float | None:
        of_province = (case.c.province == province, case.c.days.is_not(None))
        count = (await self._session.execute(select(func.count()).select_from(case).where(*of_province))).scalar_one()
        if not count:
            return None
        middle = select(case.c.days).where(*of_province).order_by(case.c.days).offset((count - 1) // 2)
        days = (await self._session.execute(middle.limit(2 - count % 2))).scalars().all()
        return float(sum(days) / len(days))


def _of_account(wanted: ListQuery) -> ColumnElement[bool]:
    """Match the cases that an account has claimed now, and the undecided ones that are assigned to it."""
    claimed = and_(case.c.holder == wanted.account, case.c.held_until > wanted.now)
    return or_(claimed, and_(case.c.assignee == wanted.account, case.c.stage.in_((Stage.OPEN, Stage.ASKED))))


def _for_supervisor(now: datetime) -> ColumnElement[bool]:
    """Match objections until they are decided, also while the applicant is asked, and cases headquarters knows of."""
    objections = and_(case.c.stage.in_((Stage.OPEN, Stage.ASKED)), case.c.rank == OBJECTED_FIRST)
    return or_(objections, and_(case.c.stage == Stage.OPEN, case.c.escalates_at < now))


def _codes(province: str, words: tuple[int, ...]) -> Select[tuple[str]]:
    return select(case_word.c.tracking_code).where(case_word.c.province == province, case_word.c.word.in_(words))


def _has_word(province: str, words: tuple[int, ...], code: ColumnElement[str]) -> ColumnElement[bool]:
    """Check each case for one of some words. A scalar subquery: with EXISTS, PostgreSQL would read all their cases."""
    other = case_word.alias()
    probe = select(literal(1)).where(
        other.c.province == province, other.c.word.in_(words), other.c.tracking_code == code
    )
    return probe.limit(1).scalar_subquery().is_not(None)


def _ordered(query: Select[Any], wanted: ListQuery) -> Select[Any]:
    """Order by deadline; for supervisors objections come first, then cases that headquarters is notified of."""
    if wanted.list is ListName.DONE:
        return query.order_by(case.c.decided_at.desc())
    if wanted.list is ListName.ALL:
        return query.order_by(case.c.submitted_at.desc())
    if wanted.supervisor and wanted.list in {ListName.OPEN, ListName.URGENT}:
        return query.order_by(case.c.rank, case.c.escalates_at)
    return query.order_by(case.c.due_at)
