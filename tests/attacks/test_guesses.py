"""Guesses of birth dates and tracking codes, one after the other and at once: rows 1, 5, 6, 7 and 26."""

from collections import Counter

import pytest
from attacks.attacked_desk import PARALLEL, AttackedDesk, Person, Source, in_parallel, is_problem
from stdnum import damm
from support.embedded_desk import wait_for

from desk.iran.national_id import check_digit

pytestmark = pytest.mark.attacks

MISMATCHES_OF_SOURCE = 5
MISMATCHES_OF_NUMBER = 10
MISSES_OF_SOURCE = 10
PENDING_OF_NUMBER = 5
TYPED = {"first_name": "ناشناس", "last_name": "آزمایشی", "gender": "female"}


def wrong_dates(person: Person, number: int) -> list[str]:
    """Return birth dates that are not the person's."""
    dates = [f"{1320 + index // 12}-{index % 12 + 1:02}-11" for index in range(number + 1)]
    return [each for each in dates if each != person.person["birth_date"]][:number]


def wrong_codes(number: int, *, begin: int = 0) -> list[str]:
    """Return tracking codes with a right check digit that belong to no request."""
    bodies = [f"9{begin + index:010}" for index in range(number)]
    return [body + damm.calc_check_digit(body) for body in bodies]


def unknown_numbers(number: int) -> list[str]:
    """Return national IDs in sequence, which the registry does not have."""
    return [f"{body:09}{check_digit(f'{body:09}')}" for body in range(123456000, 123456000 + number)]


def mismatches(desk: AttackedDesk) -> int:
    """Return how many verdicts "not matched" the registry has given so far."""
    [(number,)] = desk.services.rows("registry-gateway", "SELECT count(*) FROM lookup WHERE outcome = 'not_matched'")
    return int(number)


def sources(desk: AttackedDesk, kind: str, number: int) -> list[Source]:
    """Return clients that are one source: at one IPv4 address, or at as many addresses of one IPv6 /56."""
    if kind == "IPv4":
        return [desk.at(desk.ipv4())] * number
    address = desk.ipv6_network()
    return [desk.at(address(place)) for place in range(number)]


# row 1


def test_row_1_requests_sent_at_night_tell_no_more_birth_dates_than_look_ups(desk: AttackedDesk):
    victim, honest = desk.person(), desk.person()
    source = desk.anywhere()
    attacker = victim.moved_to(source)
    before = mismatches(desk)
    desk.close_registry()
    try:
        statuses, codes = Counter[int](), []
        for number, date in enumerate(wrong_dates(victim, 24)):
            pending = attacker.look_up(date)
            assert (pending.status_code, pending.json()["status"]) == (200, "pending")
            attacker.token = pending.json()["token"]
            form = attacker.form_from(desk.anywhere(), applicant=TYPED, mobile=f"09351234{number:03}")
            sent = attacker.send(form)
            statuses[sent.status_code] += 1
            codes += [sent.json()["tracking_code"]] if sent.status_code == 201 else []
    finally:
        desk.open_registry()

    assert statuses == {201: PENDING_OF_NUMBER, 429: 24 - PENDING_OF_NUMBER}
    wait_for(lambda: not desk.services.rows("intake", "SELECT 1 FROM identity_check WHERE state = 'pending'"), 60)
    reader = victim.moved_to(desk.anywhere())
    assert {reader.sees(code, "identity_rejected")["state"] for code in codes} == {"identity_rejected"}
    assert mismatches(desk) - before == PENDING_OF_NUMBER

    # Direct look-ups of the number, each from an address of its own, share the limit of the day.
    answers = [victim.moved_to(desk.anywhere()).look_up(date) for date in wrong_dates(victim, 12)]
    assert [each.status_code for each in answers] == [404] * 5 + [200] * 7
    assert {each.json()["status"] for each in answers[5:]} == {"pending"}, "as if the registry were closed"
    assert mismatches(desk) - before == MISMATCHES_OF_NUMBER

    assert honest.moved_to(source).look_up_with_the_proof_asked_for().json()["status"] == "matched"


# rows 5, 6 and 7


@pytest.mark.parametrize("kind", ["IPv4", "IPv6"])
def test_rows_6_and_7_parallel_wrong_dates_of_one_source_reach_the_registry_five_times(desk: AttackedDesk, kind: str):
    places = sources(desk, kind, PARALLEL)
    guesses = [(desk.person().moved_to(each), desk.anywhere().prove("identity")) for each in places]
    before = mismatches(desk)

    answers = in_parallel(lambda it: it[0].look_up(wrong_dates(it[0], 1)[0], it[1]), guesses)

    statuses = Counter(each.status_code for each in answers)
    assert statuses == {404: MISMATCHES_OF_SOURCE, 429: PARALLEL - MISMATCHES_OF_SOURCE}
    assert mismatches(desk) - before == MISMATCHES_OF_SOURCE
    honest = desk.person().moved_to(places[0])
    assert honest.look_up_with_the_proof_asked_for().json()["status"] == "matched"


@pytest.mark.parametrize("kind", ["IPv4", "IPv6"])
def test_rows_6_and_7_parallel_wrong_codes_of_one_source_are_looked_up_ten_times(desk: AttackedDesk, kind: str):
    places = sources(desk, kind, PARALLEL)
    honest = desk.person()
    code = honest.submit()
    queries = [honest.query(wrong, desk.anywhere()) for wrong in wrong_codes(PARALLEL)]

    answers = in_parallel(
        lambda it: it[0].client.post("/api/tracking", json=it[1]), list(zip(places, queries, strict=True))
    )

    statuses = Counter(each.status_code for each in answers)
    assert statuses == {404: MISSES_OF_SOURCE, 429: PARALLEL - MISSES_OF_SOURCE}
    assert honest.moved_to(places[0]).track_with_the_proof_asked_for(code).json()["tracking_code"] == code


def test_row_7_a_thousand_addresses_of_one_ipv6_network_are_one_source(desk: AttackedDesk):
    address = desk.ipv6_network()
    honest = desk.person()
    queries = [honest.query(wrong, desk.anywhere()) for wrong in wrong_codes(MISSES_OF_SOURCE, begin=500)]
    found = [desk.at(address(place)).client.post("/api/tracking", json=it) for place, it in enumerate(queries)]
    assert {each.status_code for each in found} == {404}
    another = honest.query(wrong_codes(1, begin=900)[0], desk.anywhere())

    refused = in_parallel(
        lambda some: [desk.at(address(place)).client.post("/api/tracking", json=another) for place in some],
        [range(10 + worker, 1000, 10) for worker in range(10)],
    )

    assert Counter(is_problem(each, "proof_required") for some in refused for each in some) == {True: 990}


def test_row_5_the_right_date_passes_after_five_wrong_pairs_from_the_same_and_from_another_address(desk: AttackedDesk):
    victim, source = desk.person(), desk.anywhere()
    for _ in range(MISMATCHES_OF_SOURCE):
        assert desk.person().moved_to(source).look_up("1300-01-01").status_code == 404

    assert is_problem(victim.moved_to(source).look_up(), "proof_required")
    assert victim.moved_to(source).look_up_with_the_proof_asked_for().json()["status"] == "matched"
    assert victim.look_up().json()["status"] == "matched"


def test_row_5_after_ten_wrong_dates_the_owner_of_the_number_can_send_a_request(desk: AttackedDesk):
    victim = desk.person()
    for date in wrong_dates(victim, MISMATCHES_OF_NUMBER):
        assert victim.moved_to(desk.anywhere()).look_up(date).status_code == 404

    found = victim.look_up_with_the_proof_asked_for()

    assert (found.status_code, found.json()["status"]) == (200, "pending")
    assert victim.send(victim.form(applicant=TYPED)).status_code == 201


def test_row_5_the_right_code_passes_after_ten_wrong_ones_from_the_same_and_from_another_address(desk: AttackedDesk):
    victim, source = desk.person(), desk.anywhere()
    code = victim.submit()
    for wrong in wrong_codes(MISSES_OF_SOURCE):
        assert source.client.post("/api/tracking", json=victim.query(wrong)).status_code == 404

    assert is_problem(victim.moved_to(source).track(code), "proof_required")
    assert victim.moved_to(source).track_with_the_proof_asked_for(code).status_code == 200
    assert victim.track(code).status_code == 200


# row 26


def test_row_26_a_sweep_of_national_ids_reaches_the_registry_five_times_and_tells_nothing(desk: AttackedDesk):
    source, honest = desk.anywhere(), desk.person()
    before = mismatches(desk)
    pairs = [{"national_id": number, "birth_date": "1360-01-01"} for number in unknown_numbers(30)]
    answers = [
        source.client.post("/api/identities", json=it | {"proof": desk.anywhere().prove("identity")}) for it in pairs
    ]
    assert Counter(each.status_code for each in answers) == {404: MISMATCHES_OF_SOURCE, 429: 25}
    assert mismatches(desk) - before == MISMATCHES_OF_SOURCE

    mismatch = honest.look_up(wrong_dates(honest, 1)[0])
    assert (mismatch.status_code, without_ids(mismatch)) == (404, without_ids(answers[0]))
    assert honest.moved_to(source).look_up_with_the_proof_asked_for().json()["status"] == "matched"


def without_ids(answer: object) -> dict[str, object]:
    """Return a problem without the id of its request."""
    return {key: value for key, value in answer.json().items() if key not in {"instance", "request_id"}}
