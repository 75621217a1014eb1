"""The pages over HTTP: protection of forms, permissions, search, health and metrics."""

from datetime import timedelta

import httpx
import pytest
from pydantic import ValidationError
from support.console_service import CODE, OTHER_CODE, erasure, event

from desk.console.app import create_app
from desk.console.domain.accounts import Role
from desk.console.middleware import BODY_MAX

TOKEN = "a token of the operators"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def expert(console, browse):
    await console.account("expert")
    return await browse().sign_in("expert")


async def test_every_page_requires_a_sign_in(browse):
    browser = browse()
    shown = {}
    for path in (
        "/",
        "/cases",
        f"/cases/{CODE}",
        "/dashboard",
        "/accounts",
        "/templates",
        "/deeds",
        "/password",
        "/sessions",
    ):
        await browser.open(path)
        shown[path] = browser.page.url.path
    assert len(shown) == 9
    assert set(shown.values()) == {"/sign-in"}


async def test_a_password_alone_does_not_sign_in(console, browse):
    await console.account("expert")
    browser = await browse(second_factor=True).sign_in("expert")
    assert browser.page.url.path == "/enrol"
    await browser.open("/cases")
    assert browser.page.url.path == "/enrol"


async def test_the_session_cookie_is_hidden_from_scripts_and_other_sites(console, browse):
    await console.account("expert")
    browser = browse()
    await browser.open("/sign-in")
    browser.client.follow_redirects = False
    await browser.send("/sign-in", username="expert", password="an expert's own word")
    (cookie,) = browser.page.headers.get_list("set-cookie")
    for part in ("HttpOnly", "Secure", "SameSite=lax"):
        assert part in cookie


@pytest.mark.parametrize("path", ["/cases", "/assets/console.css", "/nowhere"])
async def test_every_response_forbids_foreign_scripts_and_frames(expert, path):
    await expert.open(path)
    policy = expert.page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "font-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


async def test_a_form_without_the_form_word_of_the_session_has_no_effect(console, expert):
    await console.handle(event("request-submitted", 1))
    for path in ("take", "release", "answer", "ask", "reject", "refer"):
        await expert.send(f"/cases/{CODE}/{path}", word="another", text="x", question="x")
        assert expert.page.status_code == 403, path
    assert (await console.case()).claim is None
    browser = expert.client
    assert (await browser.post("/sign-in", data={"username": "expert", "password": "x"})).status_code == 403


async def test_an_expert_cannot_use_the_pages_of_supervisors(console, expert):
    for path in ("/accounts", "/deeds"):
        assert "سرپرست" in await expert.open(path)
        assert expert.page.status_code == 403
    await expert.open("/cases")
    await expert.send("/templates", title="عنوان", text="متن")
    assert expert.page.status_code == 403


async def test_a_case_of_another_province_is_not_found(console, expert):
    await console.handle(event("request-submitted", 1), province="qom")
    await expert.open(f"/cases/{CODE}")
    assert expert.page.status_code == 404
    assert f'data-tracking-code="{CODE}"' not in await expert.open("/cases", params={"q": CODE})


async def test_texts_of_applicants_are_escaped(console, expert):
    await console.handle(event("request-submitted", 1, text="<script>alert(1)</script>"))
    await expert.open(f"/cases/{CODE}")
    assert "<script>" not in expert.page.text
    assert "&lt;script&gt;" in expert.page.text


async def test_a_typed_answer_is_kept_when_a_colleague_claimed_the_case(console, expert):
    await console.handle(event("request-submitted", 1))
    colleague = await console.account("colleague")
    await expert.open(f"/cases/{CODE}")
    await console.experts.claim(colleague, CODE)
    page = await expert.send(f"/cases/{CODE}/answer", text="پاسخی که نوشته بودم")
    assert expert.page.status_code == 409
    assert "همکار دیگری" in page
    assert "پاسخی که نوشته بودم" in page


async def test_a_body_that_is_too_large_is_rejected(expert):
    await expert.open("/cases")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await expert.client.post("/cases/x/answer", content=b"x" * (BODY_MAX + 1), headers=form)
    assert answer.status_code == 413
    assert "فایل‌های کوچک‌تری" in answer.text


@pytest.mark.parametrize(
    "searched",
    [CODE, "۱۲۳۴ ۵۶۷۸ ۹۰۱۸", "12345", "نرگس", "باراندشت", "باران‌دشت نرگس", "۸۲۷۵۷۳۷۱۶۸", "09120000000", "روادید"],
)
async def test_a_case_is_found_by_code_name_number_and_subject(console, expert, searched):
    other = {"applicant": {"national_id": "1111111111", "birth_date": "1361-12-05", "first_name": "رضا"}}
    other["applicant"] |= {"last_name": "کوه‌زاده", "gender": "male"}
    other |= {
        "text": "تخلف کاروان",
        "contact": {"mobile": "+989129999999"},
        "sub_subject": {"key": "x", "title": "کاروان"},
    }
    await console.handle(event("request-submitted", 1), event("request-submitted", 1, code=OTHER_CODE, **other))
    page = await expert.open("/cases", params={"q": searched})
    assert f'data-tracking-code="{CODE}"' in page
    assert f'data-tracking-code="{OTHER_CODE}"' not in page


async def test_a_search_requires_every_word(console, expert):
    await console.handle(event("request-submitted", 1))
    assert CODE not in await expert.open("/cases", params={"q": "نرگس ناموجود"})


async def test_supervisors_see_objections_first_and_experts_the_earliest_deadline(console, browse):
    for name, role in (("expert", Role.EXPERT), ("supervisor", Role.SUPERVISOR)):
        await console.account(name, role)
    await console.handle(event("request-submitted", 1), event("request-submitted", 1, code=OTHER_CODE))
    await console.handle(event("request-objected", 5, code=OTHER_CODE, text="پاسخ نبود.", at="2026-12-20T08:00:00Z"))

    async def order(username):
        page = await (await browse().sign_in(username)).open("/cases")
        return page.index(OTHER_CODE) < page.index(CODE)

    assert await order("supervisor")
    assert not await order("expert")


async def test_templates_are_offered_for_their_subject(console, browse):
    await console.account("supervisor", Role.SUPERVISOR)
    browser = await browse().sign_in("supervisor")
    await console.handle(event("request-submitted", 1))
    await browser.open("/templates")
    for sub_subject, title in (("umrah_visa", "روادید صادر شد"), ("hajj_pay", "پرداخت حج"), ("", "با سپاس")):
        await browser.send("/templates", sub_subject=sub_subject, title=title, text=f"متنِ {title}")
    await browser.open(f"/cases/{CODE}")
    page = await browser.send(f"/cases/{CODE}/take")
    assert "روادید صادر شد" in page
    assert "با سپاس" in page
    assert "پرداخت حج" not in page


async def test_actions_are_in_the_audit_log(console, browse):
    await console.account("supervisor", Role.SUPERVISOR)
    browser = await browse().sign_in("supervisor")
    await console.handle(event("request-submitted", 1))
    await browser.open(f"/cases/{CODE}")
    await browser.send(f"/cases/{CODE}/take")
    await browser.send(f"/cases/{CODE}/reject", rejection="مهلت گذشته است.")
    page = await browser.open("/deeds", params={"code": CODE})
    assert page.index("رد درخواست") < page.index("برداشتن درخواست")


async def test_a_file_is_served_as_a_download(console, expert):
    file = {"id": "f1", "name": "گذرنامه.pdf", "size": 4, "media_type": "application/pdf", "sha256": "0" * 64}
    await console.handle(event("request-submitted", 1, attachments=[file]))
    console.client.stored["f1"] = b"%PDF"
    await expert.open(f"/cases/{CODE}/files/f1")
    assert expert.page.content == b"%PDF"
    assert expert.page.headers["content-disposition"].startswith("attachment")
    await expert.open(f"/cases/{CODE}/files/f2")
    assert expert.page.status_code == 404


async def test_readiness_includes_the_number_of_waiting_reports(console, browse):
    await console.handle(event("request-submitted", 1))
    browser = browse()
    await browser.open("/health/ready")
    assert browser.page.json() == {"status": "ready", "reports_waiting": 1, "cases": 1}


async def test_the_metrics_require_the_token(console, browse):
    await console.handle(event("request-submitted", 1))
    console.now += timedelta(seconds=90)
    console.other_client.consuming = False
    browser = browse(metrics_token=TOKEN)
    await browser.open("/no/such/page")
    await browser.open("/sign-in")
    text = await browser.open("/metrics", headers=BEARER)
    expected = {
        'desk_console_line_alive{province="isfahan"} 1.0',
        'desk_console_line_alive{province="qom"} 0.0',
        'desk_console_reports_waiting{province="isfahan"} 1.0',
        'desk_console_oldest_waiting_seconds{province="isfahan"} 90.0',
        'desk_console_reports_waiting{province="qom"} 0.0',
        'desk_console_requests_total{method="GET",route="/sign-in",status="200"} 1.0',
        'desk_console_requests_total{method="GET",route="unmatched",status="404"} 1.0',
    }
    assert expected <= set(text.splitlines())
    await console.send_all()
    text = await browser.open("/metrics", headers=BEARER)
    assert 'desk_console_oldest_waiting_seconds{province="isfahan"} 0.0' in text.splitlines()


async def test_events_of_the_desk_are_counted(console, browse):
    browser = browse(metrics_token=TOKEN)
    async with browser.running():
        handle = await console.client.handler()
        await handle(event("request-submitted", 1))
        with pytest.raises(ValidationError):
            await handle(event("request-rated", 2, rating="five"))
        text = await browser.open("/metrics", headers=BEARER)
    counted = {
        f'desk_console_events_total{{outcome="{outcome}",province="isfahan"}} 1.0' for outcome in ("handled", "failed")
    }
    assert counted <= set(text.splitlines())


@pytest.mark.parametrize(
    ("token", "headers"),
    [
        (TOKEN, {}),
        (TOKEN, {"Authorization": "Bearer another token"}),
        (None, {"Authorization": "Bearer None"}),
    ],
)
async def test_the_metrics_are_not_found_without_the_token(browse, token, headers):
    browser = browse(**({"metrics_token": token} if token else {}))
    page = await browser.open("/metrics", headers=headers)
    assert browser.page.status_code == httpx.codes.NOT_FOUND
    assert "desk_console" not in page


async def test_the_console_does_not_start_without_a_key(monkeypatch):
    monkeypatch.delenv("DESK_CONSOLE_KEYS", raising=False)
    with pytest.raises(ValueError, match="keys"):
        create_app()


@pytest.mark.parametrize("address", ["/cases?q=%00", "/cases?subject=%00", "/cases/%00", "/deeds?code=%00"])
async def test_an_address_with_a_nul_is_not_found(expert, address):
    await expert.open(address)
    assert expert.page.status_code == 404


async def test_a_wrong_address_shows_an_error_page(expert):
    page = await expert.open("/no/such/page")
    assert expert.page.status_code == httpx.codes.NOT_FOUND
    assert "فهرست درخواست‌ها" in page


async def test_the_page_of_an_erased_case_says_so(console, expert):
    await console.handle(event("request-submitted", 1), erasure(2))
    shown = await expert.open(f"/cases/{CODE}")
    assert expert.page.status_code == 410
    assert "دادهٔ این درخواست پاک شده است" in shown
    assert "باران‌دشت" not in shown
    assert "باران‌دشت" not in await expert.open("/cases?list=all")
