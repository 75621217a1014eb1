"""Codes by SMS: rows 3 and 6."""

import uuid
from collections import Counter

import pytest
from attacks.attacked_desk import PARALLEL, AttackedDesk, Person, in_parallel, is_problem
from support.embedded_desk import wait_for

pytestmark = pytest.mark.attacks

ATTEMPTS = 3
CODES_OF_MOBILE = 3
TYPED = {"first_name": "ناشناس", "last_name": "آزمایشی", "gender": "female"}


def invented(desk: AttackedDesk, number: int) -> Person:
    """Return a foreign national with an invented code, and an identity token."""
    person = desk.person()
    person.person |= {"national_id": f"98765432{number:04}"}
    person.token = person.look_up().json()["token"]
    return person


def test_row_3_twenty_invented_foreign_codes_reach_no_office_and_no_person_without_a_proven_mobile(desk: AttackedDesk):
    people = [invented(desk, number) for number in range(20)]
    query = "SELECT (SELECT count(*) FROM request), (SELECT count(*) FROM outbox)"
    before = desk.services.rows("intake", query)
    [(messages,)] = desk.services.rows("notifier", "SELECT count(*) FROM message")

    answers = [each.send(each.form(applicant=TYPED, mobile_code=None)) for each in people]
    codes = [{"id": "A" * 22, "answer": "12345"}, people[0].mobile_code("09121111111")]
    answers += [people[0].send(people[0].form(applicant=TYPED, mobile_code=each)) for each in codes]

    assert Counter(each.json()["code"] for each in answers) == {"mobile_code_required": 20, "mobile_code_expired": 2}
    assert desk.services.rows("intake", query) == before
    sent = desk.services.rows("notifier", "SELECT template FROM message OFFSET $1", messages)
    assert len(sent) == 1, "the code that the owner of the mobile gets"

    proven = people[0].send(people[0].form(applicant=TYPED))
    assert proven.status_code == 201
    desk.open_registry()
    assert wait_for(lambda: desk.services.province.of(proven.json()["tracking_code"]), 60)


def test_row_6_of_fifty_parallel_wrong_codes_by_sms_three_are_compared(desk: AttackedDesk):
    person, key = invented(desk, 100), str(uuid.uuid4())
    form = person.form(applicant=TYPED)
    right = form["mobile_code"]
    wrong = str(10000 + (int(right["answer"]) + 1) % 90000)
    guess = form | {"mobile_code": right | {"answer": wrong}}

    answers = in_parallel(lambda _: person.moved_to(desk.anywhere()).send(guess, key), range(PARALLEL))

    found = Counter(each.json()["code"] for each in answers)
    # The last attempt ends the code, so it is answered as an expired one.
    assert found == {"mobile_code_wrong": ATTEMPTS - 1, "mobile_code_expired": PARALLEL - ATTEMPTS + 1}
    assert is_problem(person.send(form, key), "mobile_code_expired"), "the right one, too late"
    assert person.send(form | {"mobile_code": person.mobile_code(form["mobile"])}, key).status_code == 201


@pytest.mark.parametrize("kind", ["IPv4", "IPv6"])
def test_row_6_parallel_requests_for_codes_send_three_to_one_mobile(desk: AttackedDesk, kind: str):
    address = desk.ipv6_network()
    places = [desk.at(address(place)) if kind == "IPv6" else desk.anywhere() for place in range(PARALLEL)]
    proofs = [desk.anywhere().prove("mobile") for _ in places]
    mobile = desk.person().form()["mobile"]
    [(before,)] = desk.services.rows("notifier", "SELECT count(*) FROM message WHERE template = 'code'")

    answers = in_parallel(
        lambda it: it[0].client.post(
            "/api/captchas", json={"purpose": "mobile", "kind": "sms", "mobile": mobile, "proof": it[1]}
        ),
        list(zip(places, proofs, strict=True)),
    )

    assert Counter(each.status_code for each in answers) == {201: CODES_OF_MOBILE, 429: PARALLEL - CODES_OF_MOBILE}
    [(after,)] = desk.services.rows("notifier", "SELECT count(*) FROM message WHERE template = 'code'")
    assert after - before == CODES_OF_MOBILE
    honest = desk.person(places[0])
    assert honest.mobile_code(honest.form()["mobile"])
