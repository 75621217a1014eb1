import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.iran.jalali import (
    FIRST_YEAR,
    LAST_YEAR,
    InvalidJalaliDateError,
    InvalidMomentError,
    JalaliDate,
    format_moment,
    in_tehran,
)

VECTORS = json.loads((Path(__file__).parent / "vectors" / "jalali-vectors.json").read_text(encoding="utf-8"))
DAYS = st.dates(date(1901, 3, 21), date(2122, 3, 20))

REASONS = {"1404-12-30": "day", "1403-12-31": "day", "1404-06-32": "day", "1404-00-10": "month"}


@pytest.mark.parametrize("row", VECTORS["vectors"], ids=lambda row: row["jalali"])
def test_a_known_date_converts_both_ways(row: dict[str, Any]) -> None:
    jalali, gregorian = JalaliDate.parse(row["jalali"]), date.fromisoformat(row["gregorian"])
    assert jalali.to_gregorian() == gregorian
    assert JalaliDate.from_gregorian(gregorian) == jalali
    assert jalali.isoformat() == row["jalali"]
    assert jalali.weekday_name == row["weekday_fa"]
    assert JalaliDate.is_leap(jalali.year) is row["leap_year"]


@pytest.mark.parametrize("text", [row["jalali"] for row in VECTORS["invalid_dates"]])
def test_a_day_that_does_not_exist_is_refused_with_its_reason(text: str) -> None:
    with pytest.raises(InvalidJalaliDateError) as written:
        JalaliDate.parse(text)
    with pytest.raises(InvalidJalaliDateError) as compact:
        JalaliDate.from_compact(text.replace("-", ""))
    assert written.value.reason == compact.value.reason == REASONS[text]


def test_the_leap_years_of_forty_years_are_known() -> None:
    assert [year for year in range(1380, 1421) if JalaliDate.is_leap(year)] == VECTORS["leap_years_1380_1420"]


def test_leap_years_follow_the_astronomical_rule_in_the_whole_range() -> None:
    # Borkowski, "The Persian calendar for 3000 years" (1996): from 1210 to 1634 this is what his table comes to.
    def borkowski(year: int) -> bool:
        return ((year - 1210 + 1) % 33 - 1) % 4 == 0 and (year - 1210 + 1) % 33 != 0

    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        assert JalaliDate.is_leap(year) is borkowski(year), year


def test_months_have_their_known_lengths() -> None:
    assert [JalaliDate.month_length(1404, month) for month in range(1, 12)] == VECTORS["month_lengths"][:11]
    assert [JalaliDate.month_length(year, 12) for year in (1403, 1404)] == [30, 29]


def test_every_day_of_the_range_follows_the_day_before() -> None:
    day = date(1901, 3, 21)
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        for month in range(1, 13):
            for number in range(1, JalaliDate.month_length(year, month) + 1):
                assert JalaliDate(year, month, number).to_gregorian() == day
                day += timedelta(days=1)
    assert day == date(2122, 3, 21)


@given(DAYS)
def test_a_gregorian_day_comes_back_unchanged_through_every_form(day: date) -> None:
    jalali = JalaliDate.from_gregorian(day)
    assert jalali.to_gregorian() == day
    assert JalaliDate.parse(jalali.isoformat()) == jalali
    assert JalaliDate.from_compact(jalali.compact()) == jalali


@given(DAYS, DAYS)
def test_dates_are_ordered_as_their_days_are(one: date, other: date) -> None:
    assert (JalaliDate.from_gregorian(one) < JalaliDate.from_gregorian(other)) is (one < other)


@pytest.mark.parametrize(
    "text",
    ["1361-12-05", "1361/12/05", "1361/12/5", "۱۳۶۱-۱۲-۰۵", "١٣٦١/١٢/٠٥", "\u200f۱۳۶۱/۱۲/۰۵\u200e", " 1361 / 12 / 05 "],
)
def test_a_date_is_read_as_people_write_it(text: str) -> None:
    assert JalaliDate.parse(text) == JalaliDate(1361, 12, 5)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "format"),
        ("13611205", "format"),
        ("1361-12/05", "format"),
        ("61-12-05", "format"),
        ("05-12-1361", "format"),
        ("1361-12-05T00:00", "format"),
        ("1279-12-29", "year"),
        ("1501-01-01", "year"),
        ("1985-02-24", "year"),
        ("1361-13-01", "month"),
        ("1361-01-00", "day"),
    ],
)
def test_other_text_is_refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidJalaliDateError) as caught:
        JalaliDate.parse(text)
    assert caught.value.reason == reason


@pytest.mark.parametrize("number", [13611205, "13611205", "۱۳۶۱۱۲۰۵"])
def test_the_registry_form_is_a_number(number: int | str) -> None:
    assert JalaliDate.from_compact(number) == JalaliDate(1361, 12, 5)
    assert JalaliDate(1361, 12, 5).compact() == 13611205


@pytest.mark.parametrize("number", [0, -13611205, 136112050, "1361125", "1361-12-05", ""])
def test_another_number_is_no_compact_date(number: int | str) -> None:
    with pytest.raises(InvalidJalaliDateError) as caught:
        JalaliDate.from_compact(number)
    assert caught.value.reason == "format"


@pytest.mark.parametrize("day", [date(1901, 3, 20), date(2122, 3, 21)])
def test_a_day_outside_the_range_is_refused(day: date) -> None:
    with pytest.raises(InvalidJalaliDateError) as caught:
        JalaliDate.from_gregorian(day)
    assert caught.value.reason == "year"


def test_a_datetime_is_not_taken_for_a_day() -> None:
    with pytest.raises(InvalidMomentError) as caught:
        JalaliDate.from_gregorian(datetime(2026, 12, 13, 22, 0, tzinfo=UTC))
    assert caught.value.reason == "not_a_day"


def test_a_date_for_people_is_in_persian() -> None:
    assert JalaliDate(1405, 9, 22).long() == "یکشنبه ۲۲ آذر ۱۴۰۵"


def test_a_moment_for_people_is_in_tehran_time() -> None:
    assert format_moment(datetime(2026, 12, 13, 11, 0, tzinfo=UTC)) == "یکشنبه ۲۲ آذر ۱۴۰۵، ساعت ۱۴:۳۰"


@pytest.mark.parametrize(
    ("moment", "day", "clock"),
    [
        (datetime(2026, 12, 13, 20, 29, 59, tzinfo=UTC), JalaliDate(1405, 9, 22), time(23, 59, 59)),
        (datetime(2026, 12, 13, 20, 30, tzinfo=UTC), JalaliDate(1405, 9, 23), time(0, 0)),
        (datetime(2026, 7, 1, 12, 0, tzinfo=UTC), JalaliDate(1405, 4, 10), time(15, 30)),
        (datetime(2021, 7, 1, 12, 0, tzinfo=UTC), JalaliDate(1400, 4, 10), time(16, 30)),
        (datetime(2026, 12, 13, 12, 0, tzinfo=ZoneInfo("Europe/Berlin")), JalaliDate(1405, 9, 22), time(14, 30)),
    ],
    ids=["last second", "midnight", "no summer time since 2022", "summer time before", "another zone"],
)
def test_the_day_changes_at_midnight_in_tehran(moment: datetime, day: JalaliDate, clock: time) -> None:
    assert in_tehran(moment) == (day, clock)


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(InvalidMomentError, match="no time zone") as caught:
        format_moment(datetime(2026, 12, 13, 11, 0))  # noqa: DTZ001
    assert caught.value.reason == "naive"
