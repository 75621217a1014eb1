from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desk.iran.jalali import TEHRAN, InvalidMomentError, JalaliDate
from desk.iran.workdays import (
    FRIDAY,
    THURSDAY,
    InvalidWorkCalendarError,
    WorkCalendar,
    parse_overrides,
    parse_weekend,
)

CALENDAR = WorkCalendar()
DAYS = st.dates(date(2020, 1, 1), date(2035, 1, 1))
WEEKENDS = st.frozensets(st.integers(0, 6), max_size=3)
OVERRIDES = st.dictionaries(st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.booleans(), max_size=20)


@pytest.mark.parametrize(
    "jalali",
    ["1405-01-01", "1405-01-02", "1405-01-03", "1405-01-04", "1405-01-12", "1405-01-13", "1405-03-14", "1404-11-22"],
)
def test_a_fixed_national_holiday_is_not_a_working_day(jalali: str) -> None:
    assert not CALENDAR.is_working(JalaliDate.parse(jalali).to_gregorian())


@pytest.mark.parametrize("day", [date(2026, 6, 24), date(2025, 7, 6)], ids=["Tasua 1448", "Ashura 1447"])
def test_a_religious_holiday_is_not_a_working_day(day: date) -> None:
    assert not CALENDAR.is_working(day)


def test_the_week_is_worked_from_saturday_to_wednesday() -> None:
    week = [date(2026, 11, 14) + timedelta(days=n) for n in range(7)]
    assert [CALENDAR.is_working(day) for day in week] == [True, True, True, True, True, False, False]


def test_the_weekend_can_be_another() -> None:
    thursday = date(2026, 11, 19)
    assert thursday.weekday() == THURSDAY
    assert WorkCalendar(weekend=frozenset({FRIDAY})).is_working(thursday)


def test_an_override_wins_over_weekend_and_holiday() -> None:
    friday, nowruz, sunday = date(2026, 11, 20), date(2026, 3, 21), date(2026, 11, 15)
    calendar = WorkCalendar(overrides={friday: True, nowruz: True, sunday: False})
    assert [calendar.is_working(day) for day in (friday, nowruz, sunday)] == [True, True, False]


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        (date(2026, 11, 14), 1, date(2026, 11, 15)),
        (date(2026, 11, 18), 1, date(2026, 11, 21)),
        (date(2026, 11, 19), 1, date(2026, 11, 21)),
        (date(2026, 11, 14), 10, date(2026, 11, 28)),
        (date(2027, 3, 17), 1, date(2027, 3, 27)),
    ],
    ids=["next day", "over the weekend", "from the weekend", "two weeks", "over Nowruz"],
)
def test_a_deadline_counts_working_days_only(start: date, days: int, due: date) -> None:
    assert CALENDAR.add(start, days) == due


@settings(deadline=None)  # a year's holidays are computed when it is first met
@given(DAYS, st.integers(1, 60), WEEKENDS, OVERRIDES)
def test_a_deadline_is_a_working_day_with_the_right_count_before_it(
    start: date, days: int, weekend: frozenset[int], overrides: dict[date, bool]
) -> None:
    calendar = WorkCalendar(weekend, overrides)
    due = calendar.add(start, days)
    between = (start + timedelta(days=n) for n in range(1, (due - start).days + 1))
    assert calendar.is_working(due)
    assert sum(calendar.is_working(day) for day in between) == days


@pytest.mark.parametrize("days", [0, -1])
def test_a_period_has_at_least_one_day(days: int) -> None:
    with pytest.raises(InvalidWorkCalendarError) as caught:
        CALENDAR.add(date(2026, 11, 14), days)
    assert caught.value.reason == "days"


@pytest.mark.parametrize("weekend", [frozenset(range(7)), frozenset({7}), frozenset({-1, 4})])
def test_a_week_needs_a_working_day(weekend: frozenset[int]) -> None:
    with pytest.raises(InvalidWorkCalendarError) as caught:
        WorkCalendar(weekend)
    assert caught.value.reason == "weekend"


def test_a_datetime_is_not_taken_for_a_day() -> None:
    moment = datetime(2026, 11, 14, 21, 0, tzinfo=UTC)
    for attempt in (lambda: CALENDAR.is_working(moment), lambda: CALENDAR.add(moment, 1)):
        with pytest.raises(InvalidMomentError):
            attempt()


def test_a_day_ends_one_second_before_midnight_in_tehran() -> None:
    assert CALENDAR.end_of_day(date(2026, 11, 14)) == datetime(2026, 11, 14, 20, 29, 59, tzinfo=UTC)
    assert CALENDAR.end_of_day(date(2026, 11, 14)).tzinfo is UTC


@given(st.dates(date(1990, 1, 1), date(2035, 1, 1)))
def test_the_second_after_a_day_belongs_to_the_next_even_where_summer_time_ends(day: date) -> None:
    end = CALENDAR.end_of_day(day)
    assert end.astimezone(TEHRAN).date() == day
    assert (end + timedelta(seconds=1)).astimezone(TEHRAN).date() == day + timedelta(days=1)


def test_a_day_whose_last_hour_came_twice_ends_with_the_second_one() -> None:
    assert CALENDAR.end_of_day(date(2022, 9, 21)) == datetime(2022, 9, 21, 20, 29, 59, tzinfo=UTC)


@settings(deadline=None)
@given(DAYS, st.integers(1, 60), WEEKENDS, OVERRIDES)
def test_counting_undoes_adding(start: date, days: int, weekend: frozenset[int], overrides: dict[date, bool]) -> None:
    calendar = WorkCalendar(weekend, overrides)
    assert calendar.count(start, calendar.add(start, days)) == days


@settings(deadline=None)
@given(st.lists(DAYS.filter(lambda day: day.year > 2024), min_size=3, max_size=3))
def test_counts_of_adjoining_times_add_up(days: list[date]) -> None:
    one, two, three = sorted(days)
    assert CALENDAR.count(one, two) + CALENDAR.count(two, three) == CALENDAR.count(one, three)


def test_nothing_is_counted_backwards() -> None:
    assert CALENDAR.count(date(2026, 11, 15), date(2026, 11, 14)) == 0


def test_a_file_says_which_days_are_free_or_worked() -> None:
    text = "# announced at short notice\n1405-08-24 free  # cold\n\n۱۴۰۵-۰۸-۲۹ worked\n"
    assert parse_overrides(text) == {date(2026, 11, 15): False, date(2026, 11, 20): True}


@pytest.mark.parametrize("line", ["1405-08-24", "1405-13-01 free", "1405-08-24 closed", "2026-11-15 free off"])
def test_an_unreadable_line_is_named(line: str) -> None:
    with pytest.raises(InvalidWorkCalendarError, match="line 2"):
        parse_overrides(f"# days\n{line}")


def test_a_weekend_is_read_by_the_names_of_its_days() -> None:
    assert parse_weekend("Friday, thursday") == {THURSDAY, FRIDAY}
    assert parse_weekend("") == frozenset()
    with pytest.raises(InvalidWorkCalendarError):
        parse_weekend("jumuah")
