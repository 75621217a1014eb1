"""What an applicant reads."""

import re
from datetime import datetime, timedelta

import pytest

from desk.iran.jalali import TEHRAN
from desk.iran.provinces import PROVINCES
from desk.notifier.domain import Template, sms_segments
from desk.notifier.events import RequestStatusChanged, RequestSubmitted
from desk.notifier.rendering import Email, Renderer, answer_words, rejection_words, submission_words

LATIN_DIGIT = re.compile("[0-9]")
CODE_ISOLATED = "\u2066۱۲۳۴ ۵۶۷۸ ۹۰۱۲\u2069"


@pytest.fixture
def renderer():
    return Renderer("https://desk.example.ir/")


def submission(submitted, **changes) -> dict[str, object]:
    return submission_words(RequestSubmitted.model_validate(submitted(**changes)))


def answer(status_changed, text, **changes) -> dict[str, object]:
    event = RequestStatusChanged.model_validate(
        status_changed(answer={"text": text, "at": "2026-12-15T09:30:00Z"}, **changes)
    )
    return answer_words(event, event.answer.text, event.answer.at)


def seen(html: str) -> str:
    """The HTML without its tags and the head."""
    return re.sub("<[^>]*>", "", html.partition("</head>")[2])


def test_the_sms_of_a_submission(renderer, submitted):
    assert renderer.sms(Template.SUBMITTED, submission(submitted)) == (
        "میز خدمت سازمان حج و زیارت\n"
        "درخواست شما برای استان اصفهان ثبت شد.\n"
        "کد رهگیری: 123456789012\n"
        "مهلت پاسخ: ۲۹ آذر ۱۴۰۵"
    )


def test_the_sms_of_an_answer_does_not_tell_the_answer(renderer, status_changed):
    text = renderer.sms(Template.ANSWERED, answer(status_changed, "قبض شما صادر شد."))
    assert "123456789012" in text
    assert "قبض" not in text


@pytest.mark.parametrize("province", PROVINCES, ids=lambda province: province.key)
def test_an_sms_fits_two_segments_for_every_province_and_every_due_day(renderer, submitted, province):
    first = datetime(2026, 3, 21, 12, tzinfo=TEHRAN)
    for day in range(0, 366, 9):
        words = submission(
            submitted, province={"name": province.name}, due_at=(first + timedelta(days=day)).isoformat()
        )
        assert sms_segments(renderer.sms(Template.SUBMITTED, words)) <= 2


def test_the_sms_of_an_answer_fits_two_segments(renderer, status_changed):
    assert sms_segments(renderer.sms(Template.ANSWERED, answer(status_changed, "م" * 4000))) <= 2


def test_an_sms_has_no_link_no_name_and_no_isolate(renderer, submitted, status_changed):
    for text in (
        renderer.sms(Template.SUBMITTED, submission(submitted)),
        renderer.sms(Template.ANSWERED, answer(status_changed, "پاسخ")),
    ):
        assert not re.search(r"http|www|\.ir|رضایی|زهرا|[\u2066-\u2069]", text)


def test_the_email_of_a_submission_says_what_to_keep_and_until_when(renderer, submitted):
    email = renderer.email(Template.SUBMITTED, submission(submitted))
    for text in (email.text, seen(email.html)):
        assert "سرکار خانم رضایی‌نژاد" in text
        assert "استان اصفهان" in text
        assert "ودیعه‌گذاری و قبوض حج تمتع" in text
        assert "یکشنبه ۲۲ آذر ۱۴۰۵، ساعت ۱۴:۳۰" in text
        assert "تا یکشنبه ۲۹ آذر ۱۴۰۵" in text
        assert "۱۲۳۴ ۵۶۷۸ ۹۰۱۲" in text


def test_people_see_persian_digits_in_an_email(renderer, submitted, status_changed):
    for email in (
        renderer.email(Template.SUBMITTED, submission(submitted)),
        renderer.email(Template.ANSWERED, answer(status_changed, "پاسخ")),
    ):
        assert not LATIN_DIGIT.search(email.subject + email.text + seen(email.html))


def test_the_code_stands_in_a_left_to_right_isolate(renderer, submitted, status_changed):
    for email in (
        renderer.email(Template.SUBMITTED, submission(submitted)),
        renderer.email(Template.ANSWERED, answer(status_changed, "پاسخ")),
    ):
        assert CODE_ISOLATED in email.text
        assert re.search('<div dir="ltr"[^>]*>۱۲۳۴ ۵۶۷۸ ۹۰۱۲</div>', email.html)
        assert '<html lang="fa" dir="rtl">' in email.html


def test_the_subject_line_is_one_line_with_the_undivided_code(renderer, submitted, status_changed):
    for email in (
        renderer.email(Template.SUBMITTED, submission(submitted)),
        renderer.email(Template.ANSWERED, answer(status_changed, "پاسخ\nدوم")),
    ):
        assert email.subject.endswith("۱۲۳۴۵۶۷۸۹۰۱۲")
        assert email.subject.isprintable()


def test_an_answer_keeps_its_lines(renderer, status_changed):
    email = renderer.email(Template.ANSWERED, answer(status_changed, "سطر یک\r\nسطر دو\n\nسطر سه"))
    assert "سطر یک\nسطر دو\n\nسطر سه" in email.text
    lines = re.findall('<div dir="auto">(.*)</div>', email.html)
    assert lines == ["سطر یک", "سطر دو", "\u00a0", "سطر سه"]


@pytest.mark.parametrize("typed", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}"])
def test_what_people_type_is_never_markup(renderer, submitted, status_changed, typed):
    applicant = {"first_name": typed, "last_name": typed, "gender": "male"}
    nobody = {"first_name": typed, "last_name": typed, "gender": None}
    emails: list[Email] = [
        renderer.email(Template.SUBMITTED, submission(submitted, applicant=applicant)),
        renderer.email(Template.SUBMITTED, submission(submitted, applicant=nobody)),
        renderer.email(Template.ANSWERED, answer(status_changed, typed, applicant=applicant)),
    ]
    for email in emails:
        assert "<script" not in email.html
        assert "<img" not in email.html
        assert "49" not in email.html
        assert typed in email.text


def test_bidi_marks_in_a_name_or_an_answer_cannot_turn_the_text_round(renderer, status_changed):
    applicant = {"first_name": "زهرا", "last_name": "رضا\u202eیی\n\u2067", "gender": "female"}
    email = renderer.email(Template.ANSWERED, answer(status_changed, "پا\u202eسخ", applicant=applicant))
    assert "سرکار خانم رضایی،" in email.text
    assert not re.search("[\u202a-\u202e\u2067\u2068]", email.text + email.html)


def test_a_man_is_greeted_as_one_and_one_of_unknown_gender_by_full_name(renderer, submitted):
    person = {"first_name": "علی", "last_name": "کریمی"}
    man = renderer.email(Template.SUBMITTED, submission(submitted, applicant={**person, "gender": "male"}))
    unknown = renderer.email(Template.SUBMITTED, submission(submitted, applicant=person))
    assert man.text.startswith("جناب آقای کریمی،")
    assert unknown.text.startswith("علی کریمی،")


REASON = "کد ملی و تاریخ تولد در ثبت احوال با هم نمی‌خوانند."


def rejection(status_changed, reason=REASON, **changes) -> dict[str, object]:
    event = RequestStatusChanged.model_validate(status_changed("identity_rejected", note=reason, **changes))
    return rejection_words(event, reason)


@pytest.mark.parametrize("province", PROVINCES, ids=lambda province: province.key)
def test_the_sms_of_a_pending_request_fits_two_segments_for_every_province(renderer, submitted, province):
    text = renderer.sms(Template.PENDING, submission(submitted, province={"name": province.name}))
    assert sms_segments(text) <= 2
    assert "123456789012" in text


def test_the_sms_of_a_rejection_fits_two_segments_and_says_where_to_read_why(renderer, status_changed):
    text = renderer.sms(Template.IDENTITY_REJECTED, rejection(status_changed))
    assert sms_segments(text) <= 2
    assert "123456789012" in text
    assert "پیگیری درخواست" in text
    assert not re.search(r"http|www|\.ir|رضایی|زهرا|[\u2066-\u2069]", text)


def test_the_emails_about_an_identity_say_what_comes_next(renderer, submitted, status_changed):
    pending = renderer.email(Template.PENDING, submission(submitted))
    rejected = renderer.email(Template.IDENTITY_REJECTED, rejection(status_changed))
    for text in (pending.text, seen(pending.html)):
        assert "خودکار بررسی می‌شود" in text
        assert "استان اصفهان" in text
    for text in (rejected.text, seen(rejected.html)):
        assert REASON in text
    for email in (pending, rejected):
        assert CODE_ISOLATED in email.text
        assert email.subject.endswith("۱۲۳۴۵۶۷۸۹۰۱۲")
        assert not LATIN_DIGIT.search(email.subject + email.text + seen(email.html))


def test_a_reason_is_never_markup(renderer, status_changed):
    email = renderer.email(Template.IDENTITY_REJECTED, rejection(status_changed, "<script>alert(1)</script>"))
    assert "<script" not in email.html
