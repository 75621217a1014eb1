"""Three SMS providers in one small HTTP server: they record messages, and can misbehave."""

import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY, SMSIR_KEY, GENERIC_KEY = "a-key-of-ours", "our-key-of-smsir", "our-key-of-generic"


class Fault(Enum):
    """How a provider misbehaves."""

    STATUS_500 = auto()
    STATUS_500_BEFORE_TAKING = auto()
    STATUS_500_AFTER_TAKING = auto()
    CUT_AFTER_TAKING = auto()
    CUT_BEFORE_TAKING = auto()
    HANG_AFTER_TAKING = auto()
    """It accepts the message and sends no response until the server stops."""


@dataclass
class Account:
    """The messages that one provider has accepted, and its behaviour."""

    taken: list[dict[str, Any]] = field(default_factory=list)
    fault: Fault | None = None
    faults_left: int = 1_000_000
    code: int | None = None
    """The code with which it refuses every message."""
    state: int | str | None = None
    """The delivery state that it reports."""
    calls: int = 0
    archived: int = 0
    """How many of the accepted messages, from the first on, are of an earlier day."""

    def misbehaves(self, *faults: Fault) -> bool:
        if self.fault in faults and self.faults_left > 0:
            self.faults_left -= 1
            return True
        return False


class SmsServer:
    """Listens on a free port until it is stopped."""

    def __init__(self) -> None:
        self.kavenegar, self.smsir, self.generic = Account(), Account(), Account()
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.pause = 0.0
        """Seconds that each call takes."""
        self.arrivals: dict[str, float] = {}
        """When each text was first accepted, in seconds since the epoch."""
        outer = self

        class Handler(_Handler):
            server_of = outer

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def handsets(self) -> Counter[tuple[str, str]]:
        """How often each number received each text, from all providers."""
        taken = [*self.kavenegar.taken, *self.smsir.taken, *self.generic.taken]
        return Counter((each["to"][-10:], each["text"]) for each in taken)

    def stop(self) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    """With many connections at the same time no client should wait a second for a repeated SYN."""


class _Handler(BaseHTTPRequestHandler):
    server_of: SmsServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("content-length", 0))))

    def _answer(self, body: bytes) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        desk = self.server_of
        time.sleep(desk.pause)
        with desk.lock:
            if parts.path.startswith(f"/v1/{KEY}/sms/"):
                account, answering = desk.kavenegar, self._kavenegar
            elif parts.path.startswith("/v1/send"):
                account, answering = desk.smsir, self._smsir
            else:
                account, answering = desk.generic, self._generic
            account.calls += 1
            if account.misbehaves(Fault.STATUS_500):
                return self._say(500, b"<html>down</html>")
            if self.command == "POST" and account.misbehaves(Fault.CUT_BEFORE_TAKING):
                return self._cut()
            if self.command == "POST" and account.misbehaves(Fault.STATUS_500_BEFORE_TAKING):
                return self._say(500, b"<html>down</html>")
            status, answer = answering(account, parts.path, query, body)
            for each in account.taken[-1:]:
                desk.arrivals.setdefault(each["text"], time.time())
            if self.command == "POST" and account.misbehaves(Fault.CUT_AFTER_TAKING):
                return self._cut()
            if self.command == "POST" and account.misbehaves(Fault.STATUS_500_AFTER_TAKING):
                return self._say(500, b"<html>down</html>")
            hangs = self.command == "POST" and account.misbehaves(Fault.HANG_AFTER_TAKING)
        if hangs:  # without the lock, so that other requests are answered
            desk.stopping.wait()
            self._cut()
        else:
            self._say(status, json.dumps(answer).encode())
        return None

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.close()

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _kavenegar(self, account: Account, path: str, query: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        def said(code: int, entries: list[dict[str, Any]]) -> tuple[int, dict[str, Any]]:
            return 200, {"return": {"status": code, "message": "…"}, "entries": entries or None}

        if path.endswith("/send.json"):
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            if account.code is not None:
                return said(account.code, [])
            known = [each for each in account.taken if each["reference"] == form["localid"]]
            if not known:
                known = [{"reference": form["localid"], "to": form["receptor"], "text": form["message"]}]
                known[0]["id"] = len(account.taken) + 1
                account.taken += known
            return said(200, [{"messageid": known[0]["id"], "status": 1}])
        if path.endswith("/statuslocalmessageid.json"):
            found = [each for each in account.taken if each["reference"] == query["localid"]]
            entry = {"messageid": found[0]["id"], "status": 4} if found else {"messageid": 0, "status": 100}
            return said(200, [entry | {"localid": query["localid"]}])
        ids = [str(each["id"]) for each in account.taken]
        state = account.state or 4
        asked = query["messageid"].split(",")
        return said(200, [{"messageid": int(each), "status": state if each in ids else 100} for each in asked])

    def _smsir(self, account: Account, path: str, query: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        if self.headers.get("x-api-key") != SMSIR_KEY:
            return 401, {"status": 10, "message": "…", "data": None}
        if self.command == "POST":
            said = json.loads(body)
            if account.code is not None:
                return 400, {"status": account.code, "message": "…", "data": None}
            template = path.endswith("/verify")
            text = " ".join(each["value"] for each in said["parameters"]) if template else said["messageText"]
            account.taken.append({"to": said["mobile"] if template else said["mobiles"][0], "text": text, "said": said})
            number = len(account.taken)
            data = {"messageId": number} if template else {"packId": "p", "messageIds": [number], "cost": 1.0}
            return 200, {"status": 1, "message": "…", "data": data}
        if path.endswith(("/live", "/archive")):
            page, size = int(query["pageNumber"]), int(query["pageSize"])
            sent = [
                {"messageId": place, "mobile": int(f"98{each['to'][-10:]}"), "messageText": each["text"]}
                for place, each in enumerate(account.taken, 1)
                if (place <= account.archived) is path.endswith("/archive")
            ]
            return 200, {"status": 1, "data": sent[(page - 1) * size : page * size]}
        return 200, {"status": 1, "data": {"messageId": 1, "deliveryState": account.state or 5}}

    def _generic(self, account: Account, path: str, _query: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        if self.headers.get("authorization") != f"Bearer {GENERIC_KEY}":
            return 401, {}
        if self.command == "POST":
            said = json.loads(body)
            if account.code is not None:
                return account.code, {}
            if said["reference"] not in [each["reference"] for each in account.taken]:
                account.taken.append(said)
            return 201, {"id": f"g-{said['reference']}"}
        wanted = path.rpartition("/")[2].removeprefix("g-")
        if wanted not in [each["reference"] for each in account.taken]:
            return 404, {}
        return 200, {"id": f"g-{wanted}", "state": account.state or "under_way"}
