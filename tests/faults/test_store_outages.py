"""PostgreSQL, Redis and the object store unavailable, hanging or emptied: rows 14 to 17, and missing objects."""

import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import httpx
import pytest
from faults.invariant import settled
from faults.preludes import SHORT_CLAIMS
from faults.scale import TEST_SECONDS, scaled
from minio import Minio
from support.applicant import PDF
from support.embedded_desk import wait_for
from support.real_desk import RealDesk

pytestmark = [pytest.mark.faults, pytest.mark.timeout(TEST_SECONDS), pytest.mark.usefixtures("restored_servers")]

POOL_TIMEOUT = 5.0
POOL_SIZE = 10
OUTAGE_SECONDS = 10.0
SLACK_SECONDS = 3.0
"""Seconds that a busy machine may add."""


def objects(desk: RealDesk) -> Minio:
    s3 = desk.s3
    return Minio(s3.endpoint, s3.access_key, s3.secret_key, secure=s3.secure, region=s3.region)


class Full(BaseHTTPRequestHandler):
    """An S3 server whose disk is full."""

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        body = b"<Error><Code>XMinioStorageFull</Code><Message>full</Message><RequestId>1</RequestId></Error>"
        self.send_response(507)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def full_object_store() -> Iterator[str]:
    """Serve it, and return its endpoint."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Full) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def check_refusal(answer: httpx.Response) -> None:
    """Check that a refusal has status 503, a time to retry, and a Persian sentence."""
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["retry-after"]) > 0
    assert re.search("[آ-ی]", answer.json()["title"])


@pytest.mark.parametrize("way", ["fast", "immediate"])
def test_a_restart_of_postgres_causes_only_503_and_only_for_seconds(clean_desk: RealDesk, way: str):
    clean_desk["notifier"].restart(SHORT_CLAIMS)
    clean_desk.submit_many(8)
    stop = False

    def load() -> None:
        while not stop:
            sent = clean_desk.submit(len(clean_desk.ledger) % 40)
            assert set(sent.statuses) <= {201, 503}, sent.statuses

    with ThreadPoolExecutor(4) as background:
        loads = [background.submit(load) for _ in range(4)]
        try:
            time.sleep(1)
            {"fast": clean_desk.postgres.stop, "immediate": clean_desk.postgres.kill}[way]()
            time.sleep(2)
            assert not clean_desk["intake"].answers("/health/ready")
            assert clean_desk["intake"].answers("/health/live")
            clean_desk.postgres.start()
            before = len(clean_desk.ledger)
            wait_for(lambda: len(clean_desk.ledger) > before, OUTAGE_SECONDS + SLACK_SECONDS)
        finally:
            stop = True
        for each in loads:
            each.result()
    assert settled(clean_desk) == []
    assert clean_desk.applicant(90).token, "a connection that died while idle was used"
    check_no_leak(clean_desk)


def check_no_leak(desk: RealDesk) -> None:
    """Check that no transaction is left open, and that no pool exceeds its size."""
    query = "SELECT count(*), count(*) FILTER (WHERE state LIKE 'idle in%') FROM pg_stat_activity WHERE datname = $1"
    for service in ("intake", "tracking", "notifier", "registry-gateway"):
        name = f"{desk.name}-{service}"
        [(connections, _)] = desk.rows(service, query, name)
        assert connections <= POOL_SIZE + 1, service  # and the one of this query
        wait_for(lambda name=name, service=service: desk.rows(service, query, name)[0][1] == 0, 60)


def test_a_hanging_postgres_is_answered_with_503_in_time(clean_desk: RealDesk):
    clean_desk["notifier"].restart(SHORT_CLAIMS)
    clean_desk.submit_many(8)
    applicant = clean_desk.applicant()
    forms = [applicant.form() for _ in range(POOL_SIZE + 5)]
    clean_desk.postgres.pause()
    begun = time.monotonic()

    def send(form: dict[str, object]) -> tuple[httpx.Response, float]:
        at = time.monotonic()
        return applicant.send(form), time.monotonic() - at

    try:
        with ThreadPoolExecutor(len(forms)) as threads:
            answers = list(threads.map(send, forms))
        while time.monotonic() - begun < scaled(60, at_least=10):
            answers.append(send(forms[0]))
    finally:
        clean_desk.postgres.resume()
    for answer, _ in answers:
        check_refusal(answer)
    assert max(seconds for _, seconds in answers) < POOL_TIMEOUT + 1 + SLACK_SECONDS
    clean_desk.submit()
    # Requests in flight when it hung may be committed without a response: the only requests without a shown code.
    known = {sent.code for sent in clean_desk.ledger}
    untold = {code for (code,) in clean_desk.rows("intake", "SELECT tracking_code FROM request")} - known
    assert untold == set()
    assert settled(clean_desk) == []
    check_no_leak(clean_desk)


def test_without_redis_no_check_is_skipped(clean_desk: RealDesk):
    sent = clean_desk.submit()
    applicant = clean_desk.applicant()
    form, proof = applicant.form(), applicant.proof()
    clean_desk.redis.stop()
    check_refusal(clean_desk.client.post("/api/captchas", json={"purpose": "submit", "kind": "image"}))
    check_refusal(applicant.send(form))
    tracked = {"national_id": applicant.national_id, "tracking_code": sent.code, "captcha": form["captcha"]}
    check_refusal(clean_desk.client.post("/api/tracking", json=tracked))
    someone = {"national_id": applicant.national_id, "birth_date": applicant.person["birth_date"]}
    check_refusal(clean_desk.client.post("/api/identities", json=someone | {"proof": proof}))
    clean_desk.redis.start()
    assert clean_desk.submit().statuses[-1] == 201
    assert settled(clean_desk) == []


def test_after_a_flush_of_redis_no_code_can_be_used_again(clean_desk: RealDesk):
    applicant = clean_desk.applicant()
    used, open_one = applicant.form(), applicant.form()
    key = str(uuid4())
    first = applicant.send(used, key)
    assert first.status_code == 201
    clean_desk.forget_redis()
    for form in (used, open_one):
        refused = applicant.send(form)
        assert (refused.status_code, refused.json()["code"]) == (422, "captcha_expired")
    again = applicant.send(used, key)
    assert (again.status_code, again.json()) == (201, first.json()), "a repeated request does not use the code again"
    clean_desk.note(first.json()["tracking_code"], key)
    assert settled(clean_desk) == []


def test_without_the_object_store_only_files_are_refused(clean_desk: RealDesk):
    applicant = clean_desk.applicant(5)
    applicant.identify()
    file = applicant.upload("مدرک.pdf", PDF)
    clean_desk.s3.stop()
    assert clean_desk.submit(5).statuses == [201]
    bearer = {"Authorization": f"Bearer {applicant.token}"}
    check_refusal(clean_desk.client.post("/api/attachments", headers=bearer, files={"file": ("ب.pdf", PDF)}))
    with_file = applicant.form(attachments=[file])
    check_refusal(applicant.send(with_file))
    assert clean_desk.rows("intake", "SELECT count(*) FROM request") == [(1,)]
    assert clean_desk.rows("intake", "SELECT count(*) FROM attachment") == [(1,)]
    clean_desk.s3.start()
    if clean_desk.s3.keeps_objects:  # moto's server does not
        assert clean_desk.submit(5, attachments=[file]).statuses[-1] == 201
    assert settled(clean_desk) == []


def test_a_full_object_store_is_reported_and_leaves_no_row(clean_desk: RealDesk):
    with full_object_store() as endpoint:
        clean_desk["intake"].restart(S3_ENDPOINT=endpoint, S3_SECURE="false")
        bearer = {"Authorization": f"Bearer {clean_desk.applicant().token}"}
        check_refusal(clean_desk.client.post("/api/attachments", headers=bearer, files={"file": ("ب.pdf", PDF)}))
        assert clean_desk.submit().statuses == [201]
    assert clean_desk.rows("intake", "SELECT count(*) FROM attachment") == [(0,)]
    assert settled(clean_desk) == []


def test_a_missing_bucket_is_reported_until_it_is_created(clean_desk: RealDesk):
    intake, applicant = clean_desk["intake"], clean_desk.applicant()
    bucket = f"{clean_desk.name}-later"
    intake.restart(S3_BUCKET=bucket)
    bearer = {"Authorization": f"Bearer {applicant.token}"}
    check_refusal(clean_desk.client.post("/api/attachments", headers=bearer, files={"file": ("ب.pdf", PDF)}))
    assert any("NoSuchBucket" in line for line in clean_desk.new_log_lines("intake"))
    assert clean_desk.submit().statuses == [201]
    objects(clean_desk).make_bucket(bucket)
    file = applicant.upload("ب.pdf", PDF)
    clean_desk.submit(attachments=[file])
    assert settled(clean_desk) == []


def test_a_missing_object_stops_its_request_before_any_row(clean_desk: RealDesk):
    applicant = clean_desk.applicant(6)
    file = applicant.upload("مدرک.pdf", PDF)
    [(stored,)] = clean_desk.rows("intake", "SELECT object_key FROM attachment")
    objects(clean_desk).remove_object(clean_desk.name, stored)
    refused = applicant.send(applicant.form(attachments=[file]))
    assert refused.status_code == 422, refused.text
    assert clean_desk.rows("intake", "SELECT count(*) FROM request") == [(0,)]
    clean_desk.submit(6)
    assert settled(clean_desk) == []
