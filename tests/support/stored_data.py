"""What the owner of a service's keys can read in its database: every encrypted value that still has its key."""

import json
from typing import Any

from support.real_desk import RealDesk
from support.real_service import setting

from desk.chassis.crypto import DecryptionError, Vault
from desk.database import DataKeys

PLACES = {
    "tracking": (
        ('SELECT request, tracking_code, tracking_code FROM "case"', "case.request:{}"),
        ("SELECT words, event_id, tracking_code FROM step", "step.words:{}"),
    ),
    "intake": (
        ("SELECT personal, id, id FROM request", "request.personal:{}"),
        ("SELECT name, id, id FROM attachment", "attachment.name:{}"),
        ("SELECT name, id, id FROM answer_file", "answer_file.name:{}"),
        ("SELECT person, request_id, request_id FROM identity_check", "identity_check.person:{}"),
    ),
    "notifier": (("SELECT personal, id, tracking_code FROM message", "message.personal:{}"),),
}
"""For each encrypted column: value, the row's part of its place, and the id of its data key."""


def readable(desk: RealDesk, service: str) -> str:
    """Return everything personal that can be decrypted in the database of a service."""
    environment = desk[service].environment
    vault = Vault.from_text(environment[setting(service, "VAULT_KEYS")], environment[setting(service, "INDEX_KEY")])
    wrapped = dict(desk.rows(service, "SELECT id, wrapped FROM data_key"))
    found = []
    for query, place in PLACES[service]:
        found += [_opened(vault, row, place, wrapped) for row in desk.rows(service, query)]
    return "\n".join(found)


def _opened(vault: Vault, row: tuple[Any, ...], place: str, wrapped: dict[Any, Any]) -> str:
    value, of, key_id = row
    if not value:
        return ""
    try:
        plain = DataKeys(vault).open(value, place.format(of), str(key_id), wrapped.get(str(key_id)))
    except DecryptionError:
        return ""
    text = plain.decode()
    return json.dumps(json.loads(text), ensure_ascii=False) if text.startswith("{") else text
