"""Editing the desk's catalogue in headquarters' console."""

from desk.console.domain.accounts import Account
from desk.console.domain.catalog_forms import Form, Part, find, read_announcements, read_sub_subject
from desk.console.domain.errors import NotFoundError
from desk.console.service.documents import DocumentEditing
from desk.expert import CatalogDrafts


class CatalogEditing(DocumentEditing):
    """Drafts and versions of the catalogue, which the desk keeps and audits. Raises DocumentRefusedError."""

    @property
    def _desk(self) -> CatalogDrafts:
        return self._client.catalog_drafts

    async def save_sub_subject(self, account: Account, draft_id: str, keys: tuple[str, str | None], form: Form) -> None:
        """Store a sub-subject of a form; without a key it is a new one. Raises FieldError or NotFoundError."""
        subject_key, key = keys

        def change(content: Part) -> None:
            before = find(content, subject_key, key) if key else None
            subject = next((each for each in content["subjects"] if each["key"] == subject_key), None)
            if subject is None or (key and before is None):
                raise NotFoundError
            changed = read_sub_subject(form, before)
            parts: list[Part] = subject["sub_subjects"]
            if before is None:
                parts.append(changed)
            else:
                parts[parts.index(before)] = changed

        await self.change(account, draft_id, form, change)

    async def save_announcements(self, account: Account, draft_id: str, form: Form) -> None:
        """Store notices, closures and days off of a form. Raises FieldError."""
        await self.change(account, draft_id, form, lambda content: content.update(read_announcements(form, content)))
