"""What an applicant reads."""

import re
from datetime import datetime, timedelta

import pytest

from desk.iran.jalali import TEHRAN
from desk.iran.provinces import PROVINCES
from desk.notifier.domain import MOST_PARTS, ChannelName, Language, Template, sms_parts
from desk.notifier.events import RequestStatusChanged, RequestSubmitted
from desk.notifier.rendering import Renderer
from desk.notifier.words import WORDS, status_words, submission_words

LATIN_DIGIT = re.compile("[0-9]")
CODE_ISOLATED = "\u2066۱۲۳۴ ۵۶۷۸ ۹۰۱۲\u2069"
RENDERER = Renderer("https://desk.example.ir/")
WORDINGS = sorted(RENDERER.wordings(), key=lambda each: each.name)
NEW = (Template.SUBMITTED, Template.PENDING)
SAYING = tuple(template for template in Template if "lines" in WORDS[template])
FA, EN = Language.FA, Language.EN


@pytest.fixture
def words(submitted, status_changed):
    """Give what fills a template."""

    def give(template, language=FA, said="پاسخ", **changes):
        if template in NEW:
            return submission_words(RequestSubmitted.model_validate(submitted(**changes)), language)
        answer = {"text": said, "at": "2026-12-15T09:30:00Z"} if template is Template.ANSWERED else None
        told = {"note": said, "answer": answer} | changes
        event = RequestStatusChanged.model_validate(status_changed(template, **told))
        return status_words(event, template, language)

    return give


@pytest.fixture
def email(words):
    return lambda template, language=FA, said="پاسخ", **changes: RENDERER.email(
        template, language, words(template, language, said, **changes)
    )


@pytest.fixture
def sms(words):
    return lambda template, language=FA, **changes: RENDERER.sms(
        template, language, words(template, language, **changes)
    )


def seen(html: str) -> str:
    """The HTML without its tags and the head."""
    return re.sub("<[^>]*>", "", html.partition("</head>")[2])


def longest(give):
    """Return the longest of what a word can be, in the parts that it takes of an SMS."""
    return max(give, key=lambda text: len(text.encode("utf-16-be")))


# Every file of words


def test_every_notice_has_words_in_every_language_for_every_channel():
    there = {(each.language, each.template, each.channel) for each in WORDINGS}
    assert there == {(each, template, channel) for each in Language for template in Template for channel in ChannelName}


def test_a_notice_without_words_does_not_start(monkeypatch):
    left = [each for each in WORDINGS if each.name != "en/answered.sms.v1"]
    monkeypatch.setattr(Renderer, "wordings", lambda _: iter(left))
    with pytest.raises(ValueError, match="no words for en/answered/sms"):
        Renderer("https://desk.example.ir/")


def test_the_highest_version_is_sent(monkeypatch, words):
    second = next(each for each in WORDINGS if each.name == "fa/answered.sms.v1")
    tenth = type(second)(second.language, second.template, second.channel, 10)
    monkeypatch.setattr(Renderer, "wordings", lambda _: iter([tenth, *WORDINGS]))
    monkeypatch.setattr(Renderer, "placeholders", lambda *_: {"code"})
    monkeypatch.setattr(Renderer, "fill", lambda _, wording, __: wording.name)
    assert Renderer("").sms(Template.ANSWERED, FA, words(Template.ANSWERED)).wording == "fa/answered.sms.v10"


@pytest.mark.parametrize("wording", WORDINGS, ids=lambda each: each.name)
def test_it_wants_only_words_there_are_for_its_notice(wording, words):
    known = words(wording.template, wording.language)
    assert known.keys() == WORDS[wording.template]
    assert RENDERER.placeholders(wording) <= known.keys()


@pytest.mark.parametrize(
    "wording", [each for each in WORDINGS if each.channel is ChannelName.SMS], ids=lambda each: each.name
)
def test_an_sms_has_few_parts_with_the_longest_of_everything(wording, words):
    first = datetime(2026, 3, 21, 12, tzinfo=TEHRAN)
    days = [first + timedelta(days=day) for day in range(1500)]
    filled = [
        words(wording.template, wording.language, province={"key": each.key, "name": each.name}) for each in PROVINCES
    ]
    filled += [words(wording.template, wording.language, due_at=each.isoformat()) for each in days]
    extreme = {name: longest([str(each[name]) for each in filled]) for name in RENDERER.placeholders(wording)}
    text = RENDERER.fill(wording, filled[0] | extreme)
    assert sms_parts(text) <= MOST_PARTS
    assert text.isascii() is (wording.language is EN), "one other character would more than halve what fits"


@pytest.mark.parametrize("wording", WORDINGS, ids=lambda each: each.name)
def test_the_address_of_the_desk_is_in_every_email_and_no_address_in_an_sms(wording, words):
    text = RENDERER.fill(wording, words(wording.template, wording.language))
    if wording.channel is ChannelName.EMAIL:
        assert "https://desk.example.ir/" in text
        return
    assert not re.search(r"http|www|\.ir|رضایی|زهرا|ودیعه|پاسخ\n|[\u2066-\u2069]", text)
    assert "123456789012" in text


# SMS


def test_the_sms_of_a_submission(sms):
    told = sms(Template.SUBMITTED)
    assert told.wording == "fa/submitted.sms.v1"
    assert told.values == {"code": "123456789012", "province": "اصفهان", "due_day_short": "۲۹ آذر ۱۴۰۵"}
    assert told.text == (
        "میز خدمت سازمان حج و زیارت\n"
        "درخواست شما برای استان اصفهان ثبت شد.\n"
        "کد رهگیری: 123456789012\n"
        "مهلت پاسخ: ۲۹ آذر ۱۴۰۵"
    )


def test_the_english_sms_of_a_submission_names_the_province_and_the_day_in_english(sms):
    assert sms(Template.SUBMITTED, EN).text == (
        "Hajj and Pilgrimage service desk\n"
        "Your request to Isfahan province is registered.\n"
        "Tracking code: 123456789012\n"
        "Answer due by 20 Dec 2026"
    )


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("template", SAYING)
def test_an_sms_does_not_tell_what_somebody_wrote(words, template, language):
    told = RENDERER.sms(template, language, words(template, language, "قبض شما صادر شد."))
    assert "قبض" not in told.text
    assert "قبض" not in str(told.values)


def test_a_provider_that_keeps_our_words_is_given_what_they_want_and_nothing_else(sms):
    assert sms(Template.ANSWERED).values == {"code": "123456789012"}


# Emails


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("template", SAYING)
def test_an_email_tells_what_the_experts_wrote_line_by_line(email, template, language):
    told = email(template, language, "سطر یک\r\nسطر دو\n\nسطر سه")
    assert "سطر یک\nسطر دو\n\nسطر سه" in told.text
    lines = re.findall('<div dir="auto">(.*)</div>', told.html)
    assert lines == ["سطر یک", "سطر دو", "\u00a0", "سطر سه"]


def test_the_email_of_a_submission_says_what_to_keep_and_until_when(email):
    told = email(Template.SUBMITTED)
    for text in (told.text, seen(told.html)):
        assert "سرکار خانم رضایی‌نژاد" in text
        assert "استان اصفهان" in text
        assert "ودیعه‌گذاری و قبوض حج تمتع" in text
        assert "یکشنبه ۲۲ آذر ۱۴۰۵، ساعت ۱۴:۳۰" in text
        assert "تا یکشنبه ۲۹ آذر ۱۴۰۵" in text
        assert "۱۲۳۴ ۵۶۷۸ ۹۰۱۲" in text


def test_the_plain_text_of_an_email_has_one_blank_line_between_its_paragraphs(email):
    for template in Template:
        for language in Language:
            assert "\n\n\n" not in email(template, language).text
            assert not re.search("[ \t]\n", email(template, language).text)


def test_the_english_email_of_a_submission(email):
    told = email(Template.SUBMITTED, EN)
    assert told.subject == "Your request is registered, tracking code 123456789012"
    for text in (told.text, seen(told.html)):
        assert "Dear زهرا رضایی‌نژاد," in text
        assert "Isfahan province" in text
        assert "Sunday 13 Dec 2026, 14:30 Tehran time" in text
        assert "Sunday 20 Dec 2026" in text
    assert '<html lang="en" dir="ltr">' in told.html


def test_whoever_is_asked_is_told_where_to_reply(email):
    told = email(Template.INFO_REQUESTED, said="شمارهٔ قبض چیست؟")
    for text in (told.text, seen(told.html)):
        assert "شمارهٔ قبض چیست؟" in text
        assert "«پیگیری درخواست»" in text
        assert "به همین ایمیل نفرستید" in text


def test_a_referral_names_the_new_province_and_the_new_day(email):
    told = email(Template.REFERRED, province={"key": "qom", "name": "قم"}, due_at="2026-12-27T20:00:00Z")
    for text in (told.text, seen(told.html)):
        assert "استان قم" in text
        assert "تا یکشنبه ۶ دی ۱۴۰۵" in text


@pytest.mark.parametrize("template", Template)
def test_people_see_persian_digits_in_an_email(email, template):
    told = email(template)
    assert not LATIN_DIGIT.search(told.subject + told.text + seen(told.html))


@pytest.mark.parametrize("template", Template)
def test_the_code_stands_in_a_left_to_right_isolate(email, template):
    told = email(template)
    assert CODE_ISOLATED in told.text
    assert re.search('<div dir="ltr"[^>]*>۱۲۳۴ ۵۶۷۸ ۹۰۱۲</div>', told.html)
    assert '<html lang="fa" dir="rtl">' in told.html


@pytest.mark.parametrize("template", Template)
def test_the_subject_line_is_one_line_with_the_undivided_code(email, template):
    told = email(template, said="پاسخ\nدوم")
    assert told.subject.endswith("۱۲۳۴۵۶۷۸۹۰۱۲")
    assert told.subject.isprintable()
    assert told.subject not in told.text


@pytest.mark.parametrize("typed", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}"])
@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("template", Template)
def test_what_people_type_is_never_markup(email, template, language, typed):
    for gender in ("male", None):
        applicant = {"first_name": typed, "last_name": typed, "gender": gender}
        told = email(template, language, typed, applicant=applicant)
        assert "<script" not in told.html
        assert "<img" not in told.html
        assert "49" not in told.html
        assert typed in told.text


def test_bidi_marks_in_a_name_or_an_answer_cannot_turn_the_text_round(email):
    applicant = {"first_name": "زهرا", "last_name": "رضا\u202eیی\n\u2067", "gender": "female"}
    told = email(Template.ANSWERED, said="پا\u202eسخ", applicant=applicant)
    assert "سرکار خانم رضایی،" in told.text
    assert not re.search("[\u202a-\u202e\u2067\u2068]", told.text + told.html)


def test_a_man_is_greeted_as_one_and_one_of_unknown_gender_by_full_name(email):
    person = {"first_name": "علی", "last_name": "کریمی"}
    man = email(Template.SUBMITTED, applicant={**person, "gender": "male"})
    unknown = email(Template.SUBMITTED, applicant=person)
    assert man.text.startswith("جناب آقای کریمی،")
    assert unknown.text.startswith("علی کریمی،")


def test_the_emails_about_an_identity_say_what_comes_next(email):
    reason = "کد ملی و تاریخ تولد در ثبت احوال با هم نمی‌خوانند."
    pending, rejected = email(Template.PENDING), email(Template.IDENTITY_REJECTED, said=reason)
    for text in (pending.text, seen(pending.html)):
        assert "خودکار بررسی می‌شود" in text
        assert "استان اصفهان" in text
    for text in (rejected.text, seen(rejected.html)):
        assert reason in text
