"""Forms of a draft of the texts: what was typed is put into its place, and a fault is shown at its field."""

import json

import pytest

from desk.console.domain.errors import NotFoundError
from desk.console.domain.text_forms import field_of, put, readable_texts, slots, title_of
from desk.expert import DocumentChange

NOTICE = {
    "sms": {"number": 2, "text": "کد: {{ code }}"},
    "email": {"number": 2, "subject": "پاسخ", "paragraphs": ["یک", "دو"]},
}
CODE = {"sms": {"number": 1, "text": "{{ digits }}"}, "email": None}
CONTENT = {"fa": {"answered": NOTICE, "code": CODE}, "en": {"answered": NOTICE, "code": CODE}}


@pytest.fixture
def content():
    return json.loads(json.dumps(CONTENT))


def test_a_notice_has_a_field_for_each_text_in_each_language(content):
    assert [each.name for each in slots(content, "en", "answered", "email")] == [
        "en-email-subject",
        "en-email-paragraphs-1",
        "en-email-paragraphs-2",
    ]
    assert [each.stored for each in slots(content, "fa", "code", "sms")] == ["{{ digits }}"]
    assert slots(content, "fa", "code", "email") == []


def test_what_was_typed_replaces_the_texts_of_one_notice(content):
    put(content, "answered", {"fa-sms-text": "تازه {{ code }}", "en-email-paragraphs-2": "two"})
    assert content["fa"]["answered"]["sms"]["text"] == "تازه {{ code }}"
    assert content["fa"]["answered"]["email"]["paragraphs"] == ["یک", "دو"]
    assert content["en"]["answered"]["email"] == {"number": 2, "subject": "پاسخ", "paragraphs": ["یک", "two"]}
    assert content["fa"]["code"] == CODE


def test_an_unknown_notice_is_not_found(content):
    with pytest.raises(NotFoundError):
        put(content, "unknown", {})


def test_a_fault_is_shown_at_its_field():
    faults = {"content": "x", "en.referred.sms.text": "y", "fa.answered.email.paragraphs.2": "این متن خالی است."}
    error = field_of(faults, "answered")
    assert error is not None
    assert (error.field, error.title) == ("fa-email-paragraphs-2", "این متن خالی است.")
    assert field_of(faults, "withdrawn") is None


def test_differences_name_the_notice_the_channel_and_the_language():
    changes = [
        DocumentChange(path="fa.answered.sms.number", before=2, after=3),
        DocumentChange(path="en.answered.email.paragraphs", before=["a", "b"], after=["c", "b"]),
        DocumentChange(path="fa.later", before=None, after={}),
    ]
    found = readable_texts(changes)
    assert found[0].part == "پاسخ کارشناسان › ایمیل › انگلیسی › بندها"
    assert (found[0].before, found[0].after) == ("a\n\nb", "c\n\nb")
    assert title_of("later") == "later"
