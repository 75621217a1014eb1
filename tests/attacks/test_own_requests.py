"""The list of an applicant's requests and the correction of the mobile: rows 27 to 30."""

import uuid
from collections import Counter

import httpx
import pytest
from attacks.attacked_desk import PARALLEL, AttackedDesk, Person, in_parallel, is_problem
from support.embedded_desk import wait_for

pytestmark = pytest.mark.attacks

CODES_OF_MOBILE = 3
ATTEMPTS = 3
CHANGES_OF_REQUEST = 3
CODES = "SELECT count(*) FROM message WHERE template LIKE 'code%'"


def mobile_of(person: Person) -> str:
    """Return the mobile that the person gives with requests."""
    return f"0912{person.place:07}"


def applicant(desk: AttackedDesk) -> tuple[Person, str]:
    """Return a person with a request that tracking has, and its code."""
    person = desk.person()
    code = person.submit()
    assert wait_for(lambda: desk.services.rows("tracking", 'SELECT 1 FROM "case" WHERE tracking_code = $1', code), 60)
    return person, code


def as_victim(attacker: Person, victim: Person) -> Person:
    """Return the attacker who types the victim's national ID."""
    other = attacker.moved_to(attacker.source)
    other.person = victim.person
    return other


def warnings(desk: AttackedDesk, code: str) -> Counter[str]:
    """Return how many warnings about another mobile each channel has."""
    query = "SELECT channel FROM message WHERE template = 'contact_changed' AND tracking_code = $1"
    return Counter(channel for (channel,) in desk.services.rows("notifier", query, code))


def listed(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [each["tracking_code"] for each in answer.json()["requests"]]


def test_row_27_an_own_mobile_lists_nothing_of_another_number_and_gives_three_tries(desk: AttackedDesk):
    victim, code = applicant(desk)
    attacker, nothing = desk.person(), desk.person()
    own = mobile_of(attacker)

    with_requests = as_victim(attacker, victim).own_requests(own)
    without = as_victim(attacker, nothing).own_requests(own)

    assert (with_requests.status_code, with_requests.content) == (without.status_code, without.content)
    assert listed(with_requests) == []
    used = attacker.mobile_code(own, "requests")
    assert listed(as_victim(attacker, nothing).own_requests(own, used)) == []
    assert is_problem(as_victim(attacker, victim).own_requests(own, used), "mobile_code_expired")
    proof = attacker.source.prove("mobile")
    fourth = {"purpose": "requests", "kind": "sms", "mobile": own, "proof": proof}
    assert is_problem(attacker.client.post("/api/captchas", json=fourth), "codes_exhausted")
    assert listed(victim.own_requests(mobile_of(victim))) == [code]


def test_row_27_of_fifty_parallel_guesses_of_the_code_three_are_compared(desk: AttackedDesk):
    victim, code = applicant(desk)
    mobile = mobile_of(victim)
    right = desk.person().mobile_code(mobile, "requests")
    wrong = right | {"answer": str(10000 + (int(right["answer"]) + 1) % 90000)}
    attackers = [as_victim(desk.person(), victim) for _ in range(PARALLEL)]

    answers = in_parallel(lambda it: it.own_requests(mobile, wrong), attackers)

    found = Counter(each.json()["code"] for each in answers)
    # Guesses beyond the limit of empty lists for the number need a proof of work, and are not compared.
    assert found["mobile_code_wrong"] == ATTEMPTS - 1
    assert set(found) <= {"mobile_code_wrong", "mobile_code_expired", "proof_required"}
    assert listed(victim.own_requests(mobile)) == [code]


def test_row_28_parallel_codes_of_every_purpose_reach_one_mobile_three_times(desk: AttackedDesk):
    mobile = mobile_of(desk.person())
    purposes = [("mobile", "requests", "contact")[place % 3] for place in range(PARALLEL)]
    proofs = [desk.anywhere().prove("mobile") for _ in purposes]
    places = [desk.anywhere() for _ in purposes]
    [(before,)] = desk.services.rows("notifier", CODES)

    answers = in_parallel(
        lambda it: it[0].client.post(
            "/api/captchas", json={"purpose": it[1], "kind": "sms", "mobile": mobile, "proof": it[2]}
        ),
        list(zip(places, purposes, proofs, strict=True)),
    )

    assert Counter(each.status_code for each in answers) == {201: CODES_OF_MOBILE, 429: PARALLEL - CODES_OF_MOBILE}
    [(after,)] = desk.services.rows("notifier", CODES)
    assert after - before == CODES_OF_MOBILE


def test_row_29_a_stolen_token_changes_the_mobile_three_times_and_every_owner_is_warned(desk: AttackedDesk):
    victim, code = applicant(desk)
    token = victim.track(code).json()["token"]
    attackers = [desk.person() for _ in range(8)]
    codes = [each.mobile_code(mobile_of(each), "contact") for each in attackers]
    no_code = {"id": "A" * 22, "answer": "12345"}
    assert is_problem(attackers[0].change_contact(token, mobile_of(attackers[0]), no_code), "mobile_code_expired")
    assert is_problem(attackers[0].change_contact(token, mobile_of(attackers[0]), codes[1]), "mobile_code_expired")

    answers = in_parallel(
        lambda it: it[0].change_contact(token, mobile_of(it[0]), it[1]), list(zip(attackers, codes, strict=True))
    )

    assert Counter(each.status_code for each in answers) == {
        200: CHANGES_OF_REQUEST,
        429: len(attackers) - CHANGES_OF_REQUEST,
    }
    assert wait_for(lambda: warnings(desk, code) == Counter(sms=CHANGES_OF_REQUEST, email=CHANGES_OF_REQUEST), 60)


def test_row_30_a_code_opens_only_what_it_was_sent_for(desk: AttackedDesk):
    victim, code = applicant(desk)
    token, helper = victim.track(code).json()["token"], desk.person()
    own, new = mobile_of(victim), mobile_of(helper)
    sent = {purpose: helper.mobile_code(new, purpose) for purpose in ("mobile", "requests", "contact")}

    for purpose in ("mobile", "requests"):
        assert is_problem(victim.change_contact(token, new, sent[purpose]), "mobile_code_expired")
    for purpose in ("mobile", "contact"):
        assert is_problem(victim.own_requests(new, sent[purpose]), "mobile_code_expired")
    desk.close_registry()
    try:
        stranger = desk.person()
        stranger.person |= {"national_id": f"98765433{stranger.place:04}"}
        stranger.token = stranger.look_up().json()["token"]
        typed = {"first_name": "ناشناس", "last_name": "آزمایشی", "gender": "female"}
        for purpose in ("requests", "contact"):
            form = stranger.form(applicant=typed, mobile=new, mobile_code=sent[purpose])
            assert is_problem(stranger.send(form, str(uuid.uuid4())), "mobile_code_expired")
    finally:
        desk.open_registry()
    assert listed(victim.own_requests(own)) == [code]
    assert victim.change_contact(token, new, sent["contact"]).status_code == 200, "and is right for that, still"
