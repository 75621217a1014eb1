"""Requests that an expert registers for a person who comes to the office or calls, over the embedded desk."""

import re
from html import unescape

from support.applicant import Applicant, Expert
from support.console_client import ConsoleClient
from support.embedded_desk import CAPTCHA_ANSWER, RunningDesk, wait_for

STATE = re.compile(r'name="state" value="([^"]+)"')
CODE = re.compile(r'data-code="([0-9]{12})"')
TEXT = "روادید عمرهٔ من هنوز صادر نشده است."
REQUEST = {"sub_subject": "umrah_visa", "text": TEXT}


def look_up(console: ConsoleClient, person: Applicant, source: str) -> None:
    console.open("/counter")
    identity = {"national_id": person.national_id, "birth_date": str(person.person["birth_date"])}
    console.send("/counter/identity", source=source, **identity)
    assert str(person.person["last_name"]) in console.text


def go_on(console: ConsoleClient, path: str, **fields: str) -> str:
    found = STATE.search(console.text)
    assert found is not None, console.text
    return console.send(path, state=unescape(found[1]), **fields)


def registered(console: ConsoleClient) -> str:
    found = CODE.search(console.text)
    assert found is not None, console.text
    return found[1]


def test_a_person_without_a_mobile_gets_a_receipt_and_no_message(desk: RunningDesk):
    person = Applicant(desk.client, place=110)
    with ConsoleClient(desk.url).sign_in("ardabil") as console:
        look_up(console, person, "counter")
        helper = {
            "representative_name": "سارا بهرامی",
            "representative_national_id": "0013542419",
            "representative_mobile": "09127654321",
        }
        landline = {"landline_area_code": "۰۴۵", "landline_number": "۳۳۲۲ ۱۱۰۰"}
        go_on(console, "/counter/request", mobile_owner="none", **REQUEST, **helper, **landline)
        code = registered(console)
        assert "این رسید تنها مدرک است" in console.text
        wait_for(lambda: TEXT in console.open(f"/cases/{code}"))
        assert "سارا بهرامی" in console.text
        assert "۰۴۵۳۳۲۲۱۱۰۰" in console.text
        assert "کارشناس ardabil" in console.text.replace("<bdi>", "").replace("</bdi>", "")
        deeds = ConsoleClient(desk.url).sign_in("ardabil.supervisor")
        with deeds:
            assert "ثبت درخواست به جای متقاضی" in deeds.open("/deeds")
            assert "استعلام هویت برای ثبت درخواست" in deeds.text

    received = Expert(desk.client, "ardabil").receives(code)
    assert (received["source"], received["contact"]["mobile"]) == ("counter", "")
    assert received["contact"]["landline"] == "+984533221100"
    assert received["registration"] == {
        "office": {"key": "ardabil", "name": "اردبیل"},
        "expert": "ardabil",
        "mobile_owner": "none",
    }
    view = person.sees(code, "received", entries=2)
    assert (view["source"], view["representative"], view["contact"]["mobile"]) == ("counter", "سارا بهرامی", "")
    assert view["contact"]["landline"] == "0453*****00"
    assert "0013542419" not in str(view)
    assert "counter" in [lookup["purpose"] for lookup in person.registry_lookups(view["token"])]
    assert desk.client.get("/demo/messages", params={"tracking_code": code}).json() == []


def test_a_caller_reads_the_code_out_and_gets_the_tracking_code_by_sms(desk: RunningDesk):
    person = Applicant(desk.client, place=111)
    with ConsoleClient(desk.url).sign_in("ardabil") as console:
        look_up(console, person, "phone")
        go_on(console, "/counter/request", mobile_owner="own", mobile="09125556677", **REQUEST)
        go_on(console, "/counter/code", code="11111", act="register")
        assert 'href="#code"' in console.text
        go_on(console, "/counter/code", code=CAPTCHA_ANSWER, act="register")
        code = registered(console)

    def messages() -> list[dict[str, str]]:
        found: list[dict[str, str]] = desk.client.get("/demo/messages", params={"tracking_code": code}).json()
        return found

    wait_for(lambda: len(messages()) > 0)
    assert {message["recipient"] for message in messages()} == {"+989125556677"}


def test_an_office_registers_nothing_for_another_province(desk: RunningDesk):
    person = Applicant(desk.client, place=112)
    with ConsoleClient(desk.url).sign_in("ardabil") as console:
        look_up(console, person, "counter")
        go_on(console, "/counter/request", mobile_owner="none", province="qom", **REQUEST)
        code = registered(console)
        wait_for(lambda: TEXT in console.open(f"/cases/{code}"))
    assert Expert(desk.client, "ardabil").receives(code)["province"]["key"] == "ardabil"
