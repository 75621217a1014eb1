"""The encrypted examples of the contract are read by the desk, by the library for offices, and by Node.js."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, OKPKey

from desk.chassis.event_encryption import EventDecryptionError, EventDecryptor
from desk.contracts.documents import ENCRYPTED, FOLDER
from desk.contracts.examples import examples
from desk.expert import DecryptionError, PrivateKeys
from desk.expert.events import read as read_event
from desk.tracking.events import CaseAnswered

NODE_TEST = Path(__file__).parents[1] / "web" / "events.test.js"
NAMES = [each.event.name for each in examples()]


def read(path: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / path).read_text(encoding="utf-8"))
    return found


def private_keys() -> Iterator[tuple[str, str]]:
    """Yield the identifier and the PEM of each example key."""
    for listed in read(f"{ENCRYPTED}/keys.json")["keys"].values():
        for jwk in listed:
            key = (ECKey if jwk["kty"] == "EC" else OKPKey).import_key(jwk)
            yield key.thumbprint(), key.as_pem(private=True).decode()


@pytest.mark.parametrize("name", NAMES)
def test_an_encrypted_example_is_read_with_the_keys_of_its_receivers_alone(name: str):
    event, clear = read(f"{ENCRYPTED}/{name}.json"), read(f"events/{name}.json")
    kids = {each["header"]["kid"] for each in event["data"]["recipients"]}
    assert kids <= {kid for kid, _ in private_keys()}
    for kid, pem in private_keys():
        if kid in kids:
            assert json.loads(EventDecryptor([pem]).decrypt(event["data"], event["id"])) == clear["data"]
            assert json.loads(PrivateKeys([pem]).decrypt(event["data"], event["id"])) == clear["data"]
        else:
            with pytest.raises(EventDecryptionError, match="other keys"):
                EventDecryptor([pem]).decrypt(event["data"], event["id"])
            with pytest.raises(DecryptionError, match="other keys"):
                PrivateKeys([pem]).decrypt(event["data"], event["id"])


def test_the_library_for_offices_reads_another_mobile():
    """An office gets the whole contact, and the number before."""
    body = (FOLDER / ENCRYPTED / "request-contact-changed.json").read_bytes()
    kids = {each["header"]["kid"] for each in json.loads(body)["data"]["recipients"]}
    event = read_event(body, PrivateKeys([pem for kid, pem in private_keys() if kid in kids]))
    assert event.contact_change is not None
    assert event.contact_change.contact.mobile == "+989127654321"
    assert event.contact_change.previous_mobile != event.contact_change.contact.mobile
    assert event.request is None


def test_a_report_that_was_encrypted_by_another_library_is_read():
    """By ``jose`` for Node.js, which puts the ephemeral key of a single recipient into the protected header."""
    event = read("vectors/report.json")
    [jwk] = read(f"{ENCRYPTED}/keys.json")["keys"]["tracking"]
    pem = OKPKey.import_key(jwk).as_pem(private=True).decode()
    answered = CaseAnswered.model_validate_json(EventDecryptor([pem]).decrypt(event["data"], event["id"]))
    assert answered == CaseAnswered.model_validate(read("events/case-answered.json")["data"])


def test_node_reads_the_encrypted_examples():
    node = shutil.which("node")
    if node is None or not (NODE_TEST.parent / "node_modules" / "jose").exists():
        pytest.skip("needs Node 20, and jose from npm: run tests/web/install")
    done = subprocess.run([node, "--test", NODE_TEST], capture_output=True, text=True, timeout=120, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout
    assert "# fail 0" in done.stdout
