"""The encrypted part of a message's row: recipient and text."""

import uuid

from pydantic import BaseModel

from desk.chassis.crypto import Vault


class PersonalData(BaseModel):
    """The recipient and the text of a message."""

    recipient: str
    text: str
    subject: str | None = None
    html: str | None = None
    values: dict[str, str] = {}

    def encrypt(self, vault: Vault, message_id: uuid.UUID) -> bytes:
        """Encrypt for one row; in another row it cannot be decrypted."""
        return vault.seal(self.model_dump_json().encode(), _context(message_id))

    @classmethod
    def decrypt(cls, vault: Vault, message_id: uuid.UUID, encrypted: bytes) -> "PersonalData":
        """Decrypt the data of a row. Raises DecryptionError."""
        return cls.model_validate_json(vault.open(encrypted, _context(message_id)))


def _context(message_id: uuid.UUID) -> str:
    return f"message.personal:{message_id}"
