"""What a text of SMS or email may not have: it is refused with its place and a sentence."""

import pytest
from support.text_editor import email, sms

TOO_MUCH = [
    "{{ code.__class__ }}",
    "{% for each in files %}{{ code }}{% endfor %}",
    "{{ code }} {# x #}",
    "{{ code }} {{ ''.__class__.__mro__ }}",
    "{{ code | upper }}",
    "{{ code }} {0}",
    "{{ code }} }}",
    "{{ code }} {{ name }}",
    "{{ code }} {{ subject }}",
    "{{ code }} {{ lines }}",
    "{{ code }} {{ frame }}",
    "{{{ code }}}",
]


@pytest.mark.parametrize("text", TOO_MUCH)
async def test_an_sms_with_anything_but_words_and_its_placeholders_is_refused(refusals, text):
    found = await refusals(sms(text))
    assert found["fa.answered.sms.text"]["code"] in {"placeholder_unknown", "braces"}
    assert "{{ code }}" in found["fa.answered.sms.text"]["message"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("پاسخ داده شد.", "code_missing"),
        ("کد: {{ code }} https://example.com", "link_in_sms"),
        ("کد: {{ code }} در haj.ir", "link_in_sms"),
        ("کد: {{ code }} در www.haj", "link_in_sms"),
        ("نشانی: {{ code }}.ir", "link_in_sms"),
        ("کد پیگیری: ۷{{ code }}", "code_joined"),
        ("کد پیگیری: {{ code }}۷", "code_joined"),
        ("کد پیگیری: {{ code }}{{ at }}", "code_joined"),
        ("کد پیگیری: {{code}}{{code}}", "code_joined"),
        ("{{ code }}", "text_empty"),
        (" \u200c ", "text_empty"),
        ("{{ code }} " + "متن " * 40, "sms_too_long"),
    ],
)
async def test_an_sms_that_operators_or_applicants_would_not_accept_is_refused(refusals, text, code):
    found = await refusals(sms(text))
    assert {each["code"] for each in found.values()} == {code}


async def test_the_longest_values_decide_how_long_an_sms_may_be(refusals, drafted):
    typical = "درخواست شما برای {{ office }} ثبت شد. مهلت: {{ due_day_short }} کد پیگیری: {{ code }} " + "متن " * 15
    found = await refusals(sms(typical, "submitted"))
    assert found["fa.submitted.sms.text"]["code"] == "sms_too_long"
    assert "۳" in found["fa.submitted.sms.text"]["message"]
    await drafted(sms(typical[:-36], "submitted"))


async def test_a_code_has_a_single_part(refusals):
    found = await refusals(sms("کد تأیید: {{ digits }} " + "متن " * 16, "code"))
    assert found["fa.code.sms.text"]["code"] == "sms_too_long"


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"subject": "{{ name }}"}, "fa.answered.email.subject"),
        ({"subject": "یک\nBcc: x@example.com"}, "fa.answered.email.subject"),
        ({"subject": ""}, "fa.answered.email.subject"),
        ({"paragraphs": ["یک {{ lines }}", "دو"]}, "fa.answered.email.paragraphs.1"),
        ({"paragraphs": ["یک", "{{ self._TemplateReference__context }}"]}, "fa.answered.email.paragraphs.2"),
        ({"paragraphs": ["یک"]}, "fa.answered.email.paragraphs"),
    ],
)
async def test_an_email_that_breaks_a_rule_is_refused_with_its_place(refusals, changes, place):
    assert place in await refusals(email(**changes))


async def test_a_document_that_cannot_be_read_is_refused(refusals):
    def change(content):
        del content["fa"]["answered"]

    assert (await refusals(change))["content"]["code"] == "texts_unreadable"
    assert "fa.answered.sms.more" in await refusals(lambda content: content["fa"]["answered"]["sms"].update(more=1))
