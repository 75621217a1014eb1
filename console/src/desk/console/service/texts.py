"""Editing the texts of SMS and email in headquarters' console."""

from desk.console.domain.accounts import Account
from desk.console.domain.catalog_forms import Form
from desk.console.domain.text_forms import field_of, put
from desk.console.service.documents import DocumentEditing
from desk.expert import TextDrafts, TextPreview, TextsRefusedError


class TextEditing(DocumentEditing):
    """Drafts and versions of the texts, which the desk keeps and audits. Raises DocumentRefusedError."""

    @property
    def _desk(self) -> TextDrafts:
        return self._client.text_drafts

    async def previews(self, account: Account, draft_id: str) -> list[TextPreview]:
        """Return every text of a draft as an applicant would read it."""
        return await self._desk.preview(account.username, draft_id)

    async def save_notice(self, account: Account, draft_id: str, notice: str, form: Form) -> None:
        """Store the texts of a notice of a form. Raises FieldError or NotFoundError."""
        try:
            await self.change(account, draft_id, form, lambda content: put(content, notice, form))
        except TextsRefusedError as refused:
            if (error := field_of(refused.faults, notice)) is not None:
                raise error from None
            raise
