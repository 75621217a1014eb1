"""One Idempotency-Key, many requests: rows 7 and 8."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from faults.invariant import settled
from faults.scale import TEST_SECONDS
from support.real_desk import RealDesk

pytestmark = [pytest.mark.faults, pytest.mark.timeout(TEST_SECONDS)]

PARALLEL = 100


def test_a_hundred_parallel_posts_with_one_key_create_one_request(clean_desk: RealDesk):
    applicant, key = clean_desk.applicant(), str(uuid4())
    form = applicant.form()
    with ThreadPoolExecutor(PARALLEL) as threads:
        answers = list(threads.map(lambda _: applicant.send(form, key), range(PARALLEL)))
    # On a busy machine a call to a store may time out. The page then sends the request again with the same key.
    answers = [applicant.send(form, key) if answer.status_code == 503 else answer for answer in answers]
    assert {answer.status_code for answer in answers} <= {201, 409}
    created = [answer.json() for answer in answers if answer.status_code == 201]
    assert created
    assert created == [created[0]] * len(created)
    clean_desk.note(created[0]["tracking_code"], key)
    assert settled(clean_desk) == []


def test_a_key_used_again_for_something_else_is_refused(clean_desk: RealDesk):
    sent, applicant = clean_desk.submit(), clean_desk.applicant()
    other = applicant.send(applicant.form(text="متنی دیگر که با متن نخست فرق دارد"), sent.key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert settled(clean_desk) == []
