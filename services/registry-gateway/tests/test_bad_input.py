from datetime import UTC, datetime, timedelta

import pytest

from desk.iran.jalali import JalaliDate, in_tehran
from desk.registry_gateway import domain

GOOD = {"national_id": "8275737168", "birth_date": "1361-12-05"}
TODAY = in_tehran(datetime.now(UTC))[0]
IN_TWO_DAYS = JalaliDate.from_gregorian(TODAY.to_gregorian() + timedelta(days=2))

BAD = {
    "a wrong check digit": ("national_id", "4798251411", "check_digit"),
    "ten equal digits": ("national_id", "2222222222", "equal_digits"),
    "ten zeros": ("national_id", "0000000000", "equal_digits"),
    "eleven digits": ("national_id", "82757371680", "length"),
    "seven digits": ("national_id", "8275737", "length"),
    "thirteen digits": ("national_id", "9999000000012", "length"),
    "twelve equal digits": ("national_id", "111111111111", "equal_digits"),
    "nine digits whose padded form fails": ("national_id", "479825141", "check_digit"),
    "letters": ("national_id", "82757x7168", "not_digits"),
    "a minus sign": ("national_id", "-798251410", "not_digits"),
    "nothing": ("national_id", "", "empty"),
    "a number instead of text": ("national_id", 8275737168, "not_text"),
    "null": ("national_id", None, "not_text"),
    "30 Esfand of a common year": ("birth_date", "1361-12-30", "day"),
    "31 Mehr": ("birth_date", "1361-07-31", "day"),
    "month 13": ("birth_date", "1361-13-01", "month"),
    "a Gregorian year": ("birth_date", "1983-02-24", "year"),
    "a birth date in the future": ("birth_date", IN_TWO_DAYS.isoformat(), "in_future"),
    "a birth date 121 years ago": ("birth_date", f"{TODAY.year - 121}-01-01", "too_long_ago"),
    "words": ("birth_date", "پنجم اسفند", "format"),
    "no birth date": ("birth_date", "", "format"),
    "a compact number": ("birth_date", 13611205, "not_text"),
}


def is_persian(sentence: str) -> bool:
    return any("\u0600" <= letter <= "\u06ff" for letter in sentence)


@pytest.mark.parametrize("name", BAD)
async def test_bad_input_is_refused_at_its_field_in_persian(post, name):
    field, value, code = BAD[name]

    answer = await post({**GOOD, field: value})

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "validation_failed"
    assert is_persian(problem["title"])
    [error] = problem["errors"]
    assert (error["field"], error["code"]) == (field, code)
    assert is_persian(error["message"])


@pytest.mark.parametrize("name", BAD)
async def test_bad_input_reaches_neither_registry_nor_audit(post, registry, audit, name):
    field, value, _ = BAD[name]

    await post({**GOOD, field: value})

    assert registry.asked == []
    assert await audit() == []


async def test_all_errors_are_reported_together(post):
    problem = (await post({"national_id": "1", "birth_date": "1"})).json()

    assert [error["field"] for error in problem["errors"]] == ["national_id", "birth_date"]


@pytest.mark.parametrize("field", ["national_id", "birth_date"])
async def test_a_missing_field_is_named(post, field):
    body = {name: value for name, value in GOOD.items() if name != field}

    [error] = (await post(body)).json()["errors"]

    assert (error["field"], error["code"]) == (field, "missing")


async def test_the_refused_value_is_not_sent_back(post):
    assert "4798251411" not in (await post({**GOOD, "national_id": "4798251411"})).text


async def test_bad_input_does_not_count(post, ask, living):
    for _ in range(70):
        await post({**GOOD, "national_id": "4798251411"})

    assert (await post(ask(living))).status_code == 200


def test_a_birth_date_may_be_today():
    assert domain.birth_date_fault(TODAY, TODAY) is None


def test_the_oldest_valid_age_is_120_years():
    oldest = JalaliDate(1285, 5, 10)

    assert domain.birth_date_fault(oldest, JalaliDate(1405, 5, 10)) is None
    assert domain.birth_date_fault(oldest, JalaliDate(1405, 5, 11)) == "too_long_ago"


def test_a_leap_day_birthday_of_long_ago_is_compared_without_a_leap_year():
    assert domain.birth_date_fault(JalaliDate(1288, 12, 30), JalaliDate(1408, 12, 29)) is None
