"""``desk-support bundle`` shows what is wrong with the desk, and nothing personal or secret."""

import base64
import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

from support.applicant import PDF
from support.canaries import Canaries
from support.embedded_desk import wait_for
from support.real_desk import RealDesk

from desk.security.secrets import is_address
from desk.testing.ports import free_port

SERVICES = ("captcha", "registry-gateway", "intake", "tracking", "notifier")
PUBLIC = ("PUBLIC_KEY", "SIGNING_KEYS")


def bundle(desk: RealDesk, *arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
    """Run the command as an operator."""
    settings = desk.broker.topology_settings | {
        "DESK_TOPOLOGY_HEALTH_URLS": json.dumps({name: desk[name].health_url for name in SERVICES})
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DESK_")}
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "desk.support.main", "bundle", *arguments],
        env=environment | settings | changed,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def unpacked(file: Path) -> dict[str, str]:
    with tarfile.open(file) as tar:
        return {each.name: tar.extractfile(each).read().decode() for each in tar.getmembers()}


def secrets_of(settings: dict[str, str]) -> set[str]:
    """Return the secret values in the environment of a service: passwords, keys and their bodies."""
    found = set()
    for name, value in settings.items():
        if is_address(value):
            found.add(unquote(urlsplit(value).password or ""))
        elif any(word in name for word in ("KEY", "PASSWORD", "SECRET")) and not any(word in name for word in PUBLIC):
            found |= {part for part in value.replace("\\n", "\n").splitlines() if "-----" not in part}
            found |= {part.rpartition(":")[2] for part in value.split(",")}
    return {each for each in found if len(each) >= 8}


FAILING = """
from desk.tracking.service import PublicFigures
async def fail(self):
    raise ValueError("{canary}")
PublicFigures.count = fail
"""


def test_it_shows_what_is_wrong_and_nothing_personal_or_secret(clean_desk: RealDesk, tmp_path: Path):
    desk, canaries, file = clean_desk, Canaries(), tmp_path / "support.tar.gz"
    upload = desk.applicant(1).upload(f"{canaries.word('file')}.pdf", PDF)
    desk["notifier"].kill()
    mail = f"{canaries.word('mail').lower()}@example.com"
    desk.submit(1, text=canaries.text("text"), email=mail, mobile=canaries.mobile(), attachments=[upload])
    wait_for(lambda: desk.broker.queue("notifier").messages > 0)
    desk["tracking"].restart(FAILING.format(canary=canaries.word("exception")))
    assert desk.client.get("/api/figures", params={"q": canaries.word("query")}).status_code == 500
    desk.client.post("/api/tracking", content=b'{"national_id": "' + canaries.word("cut").encode())

    done = bundle(desk, "--output", str(file))

    assert (done.returncode, done.stderr) == (0, "")
    assert file.stat().st_mode & 0o077 == 0, "only its owner may read it"
    files = unpacked(file)
    text = files["support/summary.txt"]
    assert text in done.stdout
    services, _, about_queues = text.partition("\nqueues\n")
    lines = {line.split()[0]: line for line in services.splitlines() if line.startswith("  ")}
    assert lines.keys() == set(SERVICES)
    assert re.fullmatch(r"  notifier at 127\.0\.0\.1:[0-9]+: DOWN: no answer: ConnectError", lines["notifier"])
    assert ": ready, version " in lines["tracking"]
    assert re.search(r"migration ([0-9]{4}) of \1,", lines["tracking"])
    queues = {each["name"]: each for each in json.loads(files["support/queues.json"])["queues"]}
    assert "DOWN" not in about_queues
    assert queues["notifier"]["messages"] >= 1
    assert queues["notifier"]["consumers"] == 0
    assert queues["tracking"]["consumers"] == 1
    assert re.search(r"^  notifier: [0-9]+ messages, 0 consumers$", about_queues, re.MULTILINE)
    assert {"notifier.dead", "province.isfahan"} <= queues.keys()
    [errors] = [files[name] for name in files if re.fullmatch(r"support/tracking-[0-9]/errors.jsonl", name)]
    [failed] = [each for line in errors.splitlines() if (each := json.loads(line))["event"] == "unexpected error"]
    assert failed["exception"].endswith("ValueError\n")
    [state] = [json.loads(files[name]) for name in files if re.fullmatch(r"support/tracking-[0-9]/state.json", name)]
    assert state["settings"]["DESK_TRACKING_SILENT_HOURS"] == 24
    assert state["settings"]["DESK_TRACKING_INTAKE_URL"] == desk["intake"].url
    assert any("desk_build_info" in content for content in files.values())

    everything = "".join((*files.values(), done.stdout)).encode()
    assert canaries.found_in(everything) is None
    person = desk.applicant(1).person
    assert not [name for name in ("national_id", "last_name") if str(person[name]).encode() in everything]
    planted = {name: secrets_of(desk[name].environment) for name in SERVICES}
    assert all(len(found) >= 2 for found in planted.values()), "the search for secrets looks for something"
    assert [name for name, found in planted.items() for each in found if each.encode() in everything] == []


def test_without_a_broker_it_is_written_in_base64_and_says_so(clean_desk: RealDesk, tmp_path: Path):
    port = free_port()
    done = bundle(
        clean_desk, "--output", "-", DESK_TOPOLOGY_AMQP_URL=f"amqp://operator:Zx81kq-Gf55tt-Rw@127.0.0.1:{port}/"
    )
    assert (done.returncode, done.stderr) == (0, "")
    file = tmp_path / "support.tar.gz"
    file.write_bytes(base64.b64decode(done.stdout))
    text = unpacked(file)["support/summary.txt"]
    assert re.search(r"^  DOWN: no connection: ", text, re.MULTILINE)
    assert text.count(": ready, version ") == len(SERVICES)


def test_it_does_not_overwrite_a_file(clean_desk: RealDesk, tmp_path: Path):
    file = tmp_path / "support.tar.gz"
    file.write_text("kept")
    done = bundle(clean_desk, "--output", str(file))
    assert done.returncode == 1
    assert done.stderr.startswith("desk-support: ")
    assert "File exists" in done.stderr
    assert file.read_text() == "kept"
