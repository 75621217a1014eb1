"""What one identity, recipient or source can cause in a day: rows 2, 4, 13, 14 and 20."""

import uuid
from collections import Counter

import httpx
import pytest
from attacks.attacked_desk import PARALLEL, AttackedDesk, Person, in_parallel, is_problem
from support.applicant import PDF
from support.embedded_desk import wait_for

pytestmark = pytest.mark.attacks

REQUESTS_OF_IDENTITY = REQUESTS_OF_MOBILE = 5
REQUESTS_OF_EMAIL = SMS_OF_MOBILE = 10
MEGABYTE = 1024 * 1024
TYPED = {"first_name": "زهره", "last_name": "نوشته‌شده", "gender": "female"}


def statuses(answers: list[httpx.Response]) -> Counter[int]:
    return Counter(each.status_code for each in answers)


def requests_stored(desk: AttackedDesk) -> int:
    [(number,)] = desk.services.rows("intake", "SELECT count(*) FROM request")
    return int(number)


# row 2


def test_row_2_one_identity_sends_five_requests_a_day_however_many_it_tries_at_once(desk: AttackedDesk):
    person, honest = desk.person(), desk.person()
    person.identify()
    forms = [person.form_from(desk.anywhere()) for _ in range(PARALLEL)]
    before = requests_stored(desk)

    answers = in_parallel(lambda it: person.moved_to(desk.anywhere()).send(it), forms)

    assert statuses(answers) == {201: REQUESTS_OF_IDENTITY, 429: PARALLEL - REQUESTS_OF_IDENTITY}
    assert requests_stored(desk) - before == REQUESTS_OF_IDENTITY
    refused = next(each for each in answers if each.status_code == 429)
    assert (refused.json()["code"], int(refused.headers["retry-after"]) > 3600) == ("budget_exhausted", True)
    assert refused.json()["title"]
    assert honest.moved_to(person.source).submit()


def test_row_2_one_mobile_is_sent_no_more_than_five_requests_of_different_people_tell(desk: AttackedDesk):
    people = [desk.person() for _ in range(12)]
    for each in people:
        each.identify()
    forms = [each.form(mobile="09121234567") for each in people]

    answers = in_parallel(lambda it: it[0].send(it[1]), list(zip(people, forms, strict=True)))

    assert statuses(answers) == {201: REQUESTS_OF_MOBILE, 429: len(people) - REQUESTS_OF_MOBILE}
    refused = next(each for each, answer in zip(people, answers, strict=True) if answer.status_code == 429)
    assert refused.send(refused.form()).status_code == 201, "with a mobile of its own"


def test_row_2_one_email_address_is_sent_no_more_than_ten_requests_of_different_people_tell(desk: AttackedDesk):
    people = [desk.person() for _ in range(20)]
    for each in people:
        each.identify()
    forms = [each.form(email=f"Victim@{'EXAMPLE' if each.place % 2 else 'example'}.com") for each in people]

    answers = in_parallel(lambda it: it[0].send(it[1]), list(zip(people, forms, strict=True)))

    assert statuses(answers) == {201: REQUESTS_OF_EMAIL, 429: len(people) - REQUESTS_OF_EMAIL}


def test_row_2_one_mobile_gets_ten_notices_by_sms_a_day_however_often_an_office_reports(desk: AttackedDesk):
    person = desk.person()
    code = person.submit()
    wait_for(lambda: desk.services.province.of(code))

    def is_in(state: str) -> bool:
        return desk.services.rows("tracking", 'SELECT state FROM "case" WHERE tracking_code = $1', code) == [(state,)]

    for seq in range(1, 29, 2):
        desk.services.province.report(code, "case-info-requested", seq, question="کدام کاروان؟")
        wait_for(lambda: is_in("info_requested"))
        desk.services.province.report(code, "case-assigned", seq + 1)
        wait_for(lambda: is_in("in_progress"))

    def notices() -> dict[str, int]:
        """Count the notices by state, once there are all and none is due today."""
        counted = (
            "SELECT CASE WHEN due_at > now() + interval '23 hours' THEN 'tomorrow' ELSE state END, count(*)"
            " FROM message WHERE tracking_code = $1 AND channel = 'sms' GROUP BY 1"
        )
        found = dict(desk.services.rows("notifier", counted, code))
        return found if sum(found.values()) == 15 and found.keys() <= {"delivered", "tomorrow", "overtaken"} else {}

    found = wait_for(notices, 60)
    assert 0 < found["delivered"] <= SMS_OF_MOBILE, "the others are due tomorrow, or overtaken by a newer one"
    assert found["tomorrow"] > 0


# row 4


def test_row_4_the_bytes_of_one_identity_are_limited_and_others_at_its_address_upload(desk: AttackedDesk):
    person, honest = desk.person(), desk.person()
    person.identify()
    # 40 files an hour and 200 MiB a day: files of 7 MiB reach the second limit first. Only five may be unclaimed.
    large = PDF.replace(b"trailer", b"%" * (7 * MEGABYTE - 4096) + b"\ntrailer")
    headers = {"Authorization": f"Bearer {person.token}"}

    def upload(_: int) -> httpx.Response:
        client = desk.anywhere().client
        return client.post("/api/attachments", headers=headers, files={"file": ("a.pdf", large)})

    answers = [answer for _ in range(4) for answer in in_parallel(upload, range(10))]

    assert statuses(answers) == {201: 5, 409: 200 // 7 - 5, 429: 40 - 200 // 7}
    assert all(is_problem(each, "budget_exhausted") for each in answers if each.status_code == 429)
    honest = honest.moved_to(person.source)
    honest.identify()
    assert honest.upload("a.pdf", PDF)


def test_row_4_thirty_parallel_uploads_of_six_identities_store_five_files_each(desk: AttackedDesk):
    source = desk.anywhere()
    people = [desk.person(source) for _ in range(6)]
    for each in people:
        each.identify()
    [(before,)] = desk.services.rows("intake", "SELECT count(*) FROM attachment")

    def upload(person: Person) -> httpx.Response:
        headers = {"Authorization": f"Bearer {person.token}"}
        return desk.anywhere().client.post("/api/attachments", headers=headers, files={"file": ("a.pdf", PDF)})

    answers = in_parallel(upload, people * 8)

    assert statuses(answers)[201] == 6 * 5
    [(after,)] = desk.services.rows("intake", "SELECT count(*) FROM attachment")
    assert after - before == 6 * 5


# row 13


def test_row_13_forty_parallel_posts_with_one_key_are_one_request(desk: AttackedDesk):
    person, key = desk.person(), str(uuid.uuid4())
    person.identify()
    form = person.form()
    before = requests_stored(desk)

    answers = in_parallel(lambda _: person.moved_to(desk.anywhere()).send(form, key), range(40))

    codes = {each.json()["tracking_code"] for each in answers if each.status_code == 201}
    assert len(codes) == requests_stored(desk) - before == 1
    repeated = person.send(form, key)
    assert (repeated.status_code, {repeated.json()["tracking_code"]}) == (201, codes)
    other = person.send(form | {"text": "متنی دیگر با همان کلید"}, key)
    assert is_problem(other, "idempotency_key_reused")


def test_row_13_a_repeat_returns_the_receipt_also_when_the_limit_of_the_day_is_used_up(desk: AttackedDesk):
    person, key = desk.person(), str(uuid.uuid4())
    person.identify()
    form = person.form()
    first = person.send(form, key)
    for _ in range(REQUESTS_OF_IDENTITY - 1):
        assert person.send(person.form()).status_code == 201
    assert person.send(person.form()).status_code == 429

    assert person.send(form, key).json() == first.json()


def test_row_13_one_picture_is_good_for_one_of_forty_requests(desk: AttackedDesk):
    person = desk.person()
    person.identify()
    form = person.form()

    answers = in_parallel(lambda _: person.moved_to(desk.anywhere()).send(form), range(40))

    assert statuses(answers) == {201: 1, 422: 39}


# row 14


def test_row_14_parallel_ratings_objections_and_withdrawals_act_once(desk: AttackedDesk):
    person = desk.person()
    first, second = person.submit(), person.send(person.form()).json()["tracking_code"]
    wait_for(lambda: desk.services.province.of(first) and desk.services.province.of(second))
    desk.services.province.report(first, "case-answered", 1, text="پاسخ")
    tokens = {first: person.sees(first, "answered")["token"], second: person.sees(second, "registered")["token"]}

    def act(code: str, action: str, **body: object) -> httpx.Response:
        headers = {"Authorization": f"Bearer {tokens[code]}", "Idempotency-Key": str(uuid.uuid4())}
        return desk.anywhere().client.post(f"/api/tracking/{action}", json=body, headers=headers)

    assert statuses(in_parallel(lambda _: act(first, "rating", rating=5), range(12)))[200] == 1
    assert statuses(in_parallel(lambda _: act(first, "objection", text="نمی‌پذیرم"), range(10)))[200] == 1
    assert statuses(in_parallel(lambda _: act(second, "withdrawal"), range(10)))[200] == 1
    query = "SELECT action, count(*) FROM step WHERE tracking_code = ANY($1) AND action IS NOT NULL GROUP BY 1"
    found = desk.services.rows("tracking", query, [first, second])
    assert {number for _, number in found} == {1}
    assert len(found) == 3


# row 20


@pytest.mark.parametrize(
    "name", ["www.example.com", "http://example.com", "به نشانی example.com بروید", "علی ۱۲۳", "a@b"]
)
def test_row_20_a_name_with_a_link_is_refused_at_its_field(desk: AttackedDesk, name: str):
    person = desk.person()
    person.identify()

    refused = person.send(person.form(applicant=TYPED | {"last_name": name}))

    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "applicant.last_name")
