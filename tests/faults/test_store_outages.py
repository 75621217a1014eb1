"""PostgreSQL, Redis and the object store away, hung or emptied: rows 14 to 17, and what is missing in the bucket."""

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

pytestmark = [pytest.mark.faults, pytest.mark.timeout(TEST_SECONDS), pytest.mark.usefixtures("mended_servers")]

POOL_TIMEOUT = 5.0
POOL_SIZE = 10
OUTAGE_SECONDS = 10.0
SLACK_SECONDS = 3.0
"""What a machine that does other things too may add."""


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
        """Say nothing."""


@contextmanager
def full_object_store() -> Iterator[str]:
    """Serve it, and give its endpoint."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Full) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def demand_polite(answer: httpx.Response) -> None:
    """See that a refusal is a plain one: 503, when to come again, and a Persian sentence."""
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["retry-after"]) > 0
    assert re.search("[آ-ی]", answer.json()["title"])


@pytest.mark.parametrize("way", ["fast", "immediate"])
def test_a_restart_of_postgres_is_seen_as_503_only_and_for_seconds(calm_desk: RealDesk, way: str):
    calm_desk["notifier"].restart(SHORT_CLAIMS)
    calm_desk.submit_many(8)
    stop = False

    def load() -> None:
        while not stop:
            sent = calm_desk.submit(len(calm_desk.ledger) % 40)
            assert set(sent.statuses) <= {201, 503}, sent.statuses

    with ThreadPoolExecutor(4) as background:
        loads = [background.submit(load) for _ in range(4)]
        try:
            time.sleep(1)
            {"fast": calm_desk.postgres.stop, "immediate": calm_desk.postgres.kill}[way]()
            time.sleep(2)
            assert not calm_desk["intake"].answers("/health/ready")
            assert calm_desk["intake"].answers("/health/live")
            calm_desk.postgres.start()
            before = len(calm_desk.ledger)
            wait_for(lambda: len(calm_desk.ledger) > before, OUTAGE_SECONDS + SLACK_SECONDS)
        finally:
            stop = True
        for each in loads:
            each.result()
    assert settled(calm_desk) == []
    assert calm_desk.applicant(90).token, "connections that died idle are met by nobody"
    demand_no_leak(calm_desk)


def demand_no_leak(desk: RealDesk) -> None:
    """See that no connection is left in the middle of something, and no pool has more than its share."""
    query = "SELECT count(*), count(*) FILTER (WHERE state LIKE 'idle in%') FROM pg_stat_activity WHERE datname = $1"
    for service in ("intake", "tracking", "notifier", "registry-gateway"):
        name = f"{desk.name}-{service}"
        [(connections, _)] = desk.rows(service, query, name)
        assert connections <= POOL_SIZE + 1, service  # and the one that asks
        wait_for(lambda name=name, service=service: desk.rows(service, query, name)[0][1] == 0, 10)


def test_a_postgres_that_hangs_is_answered_for_with_503_in_time(calm_desk: RealDesk):
    calm_desk["notifier"].restart(SHORT_CLAIMS)
    calm_desk.submit_many(8)
    applicant = calm_desk.applicant()
    forms = [applicant.form() for _ in range(POOL_SIZE + 5)]
    calm_desk.postgres.pause()
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
        calm_desk.postgres.resume()
    for answer, _ in answers:
        demand_polite(answer)
    assert max(seconds for _, seconds in answers) < POOL_TIMEOUT + 1 + SLACK_SECONDS
    calm_desk.submit()
    # What was under way when it hung may have been committed although nobody was told: the only request without a code.
    known = {sent.code for sent in calm_desk.ledger}
    untold = {code for (code,) in calm_desk.rows("intake", "SELECT tracking_code FROM request")} - known
    assert untold == set()
    assert settled(calm_desk) == []
    demand_no_leak(calm_desk)


def test_without_redis_nothing_is_let_through_unchecked(calm_desk: RealDesk):
    sent = calm_desk.submit()
    applicant = calm_desk.applicant()
    form, proof = applicant.form(), applicant.proof()
    calm_desk.redis.stop()
    demand_polite(calm_desk.client.post("/api/captchas", json={"purpose": "submit", "kind": "image"}))
    demand_polite(applicant.send(form))
    tracked = {"national_id": applicant.national_id, "tracking_code": sent.code, "captcha": form["captcha"]}
    demand_polite(calm_desk.client.post("/api/tracking", json=tracked))
    someone = {"national_id": applicant.national_id, "birth_date": applicant.person["birth_date"]}
    demand_polite(calm_desk.client.post("/api/identities", json=someone | {"proof": proof}))
    calm_desk.redis.start()
    assert calm_desk.submit().statuses[-1] == 201
    assert settled(calm_desk) == []


def test_a_flushed_redis_lets_no_code_be_used_again(calm_desk: RealDesk):
    applicant = calm_desk.applicant()
    used, open_one = applicant.form(), applicant.form()
    key = str(uuid4())
    first = applicant.send(used, key)
    assert first.status_code == 201
    calm_desk.forget_redis()
    for form in (used, open_one):
        refused = applicant.send(form)
        assert (refused.status_code, refused.json()["code"]) == (422, "captcha_expired")
    again = applicant.send(used, key)
    assert (again.status_code, again.json()) == (201, first.json()), "a repeat is no new use"
    calm_desk.note(first.json()["tracking_code"], key)
    assert settled(calm_desk) == []


def test_without_the_object_store_only_files_are_refused(calm_desk: RealDesk):
    applicant = calm_desk.applicant(5)
    applicant.identify()
    file = applicant.upload("مدرک.pdf", PDF)
    calm_desk.s3.stop()
    assert calm_desk.submit(5).statuses == [201]
    bearer = {"Authorization": f"Bearer {applicant.token}"}
    demand_polite(calm_desk.client.post("/api/attachments", headers=bearer, files={"file": ("ب.pdf", PDF)}))
    with_file = applicant.form(attachments=[file])
    demand_polite(applicant.send(with_file))
    assert calm_desk.rows("intake", "SELECT count(*) FROM request") == [(1,)]
    assert calm_desk.rows("intake", "SELECT count(*) FROM attachment") == [(1,)]
    calm_desk.s3.start()
    if calm_desk.s3.keeps_objects:  # moto's server does not
        assert calm_desk.submit(5, attachments=[file]).statuses[-1] == 201
    assert settled(calm_desk) == []


def test_a_full_object_store_is_told_plainly_and_leaves_no_row(calm_desk: RealDesk):
    with full_object_store() as endpoint:
        calm_desk["intake"].restart(S3_ENDPOINT=endpoint, S3_SECURE="false")
        bearer = {"Authorization": f"Bearer {calm_desk.applicant().token}"}
        demand_polite(calm_desk.client.post("/api/attachments", headers=bearer, files={"file": ("ب.pdf", PDF)}))
        assert calm_desk.submit().statuses == [201]
    assert calm_desk.rows("intake", "SELECT count(*) FROM attachment") == [(0,)]
    assert settled(calm_desk) == []


def test_a_bucket_that_is_not_there_is_told_plainly_until_it_is_made(calm_desk: RealDesk):
    intake, applicant = calm_desk["intake"], calm_desk.applicant()
    bucket = f"{calm_desk.name}-later"
    intake.restart(S3_BUCKET=bucket)
    bearer = {"Authorization": f"Bearer {applicant.token}"}
    demand_polite(calm_desk.client.post("/api/attachments", headers=bearer, files={"file": ("ب.pdf", PDF)}))
    assert any("NoSuchBucket" in line for line in calm_desk.new_log_lines("intake"))
    assert calm_desk.submit().statuses == [201]
    objects(calm_desk).make_bucket(bucket)
    file = applicant.upload("ب.pdf", PDF)
    calm_desk.submit(attachments=[file])
    assert settled(calm_desk) == []


def test_an_object_that_vanished_stops_its_request_before_any_row(calm_desk: RealDesk):
    applicant = calm_desk.applicant(6)
    file = applicant.upload("مدرک.pdf", PDF)
    objects(calm_desk).remove_object(calm_desk.name, file)
    refused = applicant.send(applicant.form(attachments=[file]))
    assert refused.status_code == 422, refused.text
    assert calm_desk.rows("intake", "SELECT count(*) FROM request") == [(0,)]
    calm_desk.submit(6)
    assert settled(calm_desk) == []
