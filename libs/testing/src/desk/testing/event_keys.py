"""Keys of the receivers of events for tests, and events encrypted and decrypted with them."""

import json
from functools import cache
from typing import Any

from desk.chassis.event_encryption import CONTENT_TYPE, EventDecryptor, EventEncryptor, new_event_key_pair

Envelope = dict[str, Any]


@cache
def event_key_pair(receiver: str) -> tuple[str, str]:  # noqa: ARG001 - the cache has one pair for each
    """Return the key pair of a receiver, private and public, the same one in this process."""
    return new_event_key_pair()


def event_public_keys(*receivers: str) -> dict[str, str]:
    """Return the public key of each receiver, as in the settings of a publisher."""
    return {name: event_key_pair(name)[1] for name in receivers}


@cache
def encryptor_for(*receivers: str) -> EventEncryptor:
    """Return an encryptor for these receivers, the same one in this process: reading keys takes long."""
    return EventEncryptor(event_public_keys(*receivers))


@cache
def decryptor_of(*receivers: str) -> EventDecryptor:
    """Return a decryptor with the keys of these receivers, the same one in this process."""
    return EventDecryptor([event_key_pair(name)[0] for name in receivers])


def encrypted(envelope: Envelope, *receivers: str) -> Envelope:
    """Return an event whose data is encrypted for these receivers; an event without data is returned as it is."""
    if "data" not in envelope:
        return envelope
    plain = json.dumps(envelope["data"]).encode()
    data = encryptor_for(*receivers).encrypt(plain, str(envelope.get("id", "")), receivers)
    return envelope | {"datacontenttype": CONTENT_TYPE, "data": data}


def decrypted(body: bytes, *receivers: str) -> Envelope:
    """Return an event with the data that one of these receivers can read. Raises EventDecryptionError."""
    envelope: Envelope = json.loads(body)
    return envelope | {"data": json.loads(decryptor_of(*receivers).decrypt(envelope["data"], envelope["id"]))}
