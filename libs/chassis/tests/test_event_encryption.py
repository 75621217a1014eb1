"""Encrypted data of events: each receiver can read it, and nothing else is accepted."""

import base64
import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OKPKey
from pydantic import ValidationError

from desk.chassis.crypto import new_key_pair
from desk.chassis.event_encryption import (
    EventDecryptionError,
    EventDecryptor,
    EventEncryptor,
    TooManyRecipientsError,
    import_event_key,
    new_event_key_pair,
)
from desk.chassis.settings import ConsumerSettings, PublisherSettings

PRIVATE, PUBLIC = new_event_key_pair()
OTHER_PRIVATE, OTHER_PUBLIC = new_event_key_pair()
OFFICE = ECKey.generate_key("P-256")
OFFICE_PRIVATE, OFFICE_PUBLIC = (OFFICE.as_pem(private=each).decode() for each in (True, False))
PLAIN = '{"text": "روادید"}'.encode()

Sealed = dict[str, Any]


def sealed() -> Sealed:
    keys = {"tracking": PUBLIC, "notifier": OTHER_PUBLIC, "isfahan": OFFICE_PUBLIC}
    return json.loads(json.dumps(EventEncryptor(keys).encrypt(PLAIN, "e-1", ("tracking", "notifier", "isfahan"))))


def encoded(value: object, **how: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, **how).encode()).decode().rstrip("=")


def header_of(data: Sealed) -> dict[str, Any]:
    return json.loads(base64.urlsafe_b64decode(data["protected"] + "=="))


def with_header(**changed: object) -> Callable[[Sealed], None]:
    def change(data: Sealed) -> None:
        data["protected"] = encoded(header_of(data) | changed, separators=(",", ":"))

    return change


@pytest.mark.parametrize("private", [PRIVATE, OTHER_PRIVATE, OFFICE_PRIVATE])
def test_each_receiver_reads_the_data(private: str) -> None:
    assert EventDecryptor([private]).decrypt(sealed(), "e-1") == PLAIN


def test_no_other_key_reads_the_data() -> None:
    with pytest.raises(EventDecryptionError, match="encrypted for other keys"):
        EventDecryptor([new_event_key_pair()[0]]).decrypt(sealed(), "e-1")


def test_a_key_under_the_identifier_of_another_does_not_read_the_data() -> None:
    data, stranger = sealed(), new_event_key_pair()[0]
    data["recipients"][0]["header"]["kid"] = import_event_key(stranger).thumbprint()
    with pytest.raises(EventDecryptionError, match="cannot be decrypted"):
        EventDecryptor([stranger]).decrypt(data, "e-1")


def test_during_a_rotation_old_and_new_keys_are_read() -> None:
    fresh = new_event_key_pair()
    rotating = EventDecryptor([fresh[0], PRIVATE])
    for key in (PUBLIC, fresh[1], fresh[1] + PUBLIC):
        data = EventEncryptor({"tracking": key}).encrypt(PLAIN, "e-1", ["tracking"])
        assert rotating.decrypt(data, "e-1") == PLAIN


def test_two_keys_of_a_receiver_are_two_recipients() -> None:
    data = EventEncryptor({"isfahan": PUBLIC + OFFICE_PUBLIC}).encrypt(PLAIN, "e-1", ["isfahan"])
    kids = [import_event_key(key).thumbprint() for key in (PUBLIC, OFFICE_PUBLIC)]
    assert [each["header"]["kid"] for each in data["recipients"]] == kids


def test_more_recipients_than_the_contract_allows_are_refused_before_anything_is_published() -> None:
    offices = {f"office-{number}": new_event_key_pair()[1] + new_event_key_pair()[1] for number in range(5)}
    encryptor = EventEncryptor(offices)

    assert len(encryptor.encrypt(PLAIN, "e-1", list(offices)[:4])["recipients"]) == 8
    with pytest.raises(TooManyRecipientsError, match=r"office-4 have 10 public keys together.* at most 8 recipients"):
        encryptor.encrypt(PLAIN, "e-1", offices)


def test_nothing_is_readable_in_what_is_published() -> None:
    assert "روادید" not in json.dumps(sealed(), ensure_ascii=False)


def test_data_of_another_event_is_refused() -> None:
    with pytest.raises(EventDecryptionError, match="another event"):
        EventDecryptor([PRIVATE]).decrypt(sealed(), "e-2")


def test_the_published_keys_have_no_private_part() -> None:
    [key] = EventDecryptor([PRIVATE]).public_keys()
    assert sorted(key) == ["alg", "crv", "kid", "kty", "use", "x"]
    assert OKPKey.import_key(key).as_pem(private=False).decode() == PUBLIC


def compress(data: Sealed) -> None:
    """Encrypt 16 MB of zeros under a content key of our own, as an attacker would."""
    key = AESGCM(AESGCM.generate_key(256))
    with_header(zip="DEF")(data)
    body = key.encrypt(b"\0" * 12, zlib.compress(b"\0" * 2**24)[2:-4], data["protected"].encode())
    data["ciphertext"] = base64.urlsafe_b64encode(body[:-16]).decode().rstrip("=")


def drop(name: str) -> Callable[[Sealed], None]:
    return lambda data: data.pop(name)


def recipient(**changed: object) -> Callable[[Sealed], None]:
    def change(data: Sealed) -> None:
        data["recipients"][0]["header"] |= changed

    return change


REFUSED: dict[str, Callable[[Sealed], object]] = {
    "no header": drop("protected"),
    "no recipients": drop("recipients"),
    "no nonce": drop("iv"),
    "no text": drop("ciphertext"),
    "no tag": drop("tag"),
    "compressed text": compress,
    "critical extensions": with_header(crit=["exp"]),
    "another cipher": with_header(enc="A128CBC-HS256"),
    "an id of another type": with_header(event_id=1),
    "a header with white space": lambda data: data.update(protected=encoded(header_of(data))),
    "a header that is a list": lambda data: data.update(protected=encoded(["A256GCM"])),
    "a header that is no JSON": lambda data: data.update(protected="AAAA"),
    "a header that is no base64": lambda data: data.update(protected="A"),
    "a header that is too long": lambda data: data.update(protected="A" * 2000),
    "a changed header": with_header(typ="JWT"),
    "a changed nonce": lambda data: data.update(iv="A" * 16),
    "a changed tag": lambda data: data.update(tag="A" * 22),
    "a short tag": lambda data: data.update(tag="AAAA"),
    "a short nonce": lambda data: data.update(iv="AAAA"),
    "a changed text": lambda data: data.update(ciphertext="AAAA" + data["ciphertext"][4:]),
    "a text that is no base64": lambda data: data.update(ciphertext=data["ciphertext"] + "A"),
    "a text with padding": lambda data: data.update(ciphertext="AA=="),
    "a text that is too long": lambda data: data.update(ciphertext="A" * (1024 * 1024 + 1)),
    "nine recipients": lambda data: data.update(recipients=data["recipients"] * 3),
    "additional data": lambda data: data.update(aad="AAAA"),
    "an unprotected header": lambda data: data.update(unprotected={"zip": "DEF"}),
    "a foreign wrapped key": lambda data: data["recipients"][0].update(encrypted_key="A" * 54),
    "a wrapped key of another length": lambda data: data["recipients"][0].update(encrypted_key="AAAA"),
    "a recipient without a header": lambda data: data["recipients"][0].pop("header"),
    "direct agreement": recipient(alg="ECDH-ES"),
    "a password as algorithm": recipient(alg="PBES2-HS256+A128KW", p2c=2**31, p2s="AAAA"),
    "no algorithm": recipient(alg=None),
    "a key identifier of another type": recipient(kid=["a"]),
    "no ephemeral key": recipient(epk=None),
    "an ephemeral key of another curve": recipient(epk={"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43}),
    "an ephemeral key of low order": recipient(epk={"kty": "OKP", "crv": "X25519", "x": "A" * 43}),
    "a short ephemeral key": recipient(epk={"kty": "OKP", "crv": "X25519", "x": "AAAA"}),
    "an ephemeral key for signatures": recipient(epk={"kty": "OKP", "crv": "Ed25519", "x": "A" * 43}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_jwe_of_the_contract_is_refused(name: str) -> None:
    data = sealed()
    REFUSED[name](data)
    with pytest.raises(EventDecryptionError):
        EventDecryptor([PRIVATE]).decrypt(data, "e-1")


@pytest.mark.parametrize("epk", [{"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43}, {"kty": "EC"}])
def test_a_point_that_is_not_on_the_curve_is_refused(epk: dict[str, str]) -> None:
    data = sealed()
    data["recipients"][2]["header"]["epk"] = epk
    with pytest.raises(EventDecryptionError):
        EventDecryptor([OFFICE_PRIVATE]).decrypt(data, "e-1")


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5)


@settings(max_examples=100, deadline=None)
@given(JSON | st.dictionaries(st.sampled_from(["protected", "recipients", "iv", "ciphertext", "tag"]), JSON))
def test_any_other_data_is_refused(data: object) -> None:
    with pytest.raises(EventDecryptionError):
        EventDecryptor([PRIVATE]).decrypt(data, "e-1")


# settings


class Publisher(PublisherSettings):
    receivers = frozenset({"tracking", "isfahan"})


BROKER = {"broker_url": "memory://embedded"}


def test_a_publisher_needs_a_key_of_every_receiver() -> None:
    with pytest.raises(ValidationError, match="no key of isfahan, tracking"):
        Publisher.model_validate(BROKER | {"event_public_keys": {}})
    keys = {"tracking": PUBLIC, "isfahan": OFFICE_PUBLIC + PUBLIC}
    assert Publisher.model_validate(BROKER | {"event_public_keys": keys}).event_public_keys == keys


@pytest.mark.parametrize("unfit", ["", "none", new_key_pair()[1], PRIVATE, PUBLIC + new_key_pair()[1]])
def test_an_unfit_public_key_is_refused_with_its_receiver(unfit: str) -> None:
    with pytest.raises(ValidationError, match="public key \\(PEM\\): isfahan"):
        Publisher.model_validate(BROKER | {"event_public_keys": {"tracking": PUBLIC, "isfahan": unfit}})


def test_a_publisher_does_not_start_with_more_than_two_keys_of_a_receiver() -> None:
    keys = {"tracking": PUBLIC + OTHER_PUBLIC, "isfahan": PUBLIC}
    assert Publisher.model_validate(BROKER | {"event_public_keys": keys}).event_public_keys == keys

    with pytest.raises(ValidationError, match="more than 2 public keys, remove former ones: isfahan"):
        Publisher.model_validate(BROKER | {"event_public_keys": keys | {"isfahan": PUBLIC + OTHER_PUBLIC + PUBLIC}})


def test_a_consumer_has_private_keys() -> None:
    settings = ConsumerSettings.model_validate(BROKER | {"event_private_keys": [PRIVATE, OTHER_PRIVATE]})
    assert settings.event_private_pems == [PRIVATE, OTHER_PRIVATE]


@pytest.mark.parametrize("unfit", ["none", new_key_pair()[0], PUBLIC, OFFICE_PRIVATE])
def test_an_unfit_private_key_is_refused_without_its_value(unfit: str) -> None:
    with pytest.raises(ValidationError, match="at place 2") as caught:
        ConsumerSettings.model_validate(BROKER | {"event_private_keys": [PRIVATE, unfit]})
    assert unfit not in str(caught.value)


def test_a_consumer_without_keys_does_not_start() -> None:
    with pytest.raises(ValidationError, match="at least one key"):
        ConsumerSettings.model_validate(BROKER | {"event_private_keys": []})
