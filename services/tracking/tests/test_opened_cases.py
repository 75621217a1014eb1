"""The applicant sees when an expert opened the case; its state does not change."""


async def test_the_history_says_that_an_expert_opened_the_case(tracking):
    code = await tracking.submit()
    await tracking.report("case-received", code, seq=1)
    await tracking.report("case-opened", code, seq=2)

    view = (await tracking.look_up(code)).json()

    last = view["history"][-1]
    assert (view["state"], last["state"], last["action"]) == ("received", "received", "opened")
    assert last["title"] == "کارشناس پروندهٔ شما را باز کرد"


async def test_an_opened_case_publishes_nothing(tracking):
    code = await tracking.submit()
    await tracking.report("case-received", code, seq=1)
    before = len(await tracking.published())
    await tracking.report("case-opened", code, seq=2)

    assert len(await tracking.published()) == before


async def test_a_late_report_of_an_opened_case_does_not_hide_the_answer_from_objections(tracking):
    code = await tracking.submit()
    await tracking.report("case-answered", code, seq=2)
    await tracking.report("case-opened", code, seq=1)
    await tracking.report("case-opened", code, seq=3)

    view = (await tracking.look_up(code)).json()

    assert view["answer"] is not None
    assert "object" in view["actions"]
    assert [each["action"] for each in view["history"]].count("opened") == 2


async def test_another_office_cannot_say_that_it_opened_the_case(tracking):
    code = await tracking.submit()
    await tracking.report("case-received", code, seq=1)
    await tracking.report("case-opened", code, seq=2, province="qom")

    assert [each[3] for each in await tracking.refusals(code)] == ["foreign_case"]
    assert len(await tracking.history(code)) == 2


async def test_offices_that_receive_a_referral_do_not_see_who_opened_the_case(tracking):
    code = await tracking.submit()
    await tracking.report("case-opened", code, seq=1)
    await tracking.report("case-referred", code, seq=2)

    [event] = await tracking.published("request-referred")
    assert len(event["data"]["history"]) == 1
