"""Forms of a draft of the catalogue: keys stay, and what cannot be read is named."""

import pytest

from desk.console.domain.catalog_forms import read_announcements, read_sub_subject, read_time, rows_of, show_time
from desk.console.domain.errors import FieldError

FIELD = {"key": "field_2", "title": "محل", "title_en": "Place", "kind": "choice", "required": True}
CHOICES = [{"key": "bank", "title": "بانک", "title_en": "Bank"}, {"key": "home", "title": "خانه", "title_en": "Home"}]
BEFORE = {"key": "lost_receipt", "title": "قبض گم‌شده", "fields": [FIELD | {"choices": CHOICES}], "documents": []}
FORM = {
    "title": "قبض گم‌شده",
    "answer_within_days": "۱۰",
    "fields-1-key": "field_2",
    "fields-1-title": "محل",
    "fields-1-kind": "choice",
}


def test_a_choice_keeps_its_key_and_a_new_one_gets_an_unused_key():
    changed = read_sub_subject(FORM | {"fields-1-choices": "راه | Way\nخانه | Home\nبانک"}, BEFORE)

    keys = {each["title"]: each["key"] for each in changed["fields"][0]["choices"]}
    assert (keys["خانه"], keys["بانک"]) == ("home", "bank")
    assert keys["راه"] not in {"home", "bank"}


def test_new_rows_get_keys_that_no_row_has_had():
    rows = {"fields-2-title": "شمارهٔ قبض", "fields-3-title": "تاریخ", "documents-1-title": "گذرنامه"}
    changed = [read_sub_subject(FORM | rows, BEFORE) for _ in range(2)]

    keys = [each["key"] for each in changed[0]["fields"]]
    assert keys[0] == "field_2"
    assert len(set(keys)) == 3
    assert keys[1:] != [each["key"] for each in changed[1]["fields"]][1:]


@pytest.mark.parametrize("key", ["new", "Visa", "1st", ""])
def test_a_key_that_cannot_be_used_is_refused(key):
    with pytest.raises(FieldError) as refused:
        read_sub_subject({"title": "روادید", "answer_within_days": "5", "key": key}, None)

    assert refused.value.field == "key"


def test_more_than_a_hundred_rows_are_kept():
    rows = {f"notices-{number}-text": f"اعلان {number}" for number in range(1, 121)}
    shown = {f"notices-{number}-on_home": "yes" for number in range(1, 121)}

    assert len(read_announcements(rows | shown, {})["notices"]) == 120


def test_a_new_row_without_its_persian_text_is_named_and_one_that_is_emptied_is_removed():
    typed = {"notices-2-text": "", "notices-2-text_en": "The desk is closed on Friday."}
    with pytest.raises(FieldError) as refused:
        read_announcements(typed, {"notices": [{"text": "اعلان"}]})

    assert refused.value.field == "notices-2-text"
    assert read_announcements(typed, {"notices": [{"text": "اعلان"}] * 2})["notices"] == []


def test_a_moment_is_shown_as_it_is_typed():
    moment = read_time("active_from", "۱۴۰۵/۹/۲۲ ۱۴:۳۰")

    assert show_time(moment) == "1405-09-22 14:30"
    assert rows_of([{"active_from": moment}])[0]["active_from"] == "1405-09-22 14:30"
    with pytest.raises(FieldError):
        read_time("active_from", "فردا")
