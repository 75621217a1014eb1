"""Look-ups of applicants and of other callers."""

import asyncio

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desk.chassis.crypto import TokenError, TokenReader
from desk.iran.digits import to_persian

PROOF = {"id": "proof-0001", "solution": "ab" * 32}

NATIONAL_ID, OTHER_NATIONAL_ID = "0013542419", "8275737168"
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Input and answers of other services in many forms; the statements are those of the other tests."""
ARABIC_INDIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


def is_persian(sentence: str) -> bool:
    return any("\u0600" <= letter <= "\u06ff" for letter in sentence)


def in_groups(code: str, between: str) -> str:
    return between.join((code[:4], code[4:8], code[8:]))


def mistype(code: str) -> str:
    return code[:-1] + str((int(code[-1]) + 1) % 10)


@pytest.fixture
def fresh(tracking, new_code):
    """A request that is at intake and unknown to tracking."""
    code = new_code()
    tracking.peers.requests[NATIONAL_ID, code] = {
        "tracking_code": code,
        "submitted_at": "2026-12-13T11:00:00Z",
        "due_at": "2026-12-20T20:29:59Z",
        "province": {"key": "isfahan", "name": "اصفهان"},
        "subject": {"key": "hajj_deposit", "title": "ودیعه‌گذاری و قبوض حج تمتع"},
        "sub_subject": {"key": "lost_receipt", "title": "گم شدن قبض"},
        "text": "متن درخواست",
        "attachments": [
            {"id": "f-9", "name": "قبض.pdf", "size": 9, "media_type": "application/pdf", "sha256": "0" * 64}
        ],
        "contact": {"mobile": "+989123456789", "landline": None, "email": "zahra@example.com"},
        "novelty": 1,
    }
    return code


async def test_a_new_request_is_shown(tracking):
    code = await tracking.submit()
    answer = await tracking.look_up(code)
    assert answer.status_code == 200
    assert {**answer.json(), "token": "..."} == {
        "tracking_code": code,
        "state": "registered",
        "state_title": "ثبت شد",
        "submitted_at": "2026-12-13T11:00:00Z",
        "submitted_local": "1405-09-22 14:30",
        "due_at": "2026-12-20T20:29:59Z",
        "due_local": "1405-09-29 23:59",
        "province": {"key": "isfahan", "name": "اصفهان"},
        "office": {"key": "isfahan", "name": "اصفهان"},
        "subject": {"key": "hajj_deposit", "title": "ودیعه‌گذاری و قبوض حج تمتع"},
        "sub_subject": {"key": "lost_receipt", "title": "گم شدن قبض"},
        "text": "متن درخواست",
        "attachments": [{"id": "a-1", "name": "فیش.jpg", "size": 9}],
        "contact": {"mobile": "0912*****89", "landline": "0313*****44", "email": "z***@example.ir"},
        "history": [
            {
                "at": "2026-12-13T11:00:00Z",
                "local": "1405-09-22 14:30",
                "state": "registered",
                "title": "ثبت شد",
                "note": None,
                "action": None,
                "files": [],
            }
        ],
        "answer": None,
        "contact_changeable": True,
        "unreached": False,
        "source": "web",
        "representative": None,
        "actions": ["withdraw"],
        "objection_until": None,
        "objection_until_local": None,
        "reply_until": None,
        "reply_until_local": None,
        "token": "...",
    }


async def test_an_answered_request_is_shown_with_its_history(tracking):
    code = await tracking.submit()
    await tracking.report("case-info-requested", code, seq=1)
    await tracking.report("case-answered", code, seq=2)
    view = (await tracking.look_up(code)).json()
    assert (view["state"], view["state_title"]) == ("answered", "پاسخ داده شد")
    assert [(entry["state"], entry["title"], entry["note"], entry["at"]) for entry in view["history"]] == [
        ("registered", "ثبت شد", None, "2026-12-13T11:00:00Z"),
        ("info_requested", "نیازمند توضیح شما", "شماره فیش شما چیست؟", "2026-12-13T12:00:00Z"),
        ("answered", "پاسخ داده شد", None, "2026-12-13T13:00:00Z"),
    ]


async def test_an_answer_is_shown_with_its_files(tracking):
    code = await tracking.submit()
    await tracking.report("case-answered", code)
    assert (await tracking.look_up(code)).json()["answer"] == {
        "text": "قبض شما صادر شد.\nبه دفتر استان بیایید.",
        "at": "2026-12-13T12:00:00Z",
        "local": "1405-09-22 15:30",
        "files": [{"id": "0b9a7d5e-3c41-4f0e-9d5b-6f2f6d1f7a10", "name": "قبض.pdf", "size": 12}],
    }


@ON_SQLITE
@pytest.mark.parametrize(
    "text",
    [
        "می‌آیید؟\n\n\tشمارهٔ ۱۲۳۴",
        "<b>و</b> &amp; {{ x }} %s",
        "كاف عربي و ي",
        "e\u0301 \U0001f54b \u2067x\u2069",
        "x" * 8000,
    ],
)
async def test_an_answer_is_shown_as_it_was_written(tracking, text):
    code = await tracking.submit()
    await tracking.report("case-answered", code, data={"text": text})
    assert (await tracking.look_up(code)).json()["answer"]["text"] == text


async def test_a_referred_request_is_shown_in_its_new_province(tracking):
    code = await tracking.submit()
    await tracking.report("case-referred", code)
    view = (await tracking.look_up(code)).json()
    assert (view["state"], view["province"]) == ("registered", {"key": "fars", "name": "فارس"})
    assert [entry["state"] for entry in view["history"]] == ["registered", "referred"]


@ON_SQLITE
@pytest.mark.parametrize("between", ["", " ", "-", "\u200c", "\u2066", "\u00a0"])
async def test_a_code_in_groups_is_accepted(tracking, between):
    code = await tracking.submit()
    assert (await tracking.look_up(in_groups(code, between))).status_code == 200


@ON_SQLITE
@pytest.mark.parametrize(
    "typed",
    [
        to_persian,
        lambda number: number.translate(ARABIC_INDIC),
        lambda number: to_persian(number[:4]) + number[4:],
        lambda number: f" \u200f{number}\u200f\n",
    ],
)
async def test_digits_of_any_set_are_accepted(tracking, typed):
    code = await tracking.submit()
    answer = await tracking.look_up(typed(code), typed(NATIONAL_ID))
    assert (answer.status_code, answer.json()["tracking_code"]) == (200, code)


async def test_a_national_id_without_its_leading_zeros_is_accepted(tracking):
    code = await tracking.submit()
    assert (await tracking.look_up(code, NATIONAL_ID.lstrip("0"))).status_code == 200


async def test_the_captcha_is_checked_once_for_its_purpose(tracking):
    code = await tracking.submit()
    await tracking.look_up(code, answer="۴۰۹۶۷")
    [(path, body)] = tracking.peers.calls_to("/internal/captchas/")
    assert path == "/internal/captchas/captcha-0001/answers"
    assert (body["purpose"], body["answer"]) == ("track", "۴۰۹۶۷")


async def test_each_look_up_has_a_claim_of_its_own(tracking):
    code = await tracking.submit()
    await tracking.look_up(code)
    await tracking.look_up(code)
    claims = {body["claim"] for _, body in tracking.peers.calls_to("/internal/captchas/")}
    assert len(claims) == 2


async def test_a_response_is_not_cached(tracking):
    code = await tracking.submit()
    assert (await tracking.look_up(code)).headers["cache-control"] == "no-store"


async def test_the_token_is_valid_for_this_request(tracking):
    code = await tracking.submit()
    token = (await tracking.look_up(code)).json()["token"]
    claims = TokenReader(tracking.public_key, issuer="tracking", audience="desk.tracking").read(token)
    assert (claims["sub"], claims["exp"] - claims["iat"]) == (code, 900)


async def test_the_token_is_invalid_for_another_audience(tracking):
    code = await tracking.submit()
    token = (await tracking.look_up(code)).json()["token"]
    with pytest.raises(TokenError):
        TokenReader(tracking.public_key, issuer="tracking", audience="desk.intake").read(token)


@pytest.fixture
async def misses(tracking, new_code):
    """Three look-ups that find nothing."""
    return {
        "unknown": await tracking.look_up(new_code()),
        "foreign": await tracking.look_up(await tracking.submit(), OTHER_NATIONAL_ID),
        "mistyped": await tracking.look_up(mistype(await tracking.submit())),
    }


@pytest.mark.parametrize("name", ["unknown", "foreign", "mistyped"])
async def test_every_request_that_is_not_found_has_the_same_error(misses, name):
    answer = misses[name]
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "request_not_found"
    assert is_persian(answer.json()["title"])


async def test_an_unknown_code_and_another_persons_code_have_equal_responses(misses):
    assert misses["unknown"].json() == misses["foreign"].json()
    assert misses["unknown"].json()["errors"] == []
    assert set(misses["unknown"].headers) == set(misses["foreign"].headers)


async def test_a_mistyped_digit_is_hinted_at_in_its_field(misses):
    [error] = misses["mistyped"].json()["errors"]
    assert (error["field"], error["code"]) == ("tracking_code", "tracking_code_check_digit")
    assert is_persian(error["message"])


async def test_a_mistyped_digit_costs_no_captcha(tracking):
    await tracking.look_up(mistype(await tracking.submit()))
    assert tracking.peers.calls == []


@pytest.mark.parametrize("code", ["captcha_wrong", "captcha_expired"])
async def test_a_refused_captcha_is_an_error_of_its_field(tracking, code):
    tracking.peers.refuse_captcha(code)
    answer = await tracking.look_up(await tracking.submit())
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["errors"][0]["field"] == "captcha.answer"


async def test_a_refused_captcha_prevents_the_look_up(tracking, fresh):
    tracking.peers.refuse_captcha("captcha_wrong")
    await tracking.look_up(fresh)
    assert [path for path, _ in tracking.peers.calls] == ["/internal/captchas/captcha-0001/answers"]


UNAVAILABLE = {
    "refused": httpx.ConnectError("refused"),
    "slow": httpx.ReadTimeout("slow"),
    "cut off": httpx.RemoteProtocolError("cut"),
    "failing": httpx.Response(500, json={"code": "internal_error"}),
    "unavailable itself": httpx.Response(503, json={"code": "service_unavailable"}),
    "another server": httpx.Response(404, text="<html>no such page</html>"),
    "redirected": httpx.Response(307, headers={"location": "http://elsewhere"}),
    "of another version": httpx.Response(422, json={"code": "validation_failed"}),
    "no JSON": httpx.Response(400, content=b"\xff"),
    "JSON of another kind": httpx.Response(422, json=["captcha_wrong"]),
}


@ON_SQLITE
@pytest.mark.parametrize("name", UNAVAILABLE)
async def test_a_look_up_fails_while_the_captcha_service_is_unavailable(tracking, logged, name):
    tracking.peers.captcha = UNAVAILABLE[name]
    answer = await tracking.look_up(await tracking.submit())
    assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
    assert int(answer.headers["retry-after"]) > 0


async def test_a_fresh_request_is_shown_with_the_data_of_intake(tracking, fresh):
    view = (await tracking.look_up(fresh)).json()
    assert (view["tracking_code"], view["state"], view["answer"]) == (fresh, "registered", None)
    assert view["province"] == {"key": "isfahan", "name": "اصفهان"}
    assert (view["text"], [file["id"] for file in view["attachments"]]) == ("متن درخواست", ["f-9"])
    assert view["contact"] == {"mobile": "0912*****89", "landline": None, "email": "z***@example.com"}
    [first] = view["history"]
    assert first == {
        "at": "2026-12-13T11:00:00Z",
        "local": "1405-09-22 14:30",
        "state": "registered",
        "title": "ثبت شد",
        "note": None,
        "action": None,
        "files": [],
    }
    assert view["actions"] == []


async def test_a_fresh_request_is_shown_to_its_applicant_only(tracking, fresh):
    assert (await tracking.look_up(fresh, OTHER_NATIONAL_ID)).status_code == 404


async def test_a_known_request_causes_no_call_to_intake(tracking):
    await tracking.look_up(await tracking.submit())
    assert tracking.peers.calls_to("/internal/requests/") == []


@ON_SQLITE
@pytest.mark.parametrize(
    "name", [*UNAVAILABLE.keys() - {"of another version"}, "half an answer", "an empty answer", "another version"]
)
async def test_an_unknown_code_is_no_404_while_intake_is_unavailable(tracking, logged, new_code, name):
    more = {
        "half an answer": httpx.Response(200, json={"tracking_code": "1", "text": NATIONAL_ID}),
        "an empty answer": httpx.Response(200),
        "another version": httpx.Response(422, json={"code": "validation_failed"}),
    }
    tracking.peers.intake = (UNAVAILABLE | more)[name]
    answer = await tracking.look_up(new_code())
    assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
    assert NATIONAL_ID not in logged()


async def test_a_known_request_is_shown_while_intake_is_unavailable(tracking):
    tracking.peers.intake = httpx.ConnectError("refused")
    assert (await tracking.look_up(await tracking.submit())).status_code == 200


async def test_misses_are_rate_limited(tracking, new_code):
    statuses = [(await tracking.look_up(new_code())).status_code for _ in range(5)]
    assert statuses == [404, 404, 404, 429, 429]


async def test_a_rate_limited_look_up_uses_no_captcha(tracking, new_code):
    for _ in range(3):
        await tracking.look_up(new_code())
    tracking.peers.calls.clear()
    await tracking.look_up(await tracking.submit())
    assert tracking.peers.calls == []


async def test_a_found_request_is_no_miss(tracking):
    code = await tracking.submit()
    statuses = {(await tracking.look_up(code)).status_code for _ in range(8)}
    assert statuses == {200}


async def test_a_fresh_request_is_no_miss(tracking, fresh):
    statuses = {(await tracking.look_up(fresh)).status_code for _ in range(8)}
    assert statuses == {200}


async def test_a_wrong_captcha_and_an_outage_are_no_misses(tracking, new_code, logged):
    tracking.peers.refuse_captcha("captcha_wrong")
    for _ in range(4):
        await tracking.look_up(new_code())
    tracking.peers.captcha, tracking.peers.intake = httpx.Response(204), httpx.ConnectError("refused")
    for _ in range(4):
        await tracking.look_up(new_code())
    assert (await tracking.look_up(await tracking.submit())).status_code == 200


async def test_look_ups_are_rate_limited(tracking):
    code = await tracking.submit()
    statuses = [(await tracking.look_up(code)).status_code for _ in range(31)]
    assert statuses == [200] * 30 + [429]


async def test_after_the_free_misses_the_right_code_passes_with_a_proof_of_work(tracking, new_code):
    for _ in range(3):
        assert (await tracking.look_up(new_code())).status_code == 404
    code = await tracking.submit()
    calls = len(tracking.peers.calls)

    refused = await tracking.look_up(code)
    assert (refused.status_code, refused.json()["code"], refused.json()["level"]) == (429, "proof_required", 1)
    assert len(tracking.peers.calls) == calls, "the security code is not used up"

    assert (await tracking.look_up(code, proof=PROOF)).status_code == 200
    assert tracking.peers.calls_to("/internal/captchas/proof-0001/")[0][1]["answer"] == PROOF["solution"]


async def test_each_further_miss_needs_a_proof_of_the_next_level(tracking, new_code):
    for _ in range(3):
        await tracking.look_up(new_code())
    assert (await tracking.look_up(new_code(), proof=PROOF)).status_code == 404
    refused = await tracking.look_up(new_code(), proof=PROOF)
    assert (refused.json()["code"], refused.json()["level"]) == ("proof_required", 2)


@pytest.mark.parametrize("code", ["captcha_wrong", "captcha_early", "captcha_expired"])
async def test_a_proof_that_does_not_hold_is_refused_at_its_field(tracking, code):
    tracking.peers.proof = httpx.Response(422, json={"code": code})
    refused = await tracking.look_up(await tracking.submit(), proof=PROOF)
    expected = "proof_expired" if code == "captcha_expired" else "proof_wrong"
    assert (refused.status_code, refused.json()["code"], refused.json()["errors"][0]["field"]) == (
        422,
        expected,
        "proof",
    )


async def test_each_address_has_a_rate_limit_of_its_own(tracking, new_code):
    for _ in range(4):
        await tracking.look_up(new_code(), source="192.0.2.1")
    assert (await tracking.look_up(await tracking.submit(), source="192.0.2.2")).status_code == 200


async def test_codes_tried_at_the_same_time_do_not_exceed_the_limit(tracking, new_code):
    answers = await asyncio.gather(*(tracking.look_up(new_code()) for _ in range(25)))

    assert sorted(answer.status_code for answer in answers) == [404] * 3 + [429] * 22
    assert len(tracking.peers.calls_to("/internal/requests/")) == 3, "no more codes are looked up than the limit allows"


async def test_the_addresses_of_one_ipv6_network_are_one_source(tracking, new_code):
    statuses = [
        (await tracking.look_up(new_code(), source=f"2001:db8:1:2{host:02x}::{host}")).status_code for host in range(5)
    ]
    assert statuses == [404, 404, 404, 429, 429]
    assert (await tracking.look_up(await tracking.submit(), source="2001:db8:1:300::1")).status_code == 200


GOOD = {
    "national_id": NATIONAL_ID,
    "tracking_code": "572345678909",
    "captcha": {"id": "captcha-0001", "answer": "40967"},
}
BAD = {
    "a wrong check digit": ({"national_id": "0013542418"}, "national_id", "national_id_check_digit"),
    "ten equal digits": ({"national_id": "1111111111"}, "national_id", "national_id_equal_digits"),
    "eleven digits": ({"national_id": "00135424190"}, "national_id", "national_id_length"),
    "no national ID": ({"national_id": ""}, "national_id", "national_id_empty"),
    "letters": ({"national_id": "zahra"}, "national_id", "national_id_not_digits"),
    "half an escape in the national ID": ({"national_id": "\ud800"}, "national_id", "string_unicode"),
    "a number": ({"national_id": 13542419}, "national_id", "string_type"),
    "a very long national ID": ({"national_id": " " * 65}, "national_id", "string_too_long"),
    "eleven digits of code": ({"tracking_code": "57234567890"}, "tracking_code", "tracking_code_length"),
    "thirteen digits of code": ({"tracking_code": "5723456789090"}, "tracking_code", "tracking_code_length"),
    "letters in the code": ({"tracking_code": "57234567890x"}, "tracking_code", "tracking_code_length"),
    "digits of an unused set": ({"tracking_code": "५" * 12}, "tracking_code", "tracking_code_length"),
    "no code": ({"tracking_code": ""}, "tracking_code", "tracking_code_length"),
    "no captcha": ({"captcha": None}, "captcha", "model_attributes_type"),
    "no captcha id": ({"captcha": {"answer": "1"}}, "captcha.id", "missing"),
    "a path as captcha id": ({"captcha": {"id": "../../x/y", "answer": "1"}}, "captcha.id", "string_pattern_mismatch"),
    "a line end after the id": (
        {"captcha": {"id": "captcha-0001\n", "answer": "1"}},
        "captcha.id",
        "string_pattern_mismatch",
    ),
    "no captcha answer": ({"captcha": {"id": "captcha-0001", "answer": ""}}, "captcha.answer", "string_too_short"),
    "a long captcha answer": (
        {"captcha": {"id": "captcha-0001", "answer": "1" * 33}},
        "captcha.answer",
        "string_too_long",
    ),
    "half an escape in the captcha answer": (
        {"captcha": {"id": "captcha-0001", "answer": "\udfff"}},
        "captcha.answer",
        "string_unicode",
    ),
}


@ON_SQLITE
@pytest.mark.parametrize("name", BAD)
async def test_invalid_input_is_refused_at_its_field_in_persian(tracking, name):
    changes, field, code = BAD[name]
    answer = await tracking.post({**GOOD, **changes})
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    [error] = answer.json()["errors"]
    assert (error["field"], error["code"]) == (field, code)
    assert is_persian(error["message"])


@ON_SQLITE
@pytest.mark.parametrize("name", BAD)
async def test_invalid_input_causes_no_call_to_other_services(tracking, name):
    await tracking.post({**GOOD, **BAD[name][0]})
    assert tracking.peers.calls == []


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=70)
anything = st.recursive(
    values, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
typed = st.text(alphabet="0123456789۰۱۲٣٤ -\u200c\u2066x\x00\ud800", max_size=70) | values
queries = st.fixed_dictionaries(
    {},
    optional={
        "national_id": st.just(NATIONAL_ID) | typed,
        "tracking_code": st.just(GOOD["tracking_code"]) | typed,
        "captcha": st.fixed_dictionaries({}, optional={"id": st.just("captcha-0001") | typed, "answer": typed})
        | anything,
        "more": anything,
    },
)


@ON_SQLITE
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None)
@given(queries | anything)
async def test_any_body_is_answered_with_a_client_error(tracking, query):
    answer = await tracking.post(query)
    assert 400 <= answer.status_code < 500
