"""The texts that applicants read."""

import re
from datetime import datetime

import pytest

from desk.iran.jalali import TEHRAN
from desk.iran.offices import OFFICES
from desk.notifier.domain import (
    CHANNELS,
    CODES,
    PLACES,
    ChannelName,
    Language,
    Place,
    Template,
    faults_of,
    placeholders_of,
    sms_placeholders,
)
from desk.notifier.events import RequestContactChanged, RequestStatusChanged, RequestSubmitted
from desk.notifier.rendering import (
    VALUE_NAMES,
    Renderer,
    contact_values,
    first_texts,
    status_values,
    submission_values,
)
from desk.notifier.rendering.examples import longest, longest_of, typical
from desk.notifier.rendering.files import required

LATIN_DIGIT = re.compile("[0-9]")
CODE_ISOLATED = "\u2066۱۲۳۴ ۵۶۷۸ ۹۰۱۲\u2069"
RENDERER = Renderer("https://desk.example.ir/")
NEW = (Template.SUBMITTED, Template.PENDING)
WITH_TEXT = tuple(template for template in Template if "lines" in VALUE_NAMES[template])
WITH_EMAIL = tuple(template for template in Template if ChannelName.EMAIL in CHANNELS[template])
FA, EN = Language.FA, Language.EN


@pytest.fixture
def values(submitted, status_changed):
    """Return a function that returns the values of a template."""

    def values(template, language=FA, text="پاسخ", **changes):
        if template in NEW:
            return submission_values(RequestSubmitted.model_validate(submitted(**changes)), language)
        if template in CODES:
            return {"digits": "40967"}
        if template is Template.CONTACT_CHANGED:
            data = status_changed(**{"answer": None} | changes) | {"previous_mobile": "+989123456789"}
            data["office"] = changes.get("office") or data["province"]
            return contact_values(RequestContactChanged.model_validate(data), language)
        answer = {"text": text, "at": "2026-12-15T09:30:00Z"} if template is Template.ANSWERED else None
        fields = {"note": text, "answer": answer, "reply_until": "2026-12-24T20:29:59Z"} | changes
        state = Template.INFO_REQUESTED if template is Template.QUESTION_REMINDER else template
        fields["reminder"] = template is Template.QUESTION_REMINDER
        event = RequestStatusChanged.model_validate(status_changed(state, **fields))
        assert event.template is template
        return status_values(event, template, language)

    return values


@pytest.fixture
def email(values):
    return lambda template, language=FA, text="پاسخ", **changes: RENDERER.email(
        template, language, values(template, language, text, **changes)
    )


@pytest.fixture
def sms(values):
    return lambda template, language=FA, **changes: RENDERER.sms(
        template, language, values(template, language, **changes)
    )


def visible(html: str) -> str:
    """Return the HTML without its tags and the head."""
    return re.sub("<[^>]*>", "", html.partition("</head>")[2])


# Every template file


def test_the_files_have_a_text_for_every_place():
    assert {place for place, _ in first_texts().items()} == set(PLACES)
    assert {(each.language, each.template, each.channel) for each in PLACES} == {
        (each, template, channel) for each in Language for template in Template for channel in CHANNELS[template]
    }


def test_every_notice_must_have_a_file():
    numbers = {place: 1 for place in PLACES if place != Place(EN, Template.ANSWERED, ChannelName.SMS)}
    with pytest.raises(ValueError, match="no template for en/answered/sms"):
        required(numbers)


def test_the_newest_file_has_the_text_of_the_first_version():
    text = first_texts().sms(Template.SUBMITTED, FA)
    assert text.number == 3
    assert "{{ office }}" in text.text
    assert "{#" not in text.text


@pytest.mark.parametrize("place", PLACES, ids=lambda each: each.path)
def test_a_text_has_only_placeholders_that_its_notice_has_values_for(place, values):
    known = values(place.template, place.language)
    assert known.keys() == VALUE_NAMES[place.template] == typical(place.template, place.language).keys()
    for words in first_texts().at(place).words:
        assert set(placeholders_of(words)) <= known.keys()


def test_the_first_texts_break_no_rule():
    assert faults_of(first_texts(), first_texts(), longest_of) == []


@pytest.mark.parametrize(
    "place", [each for each in PLACES if each.channel is ChannelName.SMS], ids=lambda each: each.path
)
def test_an_english_sms_has_only_ascii_with_the_longest_values(place):
    text = RENDERER.sms(place.template, place.language, longest(place.template, place.language)).text
    assert text.isascii() is (place.language is EN), "another character would more than halve a part"


@pytest.mark.parametrize(
    "place", [each for each in PLACES if each.channel is ChannelName.SMS], ids=lambda each: each.path
)
def test_no_values_of_an_event_are_longer_than_the_longest(place, values):
    extreme = longest(place.template, place.language)
    for office in OFFICES:
        for month in range(1, 13):
            at = datetime(2027, month, 28, 20, tzinfo=TEHRAN).isoformat()
            where = {"key": office.key, "name": office.name}
            changes = {} if place.template in CODES else {"province": where, "office": where, "due_at": at}
            some = values(place.template, place.language, **changes)
            for name in sms_placeholders(place.template):
                assert len(some[name]) <= len(extreme[name])


@pytest.mark.parametrize("place", PLACES, ids=lambda each: each.path)
def test_every_email_contains_the_address_of_the_desk_and_an_sms_contains_none(place, values):
    known = values(place.template, place.language)
    if place.channel is ChannelName.EMAIL:
        assert "https://desk.example.ir/track" in RENDERER.email(place.template, place.language, known).text
        return
    text = RENDERER.sms(place.template, place.language, known).text
    assert not re.search(r"http|www|\.ir|رضایی|زهرا|ودیعه|پاسخ\n|[\u2066-\u2069]", text)
    assert ("40967" if place.template in CODES else "123456789012") in text


# SMS


def test_the_sms_of_a_submission(sms):
    rendered = sms(Template.SUBMITTED)
    assert rendered.wording == "fa/submitted.sms.v3"
    assert rendered.values == {"code": "123456789012", "office": "استان اصفهان", "due_day_short": "۲۹ آذر ۱۴۰۵"}
    assert rendered.text == (
        "میز خدمت سازمان حج و زیارت\n"
        "درخواست شما برای استان اصفهان ثبت شد.\n"
        "کد پیگیری: 123456789012\n"
        "مهلت پاسخ: ۲۹ آذر ۱۴۰۵"
    )


def test_the_english_sms_of_a_submission_names_the_province_and_the_day_in_english(sms):
    assert sms(Template.SUBMITTED, EN).text == (
        "Hajj and Pilgrimage service desk\n"
        "Your request to Isfahan province is registered.\n"
        "Tracking code: 123456789012\n"
        "Answer due by 20 Dec 2026"
    )


OFFICE_OF_HEADQUARTERS = {"key": "headquarters", "name": "ستاد سازمان حج و زیارت"}


def test_a_request_that_headquarters_handles_is_not_said_to_be_with_the_province(sms, email):
    for template in (Template.SUBMITTED, Template.REFERRED):
        assert "ستاد سازمان حج و زیارت" in sms(template, office=OFFICE_OF_HEADQUARTERS).text
        assert "the headquarters" in sms(template, EN, office=OFFICE_OF_HEADQUARTERS).text
    for template in (Template.ANSWERED, Template.REJECTED, Template.INFO_REQUESTED, Template.WITHDRAWN):
        text = email(template, office=OFFICE_OF_HEADQUARTERS).text
        assert "ستاد سازمان حج و زیارت" in text
        assert "استان" not in text


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("template", WITH_TEXT)
def test_an_sms_does_not_contain_what_a_person_wrote(values, template, language):
    rendered = RENDERER.sms(template, language, values(template, language, "قبض شما صادر شد."))
    assert "قبض" not in rendered.text
    assert "قبض" not in str(rendered.values)


def test_a_provider_that_stores_the_template_gets_only_the_values_of_its_placeholders(sms):
    assert sms(Template.ANSWERED).values == {"code": "123456789012"}


# Emails


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("template", WITH_TEXT)
def test_an_email_contains_what_the_experts_wrote_line_by_line(email, template, language):
    rendered = email(template, language, "سطر یک\r\nسطر دو\n\nسطر سه")
    assert "سطر یک\nسطر دو\n\nسطر سه" in rendered.text
    lines = re.findall('<div dir="auto">(.*)</div>', rendered.html)
    assert lines == ["سطر یک", "سطر دو", "\u00a0", "سطر سه"]


def test_the_email_of_a_submission_contains_the_code_and_the_deadline(email):
    rendered = email(Template.SUBMITTED)
    for text in (rendered.text, visible(rendered.html)):
        assert "سرکار خانم رضایی‌نژاد" in text
        assert "استان اصفهان" in text
        assert "ودیعه‌گذاری و قبوض حج تمتع" in text
        assert "یکشنبه ۲۲ آذر ۱۴۰۵، ساعت ۱۴:۳۰" in text
        assert "تا یکشنبه ۲۹ آذر ۱۴۰۵" in text
        assert "۱۲۳۴ ۵۶۷۸ ۹۰۱۲" in text


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("template", WITH_EMAIL)
def test_the_plain_text_of_an_email_has_one_blank_line_between_its_paragraphs(email, template, language):
    assert "\n\n" in email(template, language).text
    assert "\n\n\n" not in email(template, language).text
    assert not re.search("[ \t]\n", email(template, language).text)


def test_the_english_email_of_a_submission(email):
    rendered = email(Template.SUBMITTED, EN)
    assert rendered.subject == "Your request is registered, tracking code 123456789012"
    for text in (rendered.text, visible(rendered.html)):
        assert "Dear زهرا رضایی‌نژاد," in text
        assert "Isfahan province" in text
        assert "Sunday 13 Dec 2026, 14:30 Tehran time" in text
        assert "Sunday 20 Dec 2026" in text
    assert '<html lang="en" dir="ltr">' in rendered.html


def test_a_question_says_where_to_reply(email):
    rendered = email(Template.INFO_REQUESTED, text="شمارهٔ قبض چیست؟")
    for text in (rendered.text, visible(rendered.html)):
        assert "شمارهٔ قبض چیست؟" in text
        assert "«پیگیری درخواست»" in text
        assert "به همین ایمیل نفرستید" in text


def test_a_referral_names_the_new_province_and_the_new_day(email):
    rendered = email(Template.REFERRED, province={"key": "qom", "name": "قم"}, due_at="2026-12-27T20:00:00Z")
    for text in (rendered.text, visible(rendered.html)):
        assert "استان قم" in text
        assert "تا یکشنبه ۶ دی ۱۴۰۵" in text


@pytest.mark.parametrize("template", WITH_EMAIL)
def test_the_button_of_an_email_opens_the_tracking_page(email, template):
    assert 'href="https://desk.example.ir/track"' in email(template).html
    assert "https://desk.example.ir/track" in email(template).text


@pytest.mark.parametrize("template", WITH_EMAIL)
def test_a_notice_has_the_words_of_the_specification(email, sms, template):
    for text in (email(template).subject, email(template).text, email(template).html, sms(template).text):
        assert "رهگیری" not in text


def test_numbers_are_isolated_and_each_line_has_its_own_direction(email, submitted):
    written = "شماره تماس: 021-8888 8888 یا +98 912 123 4567.\nPlease call me."
    submission = RequestSubmitted.model_validate(submitted(text=written))
    of_request = RENDERER.email(Template.SUBMITTED, FA, submission_values(submission, FA))
    for rendered in (email(Template.ANSWERED, text=written), of_request):
        assert '<div dir="auto">شماره تماس: <bdi dir="ltr">021-8888 8888</bdi> یا ' in rendered.html
        assert '<div dir="auto">Please call me.</div>' in rendered.html
        assert "شماره تماس: \u2066021-8888 8888\u2069 یا \u2066+98 912 123 4567\u2069.\n" in rendered.text


@pytest.mark.parametrize("template", WITH_EMAIL)
def test_people_see_persian_digits_in_an_email(email, template):
    rendered = email(template)
    assert not LATIN_DIGIT.search(rendered.subject + rendered.text + visible(rendered.html))


@pytest.mark.parametrize("template", WITH_EMAIL)
def test_the_code_stands_in_a_left_to_right_isolate(email, template):
    rendered = email(template)
    assert CODE_ISOLATED in rendered.text
    assert re.search('<div dir="ltr"[^>]*>۱۲۳۴ ۵۶۷۸ ۹۰۱۲</div>', rendered.html)
    assert '<html lang="fa" dir="rtl">' in rendered.html


@pytest.mark.parametrize("template", WITH_EMAIL)
def test_the_subject_line_is_one_line_with_the_undivided_code(email, template):
    rendered = email(template, text="پاسخ\nدوم")
    assert rendered.subject.endswith("۱۲۳۴۵۶۷۸۹۰۱۲")
    assert rendered.subject.isprintable()
    assert rendered.subject not in rendered.text


@pytest.mark.parametrize("gender", ["male", None])
@pytest.mark.parametrize("typed", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}"])
@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("template", WITH_EMAIL)
def test_what_people_type_is_never_markup(email, template, language, typed, gender):
    applicant = {"first_name": typed, "last_name": typed, "gender": gender}
    rendered = email(template, language, typed, applicant=applicant)
    assert "<script" not in rendered.html
    assert "<img" not in rendered.html
    assert "49" not in rendered.html
    assert typed in rendered.text


def test_bidi_controls_in_a_name_or_an_answer_are_removed(email):
    applicant = {"first_name": "زهرا", "last_name": "رضا\u202eیی\n\u2067", "gender": "female"}
    rendered = email(Template.ANSWERED, text="پا\u202eسخ", applicant=applicant)
    assert "سرکار خانم رضایی،" in rendered.text
    assert not re.search("[\u202a-\u202e\u2067\u2068]", rendered.text + rendered.html)


def test_a_man_is_addressed_as_such_and_an_applicant_of_unknown_gender_by_full_name(email):
    person = {"first_name": "علی", "last_name": "کریمی"}
    man = email(Template.SUBMITTED, applicant={**person, "gender": "male"})
    unknown = email(Template.SUBMITTED, applicant=person)
    assert man.text.startswith("جناب آقای کریمی،")
    assert unknown.text.startswith("علی کریمی،")


def test_the_emails_about_an_identity_say_what_comes_next(email):
    reason = "کد ملی و تاریخ تولد در ثبت احوال با هم نمی‌خوانند."
    pending, rejected = email(Template.PENDING), email(Template.IDENTITY_REJECTED, text=reason)
    for text in (pending.text, visible(pending.html)):
        assert "خودکار بررسی می‌شود" in text
        assert "استان اصفهان" in text
    for text in (rejected.text, visible(rejected.html)):
        assert reason in text
