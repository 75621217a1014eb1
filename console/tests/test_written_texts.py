"""Texts that people wrote are shown in their own direction, with each number in one piece."""

from support.console_service import CODE, event

WRITTEN = "شماره تماس: 021-8888 8888 یا +98 912 123 4567.\nPlease call me."


async def test_numbers_are_isolated_wherever_people_s_text_is_shown(console, browse):
    expert = await console.account("expert")
    await console.handle(event("request-submitted", 1, text=WRITTEN))
    await console.experts.ask(expert, CODE, WRITTEN)
    await console.handle(event("request-replied", 5, text=WRITTEN))
    page = await (await browse().sign_in("expert")).open(f"/cases/{CODE}")
    assert page.count('شماره تماس: <bdi dir="ltr">021-8888 8888</bdi> یا <bdi dir="ltr">+98 912 123 4567</bdi>.') == 3
    assert page.count('<p class="written"') == 3


async def test_lines_have_their_own_direction(browse):
    style = await browse().open("/assets/console.css")
    assert "unicode-bidi: plaintext" in style


async def test_the_record_of_actions_has_its_name(console, browse):
    from desk.console.domain.accounts import Role

    await console.account("supervisor", Role.SUPERVISOR)
    page = await (await browse().sign_in("supervisor")).open("/deeds")
    assert "<h1>سابقهٔ کارها</h1>" in page
    assert "کارنامه" not in page
