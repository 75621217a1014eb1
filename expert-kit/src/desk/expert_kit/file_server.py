"""Simulates the desk's routes for offices: downloads of a file of the kit, uploads for answers, and the desk's keys."""

import hashlib
import json
import re
import secrets
import threading
from datetime import UTC, datetime
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

CONTENT = b"%PDF-1.4\n% a file of desk-expert check\n%%EOF\n"
LONGEST_ASSERTION_SECONDS = 120
MOST_BYTES = 8 * 1024 * 1024


class FileServer:
    """Files over HTTP; ``faults`` collects what is wrong with the calls."""

    def __init__(self, province: str, public_key: str, host: str, event_keys: dict[str, Any]) -> None:
        self.faults: list[str] = []
        self.calls = 0
        self.files: set[str] = set()
        """Ids that the kit's events have named."""
        self.sha256 = hashlib.sha256(CONTENT).hexdigest()
        self._province, self._key = province, OKPKey.import_key(public_key)
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
        word = re.fullmatch("Bearer (.+)", call.headers.get("Authorization", ""))
        if word is None:
            self._refuse(call, 401, "assertion_missing", "a call without Authorization: Bearer <assertion>")
            return False
        try:
            claims = jwt.decode(word[1], self._key, algorithms=["Ed25519"]).claims
        except (JoseError, ValueError) as error:
            self._refuse(call, 401, "assertion_invalid", f"an assertion that PRIVATE_KEY did not sign: {error}")
            return False
        left = claims.get("exp", 0) - datetime.now(UTC).timestamp()
        wrong = [
            f"{name} is {claims.get(name)!r} and should be {wanted!r}"
            for name, wanted in (("iss", self._province), ("aud", "desk.files"))
            if claims.get(name) != wanted
        ]
        if not 0 < left <= LONGEST_ASSERTION_SECONDS:
            wrong.append(f"exp is {left:.0f} s ahead and should be at most {LONGEST_ASSERTION_SECONDS}")
        if not claims.get("jti"):
            wrong.append("jti is missing")
        if wrong:
            self._refuse(call, 401, "assertion_invalid", f"an assertion whose {'; '.join(wrong)}")
        return not wrong

    def _refuse(self, call: BaseHTTPRequestHandler, status: int, code: str, fault: str) -> None:
        if fault not in self.faults:
            self.faults.append(fault)
        problem = {"type": f"/problems/{code}", "title": code, "status": status, "code": code, "errors": []}
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
