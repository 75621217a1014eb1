"""Sealing, finding again, and signing."""

import base64
import hmac
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OKPKey

from desk.chassis.crypto import (
    DecryptionError,
    TokenError,
    TokenExpiredError,
    TokenIssuer,
    TokenReader,
    Vault,
    new_key_pair,
    new_secret,
)

PLACE = "request.personal:1"
PRIVATE, PUBLIC = new_key_pair()


@given(st.binary())
def test_a_sealed_value_can_be_opened(plain):
    vault = Vault({"k1": b"k" * 32}, b"i" * 32)
    assert vault.open(vault.seal(plain, PLACE), PLACE) == plain


def test_the_same_value_is_sealed_differently_each_time(vault):
    assert vault.seal(b"0013542419", PLACE) != vault.seal(b"0013542419", PLACE)


@pytest.mark.parametrize("place", ["request.personal:2", "request.text:1", "outbox.body:1", ""])
def test_a_sealed_value_does_not_open_at_another_place(vault, place):
    sealed = vault.seal(b"secret", PLACE)
    with pytest.raises(DecryptionError):
        vault.open(sealed, place)


def test_a_value_with_any_byte_changed_cannot_be_decrypted(vault):
    sealed = vault.seal(b"secret", PLACE)
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(DecryptionError):
            vault.open(bytes(changed), PLACE)


def test_a_truncated_value_cannot_be_decrypted(vault):
    sealed = vault.seal(b"secret", PLACE)
    for length in range(len(sealed)):
        with pytest.raises(DecryptionError):
            vault.open(sealed[:length], PLACE)


@given(st.binary(max_size=64))
def test_a_value_that_was_not_sealed_cannot_be_decrypted(noise):
    with pytest.raises(DecryptionError):
        Vault({"k1": b"k" * 32}, b"i" * 32).open(noise, PLACE)


def test_a_decryption_error_names_the_column_and_not_the_row(vault):
    with pytest.raises(DecryptionError) as caught:
        vault.open(vault.seal(b"secret", PLACE), "case.request:123456789012")
    assert "case.request" in str(caught.value)
    assert "123456789012" not in str(caught.value)


def test_rows_sealed_with_an_older_key_stay_readable(vault):
    rotated = Vault({"k2": b"n" * 32, "k1": b"k" * 32}, b"i" * 32)
    assert rotated.open(vault.seal(b"secret", PLACE), PLACE) == b"secret"


def test_the_first_key_is_the_one_that_seals(vault):
    rotated = Vault({"k2": b"n" * 32, "k1": b"k" * 32}, b"i" * 32)
    assert rotated.seal(b"secret", PLACE).startswith(b"\x02k2")


def test_rows_of_a_removed_key_cannot_be_decrypted(vault):
    with pytest.raises(DecryptionError, match="k1"):
        Vault({"k2": b"n" * 32}, b"i" * 32).open(vault.seal(b"secret", PLACE), PLACE)


def test_a_key_of_the_same_name_that_is_another_does_not_open(vault):
    with pytest.raises(DecryptionError):
        Vault({"k1": b"x" * 32}, b"i" * 32).open(vault.seal(b"secret", PLACE), PLACE)


def test_a_vault_is_read_from_settings(vault):
    other, first, index = (base64.b64encode(letter * 32).decode() for letter in (b"n", b"k", b"i"))
    read = Vault.from_text(f"k2:{other}, k1:{first}", index)
    assert read.open(vault.seal(b"secret", PLACE), PLACE) == b"secret"
    assert read.seal(b"", PLACE).startswith(b"\x02k2")


@pytest.mark.parametrize(
    ("keys", "index_key"),
    [
        ({}, b"i" * 32),
        ({"k1": b"short"}, b"i" * 32),
        ({"k1": b"k" * 32, "k2": b""}, b"i" * 32),
        ({"k1": b"k" * 32}, b"short"),
        ({"": b"k" * 32}, b"i" * 32),
        ({"کلید": b"k" * 32}, b"i" * 32),
        ({"k" * 256: b"k" * 32}, b"i" * 32),
    ],
)
def test_a_vault_with_weak_or_unusable_keys_is_refused(keys, index_key):
    with pytest.raises(ValueError, match="key"):
        Vault(keys, index_key)


def test_a_new_secret_is_fit_for_a_vault():
    assert Vault.from_text(f"k1:{new_secret()}", new_secret()).seal(b"", PLACE)


def test_the_blind_index_of_a_value_is_always_the_same(vault):
    rotated = Vault({"k2": b"n" * 32}, b"i" * 32)
    assert vault.index("0013542419", "national_id") == rotated.index("0013542419", "national_id")


def test_the_blind_index_has_the_form_its_column_has(vault):
    assert len(vault.index("0013542419", "national_id")) == 64


def test_the_blind_index_serves_one_purpose(vault):
    assert vault.index("0013542419", "national_id") != vault.index("0013542419", "mobile")


def test_purpose_and_value_do_not_run_together(vault):
    assert vault.index("b", "a") != vault.index("", "ab")


def test_the_blind_index_cannot_be_computed_without_its_key(vault):
    assert vault.index("1", "p") != Vault({"k1": b"k" * 32}, b"j" * 32).index("1", "p")


@pytest.fixture
def issuer():
    return TokenIssuer(PRIVATE, "registry-gateway")


@pytest.fixture
def reader():
    return TokenReader(PUBLIC, issuer="registry-gateway", audience="desk.intake")


def forge(payload, *, header=None, key=PRIVATE):
    good = {"iss": "registry-gateway", "aud": "desk.intake", "exp": int(time.time()) + 60}
    signing = OKPKey.import_key(key)
    claims = json.dumps({**good, **payload}).encode()
    head = {"alg": "Ed25519", **(header or {})}
    return jws.serialize_compact(head, claims, signing, algorithms=["Ed25519", "EdDSA"])


def unsigned(header):
    return ".".join(
        base64.urlsafe_b64encode(part).rstrip(b"=").decode()
        for part in (header, json.dumps({"iss": "registry-gateway", "aud": "desk.intake"}).encode(), b"x")
    )


def test_a_token_contains_its_claims(issuer, reader):
    token, _ = issuer.issue({"first_name": "زهرا"}, audience="desk.intake", seconds=60)
    assert reader.read(token)["first_name"] == "زهرا"


def test_a_token_is_issued_with_its_expiry(issuer, reader):
    token, expires_at = issuer.issue({}, audience="desk.intake", seconds=60)
    assert reader.read(token)["exp"] == expires_at


def test_every_token_is_unique(issuer):
    tokens = {issuer.issue({}, audience="desk.intake", seconds=60)[0] for _ in range(3)}
    assert len(tokens) == 3


def test_claims_do_not_override_the_issuers_own(issuer, reader):
    token, expires_at = issuer.issue({"exp": 9_999_999_999, "iss": "x"}, audience="desk.intake", seconds=60)
    assert reader.read(token)["exp"] == expires_at


def test_a_token_is_valid_until_its_last_second_and_not_longer(issuer, reader, monkeypatch):
    token, expires_at = issuer.issue({}, audience="desk.intake", seconds=60)
    monkeypatch.setattr(time, "time", lambda: expires_at - 0.5)
    assert reader.read(token)
    monkeypatch.setattr(time, "time", lambda: float(expires_at))
    with pytest.raises(TokenExpiredError):
        reader.read(token)


def test_a_token_of_an_issuer_whose_clock_is_slightly_ahead_is_valid(reader):
    assert reader.read(forge({"iat": int(time.time()) + 10}))


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # most libraries still write this name
def test_the_older_name_of_the_algorithm_is_accepted(reader):
    assert reader.read(forge({}, header={"alg": "EdDSA"}))


def test_a_token_for_another_audience_is_refused(issuer, reader):
    token, _ = issuer.issue({}, audience="desk.tracking", seconds=60)
    with pytest.raises(TokenError):
        reader.read(token)


def test_a_token_of_another_issuer_is_refused(reader):
    token, _ = TokenIssuer(PRIVATE, "tracking").issue({}, audience="desk.intake", seconds=60)
    with pytest.raises(TokenError):
        reader.read(token)


def test_a_token_signed_by_another_key_is_refused(reader):
    token, _ = TokenIssuer(new_key_pair()[0], "registry-gateway").issue({}, audience="desk.intake", seconds=60)
    with pytest.raises(TokenError):
        reader.read(token)


def test_a_token_whose_claims_were_changed_is_refused(issuer, reader):
    token, _ = issuer.issue({}, audience="desk.intake", seconds=60)
    head, _, signature = token.split(".")
    claims = forge({"role": "admin"}).split(".")[1]
    with pytest.raises(TokenError):
        reader.read(f"{head}.{claims}.{signature}")


def test_an_expired_token_of_another_issuer_is_not_reported_as_expired(reader):
    token = forge({"exp": 1}, key=new_key_pair()[0])
    with pytest.raises(TokenError) as caught:
        reader.read(token)
    assert not isinstance(caught.value, TokenExpiredError)


@pytest.mark.parametrize("claim", ["exp", "iss", "aud"])
def test_a_token_without_a_required_claim_is_refused(reader, claim):
    with pytest.raises(TokenError) as refusal:
        reader.read(forge({claim: None}))
    assert refusal.value.part == claim


@pytest.mark.parametrize("expiry", ["tomorrow", True, [], 1.5])
def test_a_token_with_an_odd_expiry_is_refused(reader, expiry):
    with pytest.raises(TokenError):
        reader.read(forge({"exp": expiry}))


def test_the_public_key_as_a_shared_secret_is_refused(reader):
    head, claims, _ = unsigned(b'{"alg":"HS256"}').split(".")
    signature = hmac.digest(PUBLIC.encode(), f"{head}.{claims}".encode(), "sha256")
    with pytest.raises(TokenError):
        reader.read(f"{head}.{claims}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}")


@pytest.mark.parametrize(
    "header",
    [
        b'{"alg":"none"}',
        b'{"alg":"None"}',
        b'{"alg":"EdDSA"}',
        b"{}",
        b"[]",
        b"1",
        b"not json",
        b'{"alg":["Ed25519"]}',
        b'{"alg":"Ed25519","crit":1}',
        b'{"alg":"Ed25519","crit":[[]]}',
        b'{"alg":"Ed25519","b64":false,"crit":["b64"]}',
    ],
)
def test_a_token_with_another_header_is_refused(reader, header):
    with pytest.raises(TokenError):
        reader.read(unsigned(header))


@pytest.mark.parametrize("payload", [b"[1]", b"1", b'"text"', b"not json"])
def test_a_genuine_signature_on_something_else_is_refused(reader, payload):
    key = OKPKey.import_key(PRIVATE)
    with pytest.raises(TokenError):
        reader.read(jws.serialize_compact({"alg": "Ed25519"}, payload, key, algorithms=["Ed25519"]))


@given(st.text() | st.lists(st.text(alphabet="abcXYZ019-_="), min_size=3, max_size=5).map(".".join))
def test_any_other_text_is_refused_and_breaks_nothing(text):
    with pytest.raises(TokenError):
        TokenReader(PUBLIC, issuer="registry-gateway", audience="desk.intake").read(text)
