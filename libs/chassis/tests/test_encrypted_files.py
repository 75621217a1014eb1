"""Encrypted files: what was written is read again, and nothing else."""

import io

import pytest

from desk.chassis.encrypted_files import FRAME_BYTES, decrypt_file, encrypt_file, encrypted_size
from desk.security.data_keys import DataKey, DecryptionError

KEY = DataKey.generate("file-1")
SALT, FRAME = 16, FRAME_BYTES + 16
SIZES = [0, 1, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, 3 * FRAME_BYTES, 3 * FRAME_BYTES + 7]


def content(size: int) -> bytes:
    return bytes(number % 251 for number in range(size))


def encrypted(plain: bytes, key: DataKey = KEY) -> bytes:
    return encrypt_file(io.BytesIO(plain), key).read()


async def decrypted(sealed: bytes, key: DataKey = KEY, chunk: int = 10_000) -> bytes:
    async def chunks():
        for start in range(0, len(sealed), chunk):
            yield sealed[start : start + chunk]

    return b"".join([frame async for frame in decrypt_file(chunks(), key)])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("chunk", [1000, FRAME_BYTES, FRAME, 10**6])
async def test_a_file_is_decrypted_as_it_was(size, chunk):
    assert await decrypted(encrypted(content(size)), chunk=chunk) == content(size)


@pytest.mark.parametrize("size", SIZES)
def test_the_size_is_known_in_advance(size):
    assert len(encrypted(content(size))) == encrypted_size(size)


@pytest.mark.parametrize("piece", [1, 5000, FRAME, 10**6])
async def test_a_reader_may_read_in_pieces_of_any_size(piece):
    reader, sealed = encrypt_file(io.BytesIO(content(2 * FRAME_BYTES + 5)), KEY), bytearray()
    while part := reader.read(piece):
        sealed += part
    assert await decrypted(bytes(sealed)) == content(2 * FRAME_BYTES + 5)


def test_equal_files_have_different_ciphertexts():
    assert encrypted(b"the same") != encrypted(b"the same")


def test_the_reader_holds_only_a_few_frames():
    class Counting(io.BytesIO):
        most = 0

        def read(self, size=-1):
            part = super().read(size)
            Counting.most = max(Counting.most, len(part))
            return part

    reader = encrypt_file(Counting(content(10 * FRAME_BYTES)), KEY)
    reader.read(1)
    assert Counting.most == FRAME_BYTES


def changes(sealed: bytes) -> dict[str, bytes]:
    first, second = sealed[SALT : SALT + FRAME], sealed[SALT + FRAME : SALT + 2 * FRAME]
    rest = sealed[SALT + 2 * FRAME :]
    return {
        "a changed byte": sealed[:100] + bytes([sealed[100] ^ 1]) + sealed[101:],
        "a changed salt": bytes([sealed[0] ^ 1]) + sealed[1:],
        "a changed tag": sealed[:-1] + bytes([sealed[-1] ^ 1]),
        "truncated within a frame": sealed[:-20],
        "truncated after a frame": sealed[: SALT + 2 * FRAME],
        "only a salt": sealed[:SALT],
        "less than a salt": sealed[: SALT - 1],
        "nothing": b"",
        "frames in another order": sealed[:SALT] + second + first + rest,
        "a frame removed": sealed[:SALT] + first + rest,
        "a frame repeated": sealed[:SALT] + first + first + second + rest,
        "something appended": sealed + b"x",
        "another frame appended": sealed + rest,
    }


@pytest.mark.parametrize("change", changes(bytes(4 * FRAME)))
async def test_a_changed_file_is_not_decrypted_to_its_end(change):
    sealed = encrypted(content(2 * FRAME_BYTES + 100))
    with pytest.raises(DecryptionError):
        await decrypted(changes(sealed)[change])


async def test_a_file_is_bound_to_its_id_and_its_key():
    sealed = encrypted(b"the content")
    for other in (DataKey("file-2", KEY.secret), DataKey.generate("file-1")):
        with pytest.raises(DecryptionError):
            await decrypted(sealed, other)
