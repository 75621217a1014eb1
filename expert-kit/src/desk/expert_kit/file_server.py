"""Simulates the desk's routes for offices: downloads of a file of the kit, uploads for answers, and the desk's keys."""

import hashlib
import json
import secrets
import threading
from collections.abc import Sequence
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from desk.expert_kit.assertions import ADVICE, Assertions, WrongPart

CONTENT = b"%PDF-1.4\n% a file of desk-expert check\n%%EOF\n"
MOST_BYTES = 64 * 1024 * 1024
"""Far above the desk's limit of a file, which the kit does not check."""


class FileServer:
    """Files over HTTP."""

    def __init__(self, province: str, public_key: str, host: str, event_keys: dict[str, Any]) -> None:
        self.faults: dict[str, str] = {}
        """The advice for each fault."""
        self.wrong_part: WrongPart | None = None
        """What was wrong with the first assertion that was refused in the present check."""
        self.calls = 0
        self.files: set[str] = set()
        """Ids that the kit's events have named."""
        self.sha256 = hashlib.sha256(CONTENT).hexdigest()
        self._assertions = Assertions(province, public_key)
        self._event_keys = event_keys
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.get(self)

            def do_POST(self) -> None:
                server.post(self)

            def log_message(self, *_: object) -> None:
                """Do not log requests."""

        self._server = ThreadingHTTPServer((host, 0), Handler)
        self.url = f"http://{host}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop the server."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def get(self, call: BaseHTTPRequestHandler) -> None:
        """Return a file that an event has named."""
        kind, _, word = call.path.rpartition("/")
        if call.path == "/api/event-keys":
            self._answer_json(call, 200, self._event_keys)
        elif kind != "/api/office/files":
            self._refuse(call, 404, "not_found", f"{call.path} is no path of the desk's files")
        elif self._is_authorized(call):
            if word not in self.files:
                self._refuse(call, 404, "file_unknown", f"{word} is no file that an event has named")
                return
            self._answer(call, 200, CONTENT, "application/pdf")

    def post(self, call: BaseHTTPRequestHandler) -> None:
        """Accept an uploaded file for an answer."""
        size = int(call.headers.get("Content-Length", "0"))
        body = call.rfile.read(min(size, MOST_BYTES))
        if call.path != "/api/office/files":
            self._refuse(call, 404, "not_found", f"{call.path} is no path of the desk's files")
        elif self._is_authorized(call):
            head = f"Content-Type: {call.headers.get('Content-Type', '')}\r\n\r\n".encode()
            form = {
                str(part.get_param("name", header="content-disposition")): part
                for part in message_from_bytes(head + body).walk()
                if not part.is_multipart()
            }
            if "file" not in form or "tracking_code" not in form:
                self._refuse(call, 422, "form_invalid", "an upload has the fields tracking_code and file")
                return
            content = form["file"].get_payload(decode=True)
            content = content if isinstance(content, bytes) else b""
            reference = {
                "id": secrets.token_hex(16),
                "name": form["file"].get_filename() or "file",
                "size": len(content),
            }
            reference |= {"media_type": "application/pdf", "sha256": hashlib.sha256(content).hexdigest()}
            self._answer_json(call, 201, reference)

    def _is_authorized(self, call: BaseHTTPRequestHandler) -> bool:
        self.calls += 1
        wrong = self._assertions.fault_of(call.headers.get("Authorization"))
        if wrong is None:
            return True
        self.wrong_part = self.wrong_part or wrong
        code = "assertion_missing" if wrong.part == "header" else "assertion_invalid"
        errors = [{"field": wrong.part, "code": f"assertion_{wrong.part}", "message": ADVICE[wrong.part]}]
        self._refuse(call, 401, code, f"an assertion with a wrong {wrong}", errors)
        return False

    def _refuse(
        self, call: BaseHTTPRequestHandler, status: int, code: str, fault: str, errors: Sequence[dict[str, str]] = ()
    ) -> None:
        self.faults[fault] = errors[0]["message"] if errors else "see /api/office/files in intake.openapi.json"
        problem = {"type": f"/problems/{code}", "title": code, "status": status, "code": code, "errors": errors}
        self._answer_json(call, status, problem)

    def _answer_json(self, call: BaseHTTPRequestHandler, status: int, answer: dict[str, Any]) -> None:
        self._answer(call, status, json.dumps(answer).encode(), "application/json")

    @staticmethod
    def _answer(call: BaseHTTPRequestHandler, status: int, body: bytes, media_type: str) -> None:
        call.send_response(status)
        call.send_header("Content-Type", media_type)
        call.send_header("Content-Length", str(len(body)))
        call.end_headers()
        call.wfile.write(body)
