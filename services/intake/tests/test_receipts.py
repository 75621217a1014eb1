import base64
import hashlib
import json
from datetime import UTC, datetime

import pytest
from joserfc import jws
from joserfc.jwk import KeySet, OKPKey
from pydantic import ValidationError

from desk.chassis.crypto import new_key_pair
from desk.intake.service.receipts import Receipts
from desk.intake.settings import Settings


@pytest.fixture
def database_kind():
    """Run on SQLite alone: what these tests check does not depend on the database."""
    return "sqlite"


MODULE_MM = 0.38
"""The smallest module on paper that the camera of an old phone resolves."""


def digest(content):
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


@pytest.fixture
def published(desk):
    async def published():
        return KeySet.import_key_set((await desk.client.get("/api/receipt-keys")).json())

    return published


@pytest.fixture
def read(published):
    """Verify a token with the published keys; its header identifies one of them."""

    async def read(token):
        checked = jws.deserialize_compact(token, await published(), algorithms=["Ed25519"])
        return checked.headers(), json.loads(checked.payload)

    return read


async def test_a_receipt_contains_only_what_was_registered(desk, read, pdf):
    files = [await desk.attachment()]
    answer = (await desk.submit(attachments=files, text="  متن درخواست من،\r\nدر دو سطر ي ")).json()

    header, claims = await read(answer["receipt"]["token"])
    assert header.keys() == {"alg", "kid", "typ"}
    assert (header["alg"], header["typ"]) == ("Ed25519", "haj-receipt-1")
    assert claims == {
        "c": answer["tracking_code"],
        "t": int(datetime.fromisoformat(answer["submitted_at"]).timestamp()),
        "x": digest("متن درخواست من،\nدر دو سطر ی".encode()),
        "f": [digest(pdf)],
    }


async def test_the_hashes_of_files_are_sorted(desk, read, pdf):
    contents = [pdf + b"%" + bytes([letter]) for letter in b"abcde"]
    files = [(await desk.upload_raw(content, f"{place}.pdf")).json()["id"] for place, content in enumerate(contents)]
    answer = (await desk.submit(attachments=files)).json()

    _, claims = await read(answer["receipt"]["token"])
    hashes = sorted(hashlib.sha256(content).digest() for content in contents)
    assert claims["f"] == [base64.urlsafe_b64encode(each).rstrip(b"=").decode() for each in hashes]


async def test_a_repeat_returns_the_same_receipt(desk):
    files = [await desk.attachment() for _ in range(3)]
    answers = [await desk.submit(key="the-same-key", attachments=files) for _ in range(2)]

    assert [each.status_code for each in answers] == [201, 201]
    assert answers[0].json()["receipt"] == answers[1].json()["receipt"]


async def test_former_keys_are_published_without_private_parts(desk):
    answer = await desk.client.get("/api/receipt-keys")

    assert answer.headers["cache-control"] == "public, max-age=300"
    keys = answer.json()["keys"]
    assert len({key["kid"] for key in keys}) == 2
    for key in keys:
        assert key.keys() == {"kty", "crv", "x", "kid", "alg", "use"}


async def test_a_receipt_stays_valid_after_its_key_is_replaced(desk, read):
    token = (await desk.submit()).json()["receipt"]["token"]
    (own,) = [key for key in (await desk.client.get("/api/receipt-keys")).json()["keys"] if key["kid"] in _kid(token)]
    old = OKPKey.import_key({name: own[name] for name in ("kty", "crv", "x")}).as_pem(private=False).decode()

    fresh = Receipts(new_key_pair()[0], [old])
    desk.replace_services(receipts=fresh)

    assert (await read(token))[0]["kid"] == own["kid"]
    assert _kid((await desk.submit()).json()["receipt"]["token"]) != _kid(token)


def _kid(token):
    header = token.partition(".")[0]
    return json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"]


async def test_a_next_key_that_is_published_ahead_is_listed_once():
    private, _ = new_key_pair()
    public = OKPKey.import_key(private).as_pem(private=False).decode()

    assert len(Receipts(private, [public, public]).keys()["keys"]) == 1


async def test_the_receipt_has_the_time_of_submission_in_seconds(desk, read):
    before = datetime.now(UTC).replace(microsecond=0)
    answer = (await desk.submit()).json()

    _, claims = await read(answer["receipt"]["token"])
    assert before.timestamp() <= claims["t"] <= datetime.now(UTC).timestamp()


def test_invalid_keys_are_refused_at_startup(settings):
    private, public = new_key_pair()
    for change in (
        {"receipt_private_key": "no key"},
        {"receipt_private_key": public},
        {"receipt_public_keys": [public, private]},
    ):
        with pytest.raises(ValidationError, match="no Ed25519") as refused:
            Settings.model_validate(settings.model_dump() | change)
        assert "PRIVATE KEY-----" not in str(refused.value)
