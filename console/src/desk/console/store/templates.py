"""A province's templates for answers."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from desk.console.store.tables import answer_template
from desk.database import DatabaseSession

EVERY_SUBJECT = ""


@dataclass(frozen=True, slots=True)
class Template:
    """A text to start an answer with; for one sub-subject, or for all."""

    id: str
    province: str
    sub_subject: str
    title: str
    text: str


class TemplateStore:
    """The templates in one session."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def list_templates(self, province: str, sub_subject: str | None = None) -> list[Template]:
        """List the templates of a province, or only those for a sub-subject."""
        query = select(answer_template).where(answer_template.c.province == province)
        if sub_subject is not None:
            query = query.where(answer_template.c.sub_subject.in_((sub_subject, EVERY_SUBJECT)))
        query = query.order_by(answer_template.c.sub_subject, answer_template.c.title)
        return [
            Template(row.id, row.province, row.sub_subject, row.title, row.text)
            for row in (await self._session.execute(query)).all()
        ]

    async def get(self, province: str, template_id: str) -> Template | None:
        """Find a template; None if it does not exist or belongs to another province."""
        return next((each for each in await self.list_templates(province) if each.id == template_id), None)

    async def save(self, template: Template) -> None:
        """Add or change a template."""
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
        """Remove a template of the province."""
        same = (answer_template.c.province == province, answer_template.c.id == template_id)
        await self._session.execute(delete(answer_template).where(*same))


def with_template(text: str, templates: Sequence[Template], template_id: str) -> str:
    """Append the text of a template to a text; return the text alone if there is no such template."""
    chosen = next((each.text for each in templates if each.id == template_id), "")
    return "\n\n".join(part for part in (text.strip(), chosen) if part)
