"""What a message says to whom, sealed for its row."""

import uuid

from pydantic import BaseModel

from desk.chassis.crypto import Vault


class Personal(BaseModel):
    """The sealed part of a row."""

    recipient: str
    text: str
    subject: str | None = None
    html: str | None = None
    values: dict[str, str] = {}

    def seal(self, vault: Vault, message_id: uuid.UUID) -> bytes:
        """Close it for one row: elsewhere it does not open."""
        return vault.seal(self.model_dump_json().encode(), _place(message_id))

    @classmethod
    def unseal(cls, vault: Vault, message_id: uuid.UUID, sealed: bytes) -> "Personal":
        """Open what stands in a row. Raises DecryptionError."""
        return cls.model_validate_json(vault.open(sealed, _place(message_id)))


def _place(message_id: uuid.UUID) -> str:
    return f"message.personal:{message_id}"
