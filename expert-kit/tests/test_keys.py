"""``desk-expert keys`` makes the pairs that the desk and the library accept, and overwrites none."""

import stat

import pytest

from desk.chassis.crypto import is_private_key, is_public_key
from desk.chassis.event_encryption import EventDecryptor, EventEncryptor
from desk.expert import OfficeKeys, PrivateKeys
from desk.expert_kit.main import main


def run(*arguments):
    with pytest.raises(SystemExit) as ended:
        main(["keys", *map(str, arguments)])
    return ended.value.code


@pytest.mark.parametrize("curve", ["X25519", "P-256"])
def test_the_keys_are_those_that_the_desk_and_the_library_accept(tmp_path, capsys, curve):
    assert run(tmp_path / "keys", "--curve", curve) == 0

    keys = OfficeKeys.read(tmp_path / "keys")
    assert is_private_key(keys.files_private)
    assert is_public_key(keys.files_public)
    sealed = EventEncryptor({"isfahan": keys.events_public}).encrypt(b"data", "1", ["isfahan"])
    assert PrivateKeys([keys.events_private]).decrypt(sealed, "1") == b"data"
    said = capsys.readouterr().out
    send, keep = said.split("Keep, ")
    assert "events.public.pem" in send
    assert "files.public.pem" in send
    assert "files.pem" in keep
    assert "public" not in keep


def test_private_keys_are_readable_by_their_owner_alone(tmp_path):
    run(tmp_path)
    for name in ("files.pem", "events.pem"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_keys_are_never_overwritten(tmp_path, capsys):
    run(tmp_path)
    before = OfficeKeys.read(tmp_path)
    assert run(tmp_path) == 2
    assert "already" in capsys.readouterr().err
    assert OfficeKeys.read(tmp_path) == before


def test_a_rotation_keeps_the_former_key_and_happens_once(tmp_path, capsys):
    run(tmp_path)
    before = OfficeKeys.read(tmp_path)
    assert run(tmp_path, "--rotate") == 0
    after = OfficeKeys.read(tmp_path)
    assert "30 days" in capsys.readouterr().out
    assert (after.former_events_private, after.files_private) == (before.events_private, before.files_private)
    assert after.events_private != before.events_private

    both = PrivateKeys([after.events_private, before.events_private])
    for public in (before.events_public, after.events_public):
        sealed = EventEncryptor({"isfahan": public}).encrypt(b"data", "1", ["isfahan"])
        assert both.decrypt(sealed, "1") == b"data"
        assert EventDecryptor([before.events_private, after.events_private]).decrypt(sealed, "1") == b"data"

    assert run(tmp_path, "--rotate") == 2
    assert "former-events.pem" in capsys.readouterr().err


def test_a_folder_without_keys_cannot_be_rotated(tmp_path, capsys):
    assert run(tmp_path, "--rotate") == 2
    assert "has no keys" in capsys.readouterr().err
