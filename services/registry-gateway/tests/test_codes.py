import json
from pathlib import Path

import pytest

from desk.iran.jalali import JalaliDate
from desk.iran.national_id import NationalId
from desk.registry_gateway.adapters import estelam
from desk.registry_gateway.adapters.codes import CODES, code_in
from desk.registry_gateway.domain import Deceased, FailureKind, Matched, NotMatched, Referred, UnansweredError

FACTS = json.loads((Path(__file__).parent / "vectors" / "registry-codes.json").read_text(encoding="utf-8"))
NUMBER, BORN = NationalId("4798251410"), JalaliDate(1361, 12, 5)
RECORD = {
    "nin": 4798251410,
    "name": "2YbYsdqv2LM=",
    "family": "2KjYp9ix2KfZhuKAjNiv2LTYqg==",
    "birthDate": 13611205,
    "deathDate": "",
    "deathStatus": 0,
    "gender": 2,
    "message": [],
}


def read(**changed):
    return estelam.read_record({**RECORD, **changed}, NUMBER, BORN)


def test_every_code_of_the_registry_has_its_kind():
    assert {code: klass.value for code, klass in CODES.items()} == {row["code"]: row["klass"] for row in FACTS["codes"]}
    assert len(CODES) == 26


def test_the_kinds_are_those_of_the_facts_and_down():
    assert {klass.value for klass in FailureKind} - {"down"} == set(FACTS["our_classes"])


@pytest.mark.parametrize("spelling", ["Error inUTF-8Encoding", "Error in UTF-8 Encoding", " error inutf-8encoding "])
def test_blanks_and_case_do_not_matter(spelling):
    assert code_in([spelling]) == (FailureKind.BUG, "Error inUTF-8Encoding")


def test_an_unknown_message_is_reported_without_its_text():
    assert code_in(["فاطمه باران‌دشت 4798251410"]) == (FailureKind.BUG, "a message of no known code")


@pytest.mark.parametrize("row", FACTS["codes"], ids=lambda row: row["code"])
@pytest.mark.parametrize("field", ["message", "exceptionMessage"])
def test_a_code_in_a_normal_answer_decides(row, field):
    refused = {field: [row["code"]]}
    match row["klass"]:
        case "not_found":
            assert read(**refused) == NotMatched()
        case "refer":
            assert read(**refused) == Referred()
        case "ignore":
            assert isinstance(read(**refused), Matched)
        case klass:
            with pytest.raises(UnansweredError) as caught:
                read(**refused)
            assert (caught.value.kind, caught.value.retryable) == (klass, klass == "retry")


def test_the_photo_s_code_does_not_hide_the_one_behind_it():
    assert read(message=["inquiry.unreadable.image", "result.rec.review"]) == Referred()


@pytest.mark.parametrize(
    ("gender", "meant"), [(1, "male"), ("1", "male"), (0, "female"), (2, "female"), ([2], "female")]
)
def test_both_numbers_for_a_woman_are_understood(gender, meant):
    assert read(gender=gender).identity.gender == meant


@pytest.mark.parametrize("dead", [1, "1", [1], ["1"]])
def test_a_death_is_seen_in_an_array_too(dead):
    assert read(deathStatus=dead) == Deceased()


def test_a_date_of_death_is_enough():
    assert read(deathDate="14020517") == Deceased()


@pytest.mark.parametrize("alive", [0, "0", [0]])
def test_the_living_are_matched(alive):
    assert isinstance(read(deathStatus=alive), Matched)


def test_lost_zeros_are_put_back():
    number = NationalId.parse("10084452")

    found = estelam.read_record({**RECORD, "nin": 10084452}, number, BORN)

    assert found.identity.national_id.value == "0010084452"


@pytest.mark.parametrize("name", ["2YbYsdqv2LM=", "نرگس", " نرگس ", "2YbYsd\nqv2LM="])
def test_names_come_encoded_or_plain(name):
    assert read(name=name).identity.first_name == "نرگس"


def test_arabic_letters_become_persian_ones():
    assert read(name="علي").identity.first_name == "علی"


@pytest.mark.parametrize(
    ("changed", "klass"),
    [
        ({"nin": 8275737168}, FailureKind.BUG),
        ({"birthDate": 13611206}, FailureKind.BUG),
        ({"nin": None}, FailureKind.BUG),
        ({"gender": 7}, FailureKind.DOWN),
        ({"gender": None}, FailureKind.DOWN),
        ({"deathStatus": 3}, FailureKind.DOWN),
        ({"deathStatus": None}, FailureKind.DOWN),
        ({"deathStatus": {"value": 0}}, FailureKind.DOWN),
        ({"name": "John?"}, FailureKind.DOWN),
        ({"name": "/w=="}, FailureKind.DOWN),
        ({"family": ""}, FailureKind.DOWN),
        ({"message": "چیز تازه"}, FailureKind.BUG),
    ],
)
def test_an_invalid_record_is_not_an_answer(changed, klass):
    with pytest.raises(UnansweredError) as caught:
        read(**changed)
    assert caught.value.kind is klass
    assert "4798251410" not in str(caught.value)
