"""Own sessions: what is shown of them, and who can end them. Cookies and headers of the sign-in."""

import re
from html import unescape

import pytest
from support.console_service import PASSWORD

from desk.console.domain.accounts import Role
from desk.console.domain.callers import Caller

FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36"


@pytest.fixture
async def expert(console, browse):
    await console.account("expert")
    browser = browse()
    browser.client.headers.update(FIREFOX)
    return await browser.sign_in("expert")


async def elsewhere(console, username="expert"):
    """Sign in from a phone in another network; return the session's token."""
    return await console.sign_in.check_password(username, PASSWORD, Caller("198.51.100.77", PHONE))


async def test_the_page_lists_own_sessions_with_browser_network_and_this_one_marked(console, expert):
    await elsewhere(console)
    page = await expert.open("/sessions")
    assert "Firefox" in page
    assert "Chrome" in page
    assert "۱۹۸.۵۱.۱۰۰.۰/۲۴" in page
    assert "۱۹۸.۵۱.۱۰۰.۷۷" not in page
    assert page.count("همین نشست") == 1
    assert "ورود ناتمام" in page, "the phone has not enrolled a device"


async def test_another_session_of_the_account_can_be_ended(console, expert):
    token = await elsewhere(console)
    page = await expert.open("/sessions")
    [action] = re.findall(r'action="(/sessions/[0-9a-f]{64}/end)"', page)
    assert "پایان یافت" in await expert.send(action)
    assert await console.sign_in.find_session(token) is None
    assert "همین نشست" in await expert.open("/sessions")


async def test_all_other_sessions_can_be_ended_and_this_one_stays(console, expert):
    tokens = [await elsewhere(console) for _ in range(3)]
    await expert.open("/sessions")
    page = await expert.send("/sessions/others/end")
    assert [await console.sign_in.find_session(token) for token in tokens] == [None] * 3
    assert page.count('<li class="case">') == 1


async def test_the_session_of_another_account_cannot_be_ended(console, expert):
    await console.account("colleague")
    token = await elsewhere(console, "colleague")
    session = await console.sign_in.find_session(token)
    await expert.open("/sessions")
    await expert.send(f"/sessions/{session.id}/end")
    assert expert.page.status_code == 404
    assert await console.sign_in.find_session(token) is not None


async def test_a_supervisor_ends_all_sessions_of_an_account_of_the_province(console, browse):
    await console.account("supervisor", Role.SUPERVISOR)
    expert = await console.account("expert")
    tokens = [await elsewhere(console) for _ in range(2)]
    browser = await browse().sign_in("supervisor")
    await browser.open("/accounts")
    assert "همهٔ نشست‌های این حساب پایان یافت" in await browser.send(f"/accounts/{expert.id}/end-sessions")
    assert [await console.sign_in.find_session(token) for token in tokens] == [None, None]
    page = await browser.open("/deeds")
    assert "پایان دادن به نشست‌های حساب" in page


async def test_a_supervisor_cannot_end_the_sessions_of_another_province(console, browse):
    await console.account("supervisor", Role.SUPERVISOR)
    stranger = await console.account("stranger", province="qom")
    token = await elsewhere(console, "stranger")
    browser = await browse().sign_in("supervisor")
    await browser.open("/accounts")
    await browser.send(f"/accounts/{stranger.id}/end-sessions")
    assert browser.page.status_code == 404
    assert await console.sign_in.find_session(token) is not None


async def test_the_end_of_own_sessions_is_in_the_audit_log(console, browse):
    await console.account("supervisor", Role.SUPERVISOR)
    browser = await browse().sign_in("supervisor")
    await browser.open("/sessions")
    await browser.send("/sessions/others/end")
    assert "پایان دادن به نشست‌های دیگر خود" in await browser.open("/deeds")


async def test_with_tls_cookies_have_the_host_prefix_and_browsers_are_told_to_stay_with_tls(console, browse):
    await console.account("expert")
    browser = await browse().sign_in("expert")
    assert set(browser.client.cookies) == {"__Host-desk_console", "__Host-desk_console_form"}
    assert browser.page.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"


async def test_without_tls_cookies_have_plain_names_and_there_is_no_hsts(console, browse):
    await console.account("expert")
    browser = await browse(secure_cookies=False).sign_in("expert")
    assert browser.page.url.path == "/cases"
    assert set(browser.client.cookies) == {"desk_console", "desk_console_form"}
    assert "strict-transport-security" not in browser.page.headers


async def test_after_five_wrong_passwords_the_page_has_the_next_proof_of_work(console, browse):
    await console.account("expert")
    browser = browse()
    await browser.open("/sign-in")
    for _ in range(4):
        await browser.send("/sign-in", username="expert", password="wrong")
        assert "proof_token" not in browser.page.text
    page = await browser.send("/sign-in", username="expert", password="wrong")
    assert "نام کاربری یا گذرواژه درست نیست" in page
    assert '"most":' in unescape(re.search(r'data-work="([^"]+)"', browser.page.text)[1])
    assert "<noscript>" in page
    assert "/assets/proof.js" in page
    page = await browser.send("/sign-in", username="expert", password=PASSWORD)
    assert browser.page.status_code == 429
    assert "دوباره بنویسید" in page
    assert PASSWORD not in page
