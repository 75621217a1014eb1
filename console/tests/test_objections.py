"""An objection goes to a supervisor, and never to the account that gave the answer."""

import pytest
from support.console_service import CODE, event

from desk.console.domain.accounts import Role
from desk.console.domain.errors import ObjectionForSupervisorError, OwnAnswerError
from desk.console.domain.states import State
from desk.console.service.experts import Referral

OBJECTION_TEXT = "پاسخ به پرسش من نبود."


async def answer_and_object(console, account, *, named=True):
    """Answer the case as an account, and deliver the applicant's objection."""
    await console.handle(event("request-submitted", 1))
    await console.experts.answer(account, CODE, "انجام شد.")
    await console.send_all()
    report_id = console.client.sent[-1].id if named else None
    await console.handle(event("request-objected", 5, text=OBJECTION_TEXT, answer_report_id=report_id))


async def urgent(console, browse, username):
    """Return whether the supervisors' list has the case, and the number on the page of figures."""
    browser = await browse().sign_in(username)
    listed = f'data-tracking-code="{CODE}"' in await browser.open("/cases", params={"list": "urgent"})
    console.experts._figures.clear()
    account = await console.account_of(username)
    return listed, (await console.experts.figures(account)).urgent


@pytest.fixture
async def people(console):
    """Two experts and two supervisors."""
    names = {"first": Role.EXPERT, "second": Role.EXPERT, "supervisor": Role.SUPERVISOR, "deputy": Role.SUPERVISOR}
    return {name: await console.account(name, role) for name, role in names.items()}


async def test_an_objection_is_decided_by_a_supervisor_and_by_no_expert(console, browse, people):
    await answer_and_object(console, people["first"])
    for name, sentence in (("first", "خود شما داده‌اید"), ("second", "رسیدگی به اعتراض با سرپرست است")):
        browser = await browse().sign_in(name)
        page = await browser.open(f"/cases/{CODE}")
        assert sentence in page
        assert 'id="take"' not in page
        for action, fields in (("take", {}), ("answer", {"text": "پاسخ همان است."}), ("reject", {"rejection": "نه."})):
            page = await browser.send(f"/cases/{CODE}/{action}", **fields)
            assert browser.page.status_code == 403, (name, action)
            assert sentence in page
            assert 'id="answering"' not in page
    assert (await console.case()).state is State.OBJECTED

    browser = await browse().sign_in("supervisor")
    assert await urgent(console, browse, "supervisor") == (True, 1)
    await browser.open(f"/cases/{CODE}")
    assert 'id="answering"' in await browser.send(f"/cases/{CODE}/take")
    assert await urgent(console, browse, "supervisor") == (True, 1)
    assert await urgent(console, browse, "deputy") == (True, 1)
    await browser.send(f"/cases/{CODE}/answer", text="روادید شما پنجشنبه صادر می‌شود.")
    assert browser.page.status_code == 200
    assert await urgent(console, browse, "supervisor") == (False, 0)
    assert (await console.send_all())[-2:] == ["case-assigned", "case-answered"]


async def test_an_objection_stays_with_supervisors_while_the_applicant_is_asked(console, browse, people):
    await answer_and_object(console, people["first"])
    await console.experts.ask(people["supervisor"], CODE, "کدام سفر؟")
    assert await urgent(console, browse, "supervisor") == (True, 1)
    with pytest.raises(ObjectionForSupervisorError):
        await console.experts.answer(people["second"], CODE, "انجام شد.")
    await console.handle(event("request-replied", 9, text="سفر بهار."))
    assert await urgent(console, browse, "supervisor") == (True, 1)
    with pytest.raises(OwnAnswerError):
        await console.experts.claim(people["first"], CODE)


async def test_a_supervisor_cannot_decide_an_objection_to_the_own_answer(console, people):
    await answer_and_object(console, people["supervisor"])
    for attempt in (
        console.experts.claim(people["supervisor"], CODE),
        console.experts.answer(people["supervisor"], CODE, "همان است."),
        console.experts.reject(people["supervisor"], CODE, "نه."),
        console.experts.refer(people["supervisor"], CODE, Referral("qom"), "به قم."),
    ):
        with pytest.raises(OwnAnswerError) as refused:
            await attempt
        assert "سرپرست دیگری باید" in refused.value.title
    await console.experts.answer(people["deputy"], CODE, "بررسی شد.")
    assert (await console.case()).state is State.ANSWERED


async def test_the_only_supervisor_of_a_province_is_referred_to_headquarters(console, browse):
    only = await console.account("only", Role.SUPERVISOR)
    await answer_and_object(console, only)
    page = await (await browse().sign_in("only")).open(f"/cases/{CODE}")
    assert "از ستاد بخواهید" in page
    assert 'id="take"' not in page


async def test_an_objection_without_the_id_of_the_report_bars_who_answered_last(console, people):
    await answer_and_object(console, people["first"], named=False)
    assert (await console.case()).answerer == people["first"].id


async def test_who_answered_is_barred_after_a_referral_to_another_subject_too(console, people):
    await answer_and_object(console, people["first"])
    subject = {"subject": {"key": "hajj", "title": "حج"}, "sub_subject": {"key": "hajj_visa", "title": "روادید"}}
    await console.experts.refer(people["supervisor"], CODE, Referral("isfahan"), "موضوع دیگری است.")
    await console.handle(event("request-referred", 8, reason="موضوع دیگری است.", **subject))
    with pytest.raises(OwnAnswerError):
        await console.experts.claim(people["first"], CODE)
    await console.experts.answer(people["second"], CODE, "انجام شد.")


async def test_a_refused_answer_to_an_objection_is_for_supervisors_again(console, people):
    await answer_and_object(console, people["first"])
    await console.experts.answer(people["supervisor"], CODE, "بررسی شد.")
    case = await console.case()
    undone = case.undone(case.last_report, State.OBJECTED, foreign=False)
    assert (case.objection_pending, undone.objection_pending) == (False, True)


async def test_the_history_has_the_order_in_which_things_arrived(console, people):
    await console.handle(event("request-submitted", 1))
    console.now = console.now.replace(microsecond=500_000)
    await console.experts.answer(people["first"], CODE, "انجام شد.")
    at = console.now.replace(microsecond=0).isoformat()
    console.now = console.now.replace(microsecond=700_000)
    await console.handle(event("request-objected", 5, text=OBJECTION_TEXT, at=at))
    history = (await console.experts.view("isfahan", CODE)).history
    assert [entry.kind for entry in history] == ["request-submitted", "case-answered", "request-objected"]


async def test_a_group_answer_leaves_objections_out(console, people):
    await answer_and_object(console, people["first"])
    done, refused = await console.experts.answer_many(people["second"], [CODE], "انجام شد.")
    assert (done, list(refused)) == ([], [CODE])
