"""Internal notes, assignments to colleagues, and the other requests of a person."""

import pytest
from support.console_service import CODE, OTHER_CODE, erasure, event

from desk.console.domain.accounts import Role
from desk.console.domain.errors import CaseErasedError, CaseNotHereError, FieldError

NOTE = "تلفنی هم پرسیده است."
APPLICANT = {"birth_date": "1361-12-05", "first_name": "نرگس", "last_name": "باران‌دشت", "gender": "female"}


@pytest.fixture
async def people(console):
    """Two experts and a supervisor of Isfahan, and an expert of Qom."""
    await console.handle(event("request-submitted", 1))
    names = {"first": Role.EXPERT, "second": Role.EXPERT, "boss": Role.SUPERVISOR}
    found = {name: await console.account(name, role) for name, role in names.items()}
    return found | {"other": await console.account("other", province="qom")}


async def test_a_note_is_in_the_history_and_is_never_sent(console, browse, people):
    browser = await browse().sign_in("first")
    await browser.open(f"/cases/{CODE}")
    page = await browser.send(f"/cases/{CODE}/note", note=NOTE)
    assert NOTE in page
    assert "یادداشت داخلی؛ متقاضی آن را نمی‌بیند" in page
    await console.send_all()
    assert NOTE not in str([report.data for report in console.client.sent])


async def test_a_decided_case_can_get_a_note_as_well(console, people):
    await console.experts.answer(people["first"], CODE, "انجام شد.")
    await console.colleagues.add_note(people["second"], CODE, NOTE)
    view = await console.experts.view("isfahan", CODE)
    assert [(each.account, each.text) for each in view.history if each.kind == "note"] == [(people["second"].id, NOTE)]


async def test_an_empty_note_is_shown_at_its_field(console, browse, people):
    browser = await browse().sign_in("first")
    await browser.open(f"/cases/{CODE}")
    page = await browser.send(f"/cases/{CODE}/note", note=" ")
    assert browser.page.status_code == 422
    assert 'id="note_error"' in page


async def test_another_office_neither_notes_nor_assigns(console, people):
    with pytest.raises(CaseNotHereError):
        await console.colleagues.add_note(people["other"], CODE, NOTE)
    with pytest.raises(CaseNotHereError):
        await console.colleagues.assign(people["other"], CODE, people["other"].id)
    with pytest.raises(FieldError):
        await console.colleagues.assign(people["first"], CODE, people["other"].id)


async def test_an_assigned_case_is_in_the_list_of_the_colleague_until_it_is_decided(console, browse, people):
    browser = await browse().sign_in("first")
    await browser.open(f"/cases/{CODE}")
    page = await browser.send(f"/cases/{CODE}/assign", colleague=people["second"].id)
    assert 'id="assignee"' in page
    mine = {"list": "mine"}
    second = await browse().sign_in("second")
    assert f'data-tracking-code="{CODE}"' in await second.open("/cases", params=mine)
    assert f'data-tracking-code="{CODE}"' not in await browser.open("/cases", params=mine)
    await console.experts.answer(people["first"], CODE, "انجام شد.")
    assert f'data-tracking-code="{CODE}"' not in await second.open("/cases", params=mine)


async def test_a_deactivated_colleague_gets_no_case(console, people):
    await console.supervision.set_active(people["boss"], people["second"].id, active=False)
    with pytest.raises(FieldError):
        await console.colleagues.assign(people["first"], CODE, people["second"].id)


async def test_an_objection_is_assigned_to_a_supervisor_who_did_not_answer(console, people):
    await console.colleagues.assign(people["first"], CODE, people["first"].id)
    await console.experts.answer(people["first"], CODE, "انجام شد.")
    await console.handle(event("request-objected", 5, text="درست نیست."))
    assert (await console.case()).assignee is None
    for name in ("first", "second"):
        with pytest.raises(FieldError):
            await console.colleagues.assign(people["boss"], CODE, people[name].id)
    await console.colleagues.assign(people["boss"], CODE, people["boss"].id)
    assert (await console.case()).assignee == people["boss"].id


@pytest.mark.parametrize(
    ("changed", "duplicate"),
    [
        ({}, True),
        ({"text": "روادید من هنوز صادر نشده است. لطفا"}, True),
        ({"text": "هزینهٔ سفر چقدر است و چگونه پرداخت می‌شود؟"}, False),
        ({"sub_subject": {"key": "umrah_costs", "title": "هزینه‌ها"}}, False),
    ],
)
async def test_other_requests_of_the_person_are_listed_and_duplicates_are_marked(
    console, browse, people, changed, duplicate
):
    await console.handle(event("request-submitted", 1, OTHER_CODE, **changed))
    browser = await browse().sign_in("first")
    page = await browser.open(f"/cases/{CODE}")
    related = page.partition('id="related"')[2].partition("</section>")[0]
    assert f"/cases/{OTHER_CODE}" in related
    assert ("شاید تکراری" in related) is duplicate


async def test_requests_of_others_and_of_other_offices_are_not_listed(console, browse, people):
    stranger = event("request-submitted", 1, OTHER_CODE, applicant=APPLICANT | {"national_id": "0013542419"})
    await console.handle(stranger)
    await console.handle(event("request-submitted", 1, "345678901235"), province="qom")
    browser = await browse().sign_in("first")
    assert 'id="related"' not in await browser.open(f"/cases/{CODE}")


async def test_an_erased_case_keeps_no_note(console, people):
    await console.colleagues.add_note(people["first"], CODE, NOTE)
    await console.handle(erasure(9))
    with pytest.raises(CaseErasedError):
        await console.colleagues.add_note(people["first"], CODE, NOTE)


async def test_a_note_and_an_assignment_keep_what_is_written_in_the_other_boxes(console, browse, people):
    browser = await browse().sign_in("first")
    await browser.open(f"/cases/{CODE}")
    await browser.send(f"/cases/{CODE}/take")
    page = await browser.send(f"/cases/{CODE}/note", note=NOTE, text="پاسخ نیمه‌تمام")
    assert "پاسخ نیمه‌تمام" in page
    page = await browser.send(
        f"/cases/{CODE}/assign", colleague=people["second"].id, text="پاسخ نیمه‌تمام", note="باز هم"
    )
    assert "پاسخ نیمه‌تمام" in page
    assert "باز هم" in page
