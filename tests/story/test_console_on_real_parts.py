"""A province on the console: the program of its own, on PostgreSQL, before the desk's real broker and nginx."""

import json
import os
import subprocess
import sys
import uuid

from support.applicant import PDF
from support.console_client import ConsoleClient
from support.embedded_desk import answers, free_port, wait_for
from support.real_desk import RealDesk

from desk.console.encryption import new_key
from desk.testing.event_keys import event_key_pair
from desk.testing.postgres import PostgresServer

OWN_PASSWORD = "a province's own word"
COMMAND = [sys.executable, "-m", "desk.console.main"]


def test_a_province_answers_with_a_file_through_its_own_console(
    clean_desk: RealDesk, public_url: str, postgres_server: PostgresServer
):
    url = postgres_server.create_database(f"console_{uuid.uuid4().hex[:8]}", "console", "console's own long word")
    reach = {
        "broker_url": clean_desk.broker.url("province.qom"),
        "private_key": clean_desk.office_signing_keys["qom"][0],
        "event_private_keys": [event_key_pair("qom")[0]],
    }
    environment = os.environ | {
        "DESK_CONSOLE_DATABASE_URL": url,
        "DESK_CONSOLE_KEYS": new_key(),
        "DESK_CONSOLE_DESK_URL": public_url,
        "DESK_CONSOLE_PROVINCES": json.dumps({"qom": reach}),
        "DESK_CONSOLE_SECURE_COOKIES": "false",
        "DESK_CONSOLE_SECOND_FACTOR": "false",
    }
    subprocess.run([*COMMAND, "migrate"], env=environment, check=True)  # noqa: S603 - our own command
    creating = [*COMMAND, "create-account", "expert", "--province", "qom", "--name", "نرگس باران‌دشت"]
    created = subprocess.run(creating, env=environment, check=True, capture_output=True, text=True)  # noqa: S603
    first_password = created.stdout.split()[-1]

    applicant = clean_desk.applicant(4)
    file_id = applicant.upload("گذرنامه.pdf", PDF)
    code = clean_desk.submit(4, attachments=[file_id], province="qom").code
    port = free_port()
    with subprocess.Popen([*COMMAND, "serve", "--port", str(port)], env=environment) as served:  # noqa: S603
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(lambda: answers(f"{address}/health/ready"), 60)
            with ConsoleClient(address, path="") as console:
                console.sign_in("expert", first_password)
                console.send("/password", old=first_password, password=OWN_PASSWORD, again=OWN_PASSWORD)
                wait_for(lambda: "request_text" in console.open(f"/cases/{code}"))
                assert console.client.get(f"/cases/{code}/files/{file_id}").content == PDF
                console.send(f"/cases/{code}/take")
                console.send(f"/cases/{code}/answer", text="انجام شد.", files={"files": ("روادید.pdf", PDF)})
                view = applicant.sees(code, "answered", entries=5)
        finally:
            served.terminate()

    states = {step["state"] for step in view["history"]}
    assert states == {"registered", "received", "in_progress", "answered"}
    assert [file["name"] for file in view["answer"]["files"]] == ["روادید.pdf"]
