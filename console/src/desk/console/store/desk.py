"""What supervisors keep and look at: templates of answers, and who did what."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from desk.console.store.tables import account, answer_template, deed

DEEDS_MOST = 200
EVERY_SUBJECT = ""


@dataclass(frozen=True, slots=True)
class Template:
    """A text to begin an answer with; for one sub-subject, or for all."""

    id: str
    province: str
    sub_subject: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody did; ``name`` is of whom, None for the console itself."""

    at: datetime
    name: str | None
    kind: str
    tracking_code: str | None
    about: str | None


class TemplateStore:
    """A province's templates."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def of_province(self, province: str, sub_subject: str | None = None) -> list[Template]:
        """List them all, or those that fit a sub-subject."""
        query = select(answer_template).where(answer_template.c.province == province)
        if sub_subject is not None:
            query = query.where(answer_template.c.sub_subject.in_((sub_subject, EVERY_SUBJECT)))
        query = query.order_by(answer_template.c.sub_subject, answer_template.c.title)
        return [
            Template(row.id, row.province, row.sub_subject, row.title, row.text)
            for row in (await self._session.execute(query)).all()
        ]

    async def get(self, province: str, template_id: str) -> Template | None:
        """Find one."""
        return next((each for each in await self.of_province(province) if each.id == template_id), None)

    async def save(self, template: Template) -> None:
        """Write one, new or changed."""
        values = {"sub_subject": template.sub_subject, "title": template.title, "text": template.text}
        if await self.get(template.province, template.id) is None:
            await self._session.execute(
                insert(answer_template).values(id=template.id, province=template.province, **values)
            )
        else:
            await self._session.execute(
                update(answer_template).where(answer_template.c.id == template.id).values(**values)
            )

    async def remove(self, province: str, template_id: str) -> None:
        """Remove one."""
        this = (answer_template.c.province == province, answer_template.c.id == template_id)
        await self._session.execute(delete(answer_template).where(*this))


class DeedStore:
    """The record of who did what; rows are only added."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(
        self,
        at: datetime,
        province: str,
        account_id: str | None,
        kind: str,
        *,
        tracking_code: str | None = None,
        about: str | None = None,
    ) -> None:
        """Note a deed. ``about`` is never anything personal of an applicant."""
        await self._session.execute(
            insert(deed).values(
                at=at, province=province, account=account_id, kind=kind, tracking_code=tracking_code, about=about
            )
        )

    async def newest(self, province: str, tracking_code: str | None = None) -> list[Deed]:
        """List the newest, of a province or of one case."""
        query = (
            select(deed, account.c.name)
            .outerjoin(account, account.c.id == deed.c.account)
            .where(deed.c.province == province)
            .order_by(deed.c.at.desc(), deed.c.id.desc())
            .limit(DEEDS_MOST)
        )
        if tracking_code:
            query = query.where(deed.c.tracking_code == tracking_code)
        return [
            Deed(row.at, row.name, row.kind, row.tracking_code, row.about)
            for row in (await self._session.execute(query)).all()
        ]
