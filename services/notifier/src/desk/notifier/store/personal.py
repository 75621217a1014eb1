"""The encrypted part of a message's row: recipient and text."""

import uuid
from dataclasses import dataclass, field

from pydantic import BaseModel

from desk.chassis.crypto import Vault
from desk.database import DataKeys
from desk.security.data_keys import DataKey, KeyWrapper


@dataclass(frozen=True, slots=True)
class Encrypted:
    """The encrypted data of a row, and the data key of its request, if it has one."""

    data: bytes = field(repr=False)
    tracking_code: str
    wrapped: bytes | None = field(repr=False)


class PersonalData(BaseModel):
    """The recipient and the text of a message."""

    recipient: str
    text: str
    subject: str | None = None
    html: str | None = None
    values: dict[str, str] = {}

    def encrypt(self, key: KeyWrapper | DataKey, message_id: uuid.UUID) -> bytes:
        """Encrypt for one row; in another row it cannot be decrypted."""
        return key.seal(self.model_dump_json().encode(), _context(message_id))

    @classmethod
    def decrypt(cls, vault: Vault, message_id: uuid.UUID, encrypted: Encrypted) -> "PersonalData":
        """Decrypt the data of a row. Raises DecryptionError."""
        place = _context(message_id)
        keys = DataKeys(vault)
        return cls.model_validate_json(keys.open(encrypted.data, place, encrypted.tracking_code, encrypted.wrapped))


def _context(message_id: uuid.UUID) -> str:
    return f"message.personal:{message_id}"
