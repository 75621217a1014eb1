"""The counter: identity, request, consent and receipt, without scripts, and the right to it."""

import re
import tomllib
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import select
from support.console_service import PASSWORD
from support.counter_desk import CODE, PENDING

from desk.console.domain.accounts import MAX_IDLE, Role
from desk.console.store.drafts import DraftStore
from desk.console.store.tables import account, audit_entry
from desk.console.workers.pruning import prune_drafts
from desk.expert import Document, ExtraField, Subject, SubSubject, Titled

STATE = re.compile(r'name="state" value="([^"]+)"')
PERSON = {"source": "counter", "national_id": "۸۲۷۵۷۳۷۱۶۸", "birth_date": "۱۳۶۱/۱۲/۰۵"}
REQUEST = {
    "mobile_owner": "own",
    "mobile": "۰۹۱۲۰۰۰۰۰۰۰",
    "sub_subject": "umrah_visa",
    "text": "روادید من هنوز صادر نشده است.",
}


@pytest.fixture
async def desk(console):
    """The desk as the office of Isfahan sees it, with one subject."""
    visa = SubSubject(key="umrah_visa", title="روادید و گذرنامه")
    for client in (console.client, console.headquarters_client):
        client.subject_list = [Subject(key="umrah", title="عمرهٔ مفرده", sub_subjects=[visa])]
    return console.client.counter_desk


@pytest.fixture
async def browser(console, browse, desk):
    """The browser of an expert with the right."""
    await console.account("n.baran")
    boss = await console.account("boss", Role.SUPERVISOR)
    expert = await console.account_of("n.baran")
    await console.supervision.set_counter(boss, expert.id, granted=True)
    return await browse().sign_in("n.baran")


@pytest.fixture
def go_on(browser):
    """Send the form of the open page with its state."""

    async def go_on(path, **fields):
        return await browser.send(path, state=unescape(STATE.search(browser.page.text)[1]), **fields)

    return go_on


@pytest.fixture
async def entries(console):
    async def entries():
        query = select(audit_entry, account.c.username).join(account, account.c.id == audit_entry.c.account)
        async with console.database.read() as session:
            rows = (await session.execute(query.order_by(audit_entry.c.at, audit_entry.c.id))).all()
        return [(row.username, row.kind, row.tracking_code) for row in rows if "counter" in row.kind]

    return entries


@pytest.fixture
def look_up(browser):
    async def look_up(**changes):
        await browser.open("/counter")
        return await browser.send("/counter/identity", **(PERSON | changes))

    return look_up


async def test_a_request_is_registered_with_the_code_as_consent(browser, desk, look_up, go_on, entries):
    page = await look_up()
    assert "نرگس باران‌دشت" in page
    assert "بلند بخوانید" in page

    page = await go_on("/counter/request", **REQUEST)
    assert "رضایت" in page
    assert desk.bodies("mobile-codes") == [{"mobile": "۰۹۱۲۰۰۰۰۰۰۰", "language": "fa"}]

    page = await go_on("/counter/code", code="۱۲۳۴۵", act="register")
    assert browser.page.status_code == 200
    assert f'data-code="{CODE}"' in page
    assert "مراجعهٔ حضوری" in page
    assert "امضای متقاضی" in page
    [sent] = desk.bodies("requests")
    assert (sent["identity_token"], sent["source"], sent["expert"]) == ("identity-token", "counter", "n.baran")
    assert sent["mobile_code"] == {"id": "code-1", "answer": "۱۲۳۴۵"}
    assert (sent["province"], sent["subject"], sent["sub_subject"]) == ("isfahan", "umrah", "umrah_visa")
    assert await entries() == [
        ("boss", "grant_counter", None),
        ("n.baran", "counter_look_up", None),
        ("n.baran", "counter_code", None),
        ("n.baran", "counter_register", CODE),
    ]


async def test_a_person_without_a_mobile_signs_the_receipt_and_gets_no_code(browser, desk, look_up, go_on):
    await look_up()
    page = await go_on("/counter/request", **(REQUEST | {"mobile_owner": "none", "mobile": ""}))

    assert browser.page.status_code == 200
    assert "این رسید تنها مدرک است" in page
    assert desk.bodies("mobile-codes") == []
    [sent] = desk.bodies("requests")
    assert (sent["mobile"], sent["mobile_owner"]) == ("", "none")


async def test_a_desk_that_sends_no_codes_registers_without_one(desk, look_up, go_on):
    await look_up()
    desk.refuse("mobile-codes", "codes_off", 409)
    page = await go_on("/counter/request", **REQUEST)

    assert f'data-code="{CODE}"' in page
    assert "mobile_code" not in desk.bodies("requests")[0]


async def test_everything_wrong_is_named_before_a_code_is_sent(browser, desk, look_up, go_on):
    await look_up()
    wrong = {"mobile_owner": "own", "mobile": "0912", "text": "کم", "representative_name": "علی"}
    page = await go_on("/counter/request", **wrong)

    assert browser.page.status_code == 422
    for field in ("mobile", "sub_subject", "text", "representative_national_id", "representative_mobile"):
        assert f'href="#{field}"' in page
        assert f'id="{field}_error"' in page
    assert 'value="0912"' in page
    assert desk.bodies("mobile-codes") == desk.bodies("requests") == []


async def test_a_landline_is_sent_as_it_was_typed_and_an_area_code_alone_is_none(desk, look_up, go_on):
    no_mobile = REQUEST | {"mobile_owner": "none", "mobile": ""}
    page = await look_up()
    assert re.search('name="landline_area_code"[^>]+ value="۰۳۱"', page)
    await go_on("/counter/request", **no_mobile, landline_area_code="۰۳۱")
    await look_up()
    await go_on("/counter/request", **no_mobile, landline_area_code="۰۲۱", landline_number="۶۴۵۱ ۲۲")

    without, with_one = desk.bodies("requests")
    assert "landline" not in without
    assert with_one["landline"] == {"area_code": "۰۲۱", "number": "۶۴۵۱ ۲۲"}


@pytest.mark.parametrize(
    ("area_code", "number", "wrong"),
    [
        ("031", "322", "number"),
        ("031", "12345678", "number"),
        ("039", "32211234", "area_code"),
        ("", "64512", "area_code"),
    ],
)
async def test_a_wrong_landline_gets_the_sentence_of_the_public_form(look_up, go_on, area_code, number, wrong):
    await look_up()
    page = await go_on("/counter/request", **REQUEST, landline_area_code=area_code, landline_number=number)

    words = tomllib.loads((Path(__file__).parents[2] / "gateway" / "words" / "fa.toml").read_text())
    fault = words["script"]["landline"]["areaCode" if wrong == "area_code" else "wrong"]
    assert f'<a href="#landline_{wrong}">{fault}</a>' in page
    assert f'id="landline_{wrong}_error"' in page
    assert re.search(f'name="landline_number"[^>]+ value="{number}"', page)


async def test_a_landline_that_the_desk_refuses_is_shown_at_its_field(desk, look_up, go_on):
    await look_up()
    desk.refuse("requests", "validation_failed", **{"landline.area_code": "پیش‌شماره درست نیست"})
    landline = {"landline_area_code": "۰۳۱", "landline_number": "32211234"}
    page = await go_on("/counter/request", **(REQUEST | {"mobile_owner": "none", "mobile": ""}), **landline)

    assert 'href="#landline_area_code"' in page


async def test_a_wrong_person_is_not_looked_up(browser, desk, look_up):
    page = await look_up(national_id="8275737169", birth_date="1361/13/05", source="")

    assert browser.page.status_code == 422
    for field in ("source", "national_id", "birth_date"):
        assert f'href="#{field}"' in page
    assert desk.calls == []


async def test_a_mismatch_is_shown_and_recorded(desk, look_up, entries):
    await look_up()
    desk.refuse("identities", "identity_not_matched", 404)
    page = await look_up()

    assert "identity_not_matched" in page
    assert [kind for _, kind, _ in await entries()].count("counter_look_up") == 2


async def test_the_log_has_a_hash_of_the_number_and_not_the_number(console, look_up):
    await look_up()
    async with console.database.read() as session:
        query = select(audit_entry.c.about).where(audit_entry.c.kind == "counter_look_up")
        about = (await session.execute(query)).scalar_one()
    assert re.fullmatch("[0-9a-f]{64}", about)


async def test_names_are_typed_while_the_registry_does_not_answer(desk, look_up, go_on):
    desk.person = PENDING
    page = await look_up()
    assert "ثبت احوال اکنون پاسخ نمی‌دهد" in page
    page = await go_on("/counter/request", **REQUEST)
    assert 'href="#first_name"' in page

    names = {"first_name": "نرگس", "last_name": "باران‌دشت", "gender": "female"}
    await go_on("/counter/request", **REQUEST, **names)
    page = await go_on("/counter/code", code="12345")
    assert desk.bodies("requests")[0]["applicant"] == names
    assert "نرگس باران‌دشت" in page


async def test_a_wrong_code_can_be_corrected_and_the_request_is_registered_once(desk, look_up, go_on):
    await look_up()
    await go_on("/counter/request", **REQUEST)
    desk.refuse("requests", "mobile_code_wrong", **{"mobile_code.answer": "کد درست نیست"})
    page = await go_on("/counter/code", code="11111")
    assert 'href="#code"' in page
    assert "کد درست نیست" in page
    desk.refuse("requests", "service_unavailable", 503)
    page = await go_on("/counter/code", code="12345")
    assert "میز خدمت اکنون پاسخ نمی‌دهد" in page
    await go_on("/counter/code", code="12345")

    assert len(set(desk.keys)) == 1


async def test_another_code_is_sent_and_the_texts_can_be_corrected(desk, look_up, go_on):
    await look_up()
    await go_on("/counter/request", **REQUEST)
    await go_on("/counter/code", act="resend")
    page = await go_on("/counter/code", act="back")
    assert REQUEST["text"] in page
    await go_on("/counter/request", **(REQUEST | {"text": "متن درست این درخواست است."}))
    await go_on("/counter/code", code="12345")

    [sent] = desk.bodies("requests")
    assert (sent["text"], sent["mobile_code"]["id"]) == ("متن درست این درخواست است.", "code-3")


async def test_a_fault_that_the_desk_finds_is_shown_at_its_field(desk, look_up, go_on):
    await look_up()
    await go_on("/counter/request", **REQUEST)
    desk.refuse("requests", "validation_failed", **{"representative.national_id": "همان متقاضی است"})
    page = await go_on("/counter/code", code="12345")

    assert 'href="#representative_national_id"' in page
    assert REQUEST["text"] in page


async def test_a_repeated_request_needs_a_confirmation(desk, look_up, go_on):
    await look_up()
    await go_on("/counter/request", **REQUEST)
    desk.refuse("requests", "request_repeated", 409)
    page = await go_on("/counter/code", code="12345")
    assert 'name="again"' in page
    await go_on("/counter/code", code="12345", again="yes")

    assert desk.bodies("requests")[-1]["again"] is True


async def test_after_half_an_hour_the_person_is_looked_up_again(desk, look_up, go_on):
    await look_up()
    await go_on("/counter/request", **REQUEST)
    desk.refuse("requests", "identity_token_expired", 401)
    page = await go_on("/counter/code", code="12345")

    assert "استعلام هویت" in page
    assert PERSON["national_id"] in page
    assert REQUEST["text"] in await go_on("/counter/identity", **PERSON)


async def test_a_representative_is_part_of_the_request_and_of_the_receipt(desk, look_up, go_on):
    await look_up()
    person = {"name": "علی محمدی", "national_id": "0013542419", "mobile": "09127654321"}
    typed = {f"representative_{name}": value for name, value in person.items()}
    page = await go_on("/counter/request", **(REQUEST | {"mobile_owner": "none", "mobile": ""}), **typed)

    assert desk.bodies("requests")[0]["representative"] == person
    assert "امضای نماینده" in page


async def test_the_state_of_another_account_or_a_changed_one_is_refused(console, browse, browser, look_up):
    await look_up()
    state = unescape(STATE.search(browser.page.text)[1])
    boss = await console.account_of("boss")
    await console.supervision.set_counter(boss, boss.id, granted=True)
    other = await browse().sign_in("boss")
    await other.open("/counter")
    await other.send("/counter/request", state=state, **REQUEST)
    assert other.page.status_code == 403
    await browser.send("/counter/request", state=state[:-4] + "AAAA", **REQUEST)
    assert browser.page.status_code == 403


async def test_nothing_of_a_request_is_in_the_console_s_database(console, browser, look_up, go_on):
    await look_up()
    await go_on("/counter/request", **REQUEST)
    path = Path(str(console.database.engine.url.database))
    stored = b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))
    for value in (REQUEST["text"], "باران‌دشت", "8275737168", PERSON["national_id"]):
        assert value.encode() not in stored
    assert "باران‌دشت" not in str(browser.page.url)


async def test_headquarters_chooses_the_province(console, browse, desk):
    await console.account("staff", Role.SUPERVISOR, province="headquarters")
    staff = await console.account_of("staff")
    await console.supervision.set_counter(staff, staff.id, granted=True)
    browser = await browse().sign_in("staff")
    await browser.open("/counter")
    await browser.send("/counter/identity", **PERSON)
    state = unescape(STATE.search(browser.page.text)[1])
    no_mobile = REQUEST | {"mobile_owner": "none", "mobile": ""}
    page = await browser.send("/counter/request", state=state, **no_mobile)
    assert 'href="#province"' in page
    state = unescape(STATE.search(browser.page.text)[1])
    await browser.send("/counter/request", state=state, **no_mobile, province="qom")

    [sent] = console.headquarters_client.counter_desk.bodies("requests")
    assert sent["province"] == "qom"


@pytest.mark.parametrize("path", ["/counter", "/counter/identity", "/counter/request", "/counter/code"])
async def test_an_account_without_the_right_is_refused(console, browse, desk, path):
    await console.account("n.baran")
    browser = await browse().sign_in("n.baran")
    page = await browser.open("/cases")
    assert "/counter" not in page
    if path == "/counter":
        await browser.open(path)
    else:
        word = re.search(r'name="form_word" value="([^"]+)"', browser.page.text)[1]
        await browser.send(path, word=word, **PERSON)

    assert browser.page.status_code == 403
    assert desk.calls == []


async def test_a_supervisor_grants_and_withdraws_the_right_on_the_page_of_accounts(console, browse, browser):
    expert = await console.account_of("n.baran")
    boss = await browse().sign_in("boss")
    page = await boss.open("/accounts")
    assert f"/accounts/{expert.id}/withdraw-counter" in page
    page = await boss.send(f"/accounts/{expert.id}/withdraw-counter")
    assert "دیگر نمی‌تواند" in page
    await browser.open("/counter")
    assert browser.page.status_code == 403
    await boss.send(f"/accounts/{expert.id}/grant-counter")
    await browser.open("/counter")
    assert browser.page.status_code == 200


async def test_a_supervisor_of_another_office_cannot_grant_the_right(console, browse, browser):
    expert = await console.account_of("n.baran")
    await console.account("other", Role.SUPERVISOR, province="qom")
    other = await browse().sign_in("other")
    await other.open("/accounts")
    await other.send(f"/accounts/{expert.id}/withdraw-counter")
    assert other.page.status_code == 404
    assert (await console.account_of("n.baran")).counter


async def test_a_form_of_another_site_registers_nothing(browser, desk, look_up):
    await look_up()
    await browser.send("/counter/identity", word="forged", **PERSON)
    assert browser.page.status_code == 403
    assert len(desk.calls) == 1


PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)
NO_MOBILE = REQUEST | {"mobile_owner": "none", "mobile": ""}


async def test_documents_are_uploaded_once_and_can_be_removed(desk, look_up, go_on):
    await look_up()
    chosen = [("files", ("a.pdf", PDF)), ("files", ("b.pdf", PDF))]
    page = await go_on("/counter/request", files=chosen, **(NO_MOBILE | {"text": "کم"}))
    assert "مدرک 1.pdf" in page
    page = await go_on("/counter/request", drop="f-1", **NO_MOBILE)

    assert [token for token, _ in desk.files] == ["Bearer identity-token"] * 2
    assert desk.bodies("requests")[0]["attachments"] == ["f-2"]
    assert "۱ فایل" in page


async def test_a_file_that_the_desk_would_refuse_is_named_and_not_uploaded(browser, desk, look_up, go_on):
    await look_up()
    page = await go_on("/counter/request", files=[("files", ("a.exe", b"MZ"))], **NO_MOBILE)
    assert browser.page.status_code == 422
    assert 'href="#files"' in page
    desk.refuse("/api/attachments", "file_infected", file="این فایل آلوده است")
    page = await go_on("/counter/request", files=[("files", ("a.pdf", PDF))], **NO_MOBILE)

    assert "این فایل آلوده است" in page
    assert desk.bodies("requests") == []


async def test_there_are_at_most_five_documents(desk, look_up, go_on):
    await look_up()
    four = [("files", (f"{number}.pdf", PDF)) for number in range(4)]
    await go_on("/counter/request", files=four, **(NO_MOBILE | {"text": "کم"}))
    page = await go_on("/counter/request", files=four[:2], **NO_MOBILE)

    assert "حداکثر ۵ فایل" in page
    assert len(desk.files) == 4


async def test_the_fields_and_documents_of_the_subject_are_asked_for(console, desk, look_up, go_on):
    kinds = [
        ExtraField(key="receipt", title="شمارهٔ قبض", kind="receipt_number"),
        ExtraField(key="way", title="راه سفر", kind="choice", choices=[Titled(key="air", title="هوایی")]),
        ExtraField(key="note", title="توضیح", kind="text", required=False),
    ]
    papers = [Document(key="passport", title="گذرنامه"), Document(key="photo", title="عکس", required=False)]
    visa = SubSubject(key="umrah_visa", title="روادید و گذرنامه", fields=kinds, documents=papers)
    console.client.subject_list = [Subject(key="umrah", title="عمره", sub_subjects=[visa])]
    await look_up()
    page = await go_on("/counter/request", **NO_MOBILE)
    for field in ("field-receipt", "field-way", "document-passport"):
        assert f'href="#{field}"' in page
        assert f'id="{field}"' in page
    assert 'href="#field-note"' not in page

    typed = {"field-receipt": "۱۲۳۴۵", "field-way": "air"}
    desk.refuse("requests", "fields_wrong", **{"fields.receipt": "شمارهٔ قبض درست نیست"})
    page = await go_on("/counter/request", files=[("document-passport", ("p.pdf", PDF))], **NO_MOBILE, **typed)
    assert 'href="#field-receipt"' in page
    assert "پیوست شده است" in page
    await go_on("/counter/request", **NO_MOBILE, **typed)

    sent = desk.bodies("requests")[-1]
    assert sent["fields"] == {"receipt": "۱۲۳۴۵", "way": "air"}
    assert (sent["attachments"], sent["documents"]) == (["f-1"], {"passport": "f-1"})


class Session:
    """The session of the expert, which expires while something is typed."""

    def __init__(self, console, browser):
        self.console, self.browser = console, browser

    def expire(self):
        self.console.now += MAX_IDLE + timedelta(minutes=1)

    async def sign_in_again(self):
        assert self.browser.page.url.path == "/sign-in"
        assert 'id="kept"' in self.browser.page.text
        return await self.browser.send("/sign-in", username="n.baran", password=PASSWORD)


@pytest.fixture
def session(console, browser):
    return Session(console, browser)


async def test_what_was_typed_survives_an_expired_session(browser, desk, look_up, go_on, session):
    await look_up()
    session.expire()
    await go_on("/counter/request", **REQUEST, landline_number="32211234")
    assert desk.bodies("mobile-codes") == []
    assert "ثبت درخواست به جای متقاضی" in await session.sign_in_again()

    page = await browser.open("/counter")
    assert 'id="kept"' in page
    assert f'value="{PERSON["national_id"]}"' in page
    assert REQUEST["text"] not in page, "before the person is looked up again"
    page = await go_on("/counter/identity", **PERSON)
    assert REQUEST["text"] in page
    assert 'value="32211234"' in page
    assert 'value="own" checked' in page
    assert '<option value="umrah_visa" selected>' in page
    await go_on("/counter/request", **REQUEST)
    await go_on("/counter/code", code="12345")
    assert desk.bodies("requests")[0]["text"] == REQUEST["text"]
    assert 'id="drafts"' not in await browser.open("/cases")
    assert 'id="kept"' not in await browser.open("/counter")


async def test_the_first_and_the_last_form_survive_an_expired_session_too(browser, look_up, go_on, session):
    await browser.open("/counter")
    session.expire()
    await browser.send("/counter/identity", **PERSON)
    await session.sign_in_again()
    page = await browser.open("/counter")
    assert f'value="{PERSON["birth_date"]}"' in page
    assert f'value="{PERSON["birth_date"]}"' not in await browser.open("/counter?blank=yes")

    await look_up()
    await go_on("/counter/request", **REQUEST)
    session.expire()
    await go_on("/counter/code", code="12345", act="register")
    await session.sign_in_again()
    await browser.open("/counter")
    assert REQUEST["text"] in await go_on("/counter/identity", **PERSON)


async def test_kept_texts_are_not_shown_for_another_person(browser, look_up, go_on, session):
    await look_up()
    session.expire()
    await go_on("/counter/request", **REQUEST)
    await session.sign_in_again()
    await browser.open("/counter")
    page = await go_on("/counter/identity", **(PERSON | {"national_id": "0013542419"}))

    assert 'id="person"' in page
    assert REQUEST["text"] not in page


async def test_a_kept_form_is_encrypted_and_removed_after_a_day(browse, browser, look_up, go_on, session):
    console = session.console
    await look_up()
    session.expire()
    await go_on("/counter/request", **REQUEST)
    path = Path(str(console.database.engine.url.database))
    stored = b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))
    for value in (REQUEST["text"], REQUEST["mobile"], "باران‌دشت", "8275737168", PERSON["national_id"]):
        assert value.encode() not in stored
        assert value.encode("unicode_escape") not in stored
    await session.sign_in_again()
    other = await browse().sign_in("boss")
    assert 'id="drafts"' not in await other.open("/cases")

    async with console.database.transaction() as transaction:
        await prune_drafts(DraftStore(transaction, console.encryption), console.now + timedelta(hours=23))
    assert 'id="drafts"' in await browser.open("/cases")
    async with console.database.transaction() as transaction:
        await prune_drafts(DraftStore(transaction, console.encryption), console.now + timedelta(hours=25))
    assert 'id="drafts"' not in await browser.open("/cases")


async def test_nothing_is_kept_for_a_form_that_is_not_of_the_expired_session(browser, look_up, session):
    await look_up()
    session.expire()
    await browser.send("/counter/identity", word="another", **PERSON)
    assert 'id="kept"' not in browser.page.text
    await browser.send("/sign-in", username="n.baran", password=PASSWORD)
    assert 'id="drafts"' not in await browser.open("/cases")


async def test_a_form_of_an_earlier_session_keeps_its_texts(browser, desk, look_up, go_on):
    page = await look_up()
    state = unescape(STATE.search(browser.page.text)[1])
    await browser.sign_in("n.baran")
    page = await browser.send("/counter/request", word="of the earlier session", state=state, **REQUEST)

    assert browser.page.status_code == 403
    assert desk.bodies("mobile-codes") == []
    assert 'id="kept"' in page
    assert REQUEST["text"] in await go_on("/counter/identity", **PERSON)


async def test_a_form_of_an_earlier_session_shows_nothing_without_the_right(console, browse, browser, look_up):
    await look_up()
    state = unescape(STATE.search(browser.page.text)[1])
    await console.supervision.set_counter(
        await console.account_of("boss"), (await console.account_of("n.baran")).id, granted=False
    )
    page = await browser.send("/counter/request", word="of the earlier session", state=state, **REQUEST)

    assert browser.page.status_code == 403
    assert "/counter/identity" not in page
