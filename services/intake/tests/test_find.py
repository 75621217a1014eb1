import pytest

sqlite_only = pytest.mark.parametrize("database_kind", ["sqlite"])
"""For a test of forms and answers, which do not depend on the database."""


@pytest.fixture
def find(desk):
    async def find(national_id, tracking_code):
        form = {"national_id": national_id, "tracking_code": tracking_code}
        return await desk.client.post("/internal/requests/find", json=form)

    return find


async def test_an_applicant_s_request_is_found_by_its_code(desk, find, zahra):
    file_id = await desk.attachment()
    receipt = (await desk.submit(attachments=[file_id])).json()

    answer = await find(zahra["sub"], receipt["tracking_code"])

    assert answer.status_code == 200
    found = answer.json()
    assert [file["id"] for file in found.pop("attachments")] == [file_id]
    assert found.pop("contact")["mobile"].startswith("+989")
    both = found.keys() & receipt.keys()
    assert {name: found[name] for name in both} == {name: receipt[name] for name in both}
    assert {"tracking_code", "submitted_at", "due_at", "province", "subject", "sub_subject", "state", "text"} <= both


@sqlite_only
@pytest.mark.parametrize("national_id", ["۰۰۱۳۵۴۲۴۱۹", "001-354241-9", "13542419"])
async def test_the_national_id_may_be_typed_in_any_form(desk, find, national_id):
    code = (await desk.submit()).json()["tracking_code"]

    assert (await find(national_id, code)).status_code == 200


async def test_another_applicant_s_request_is_not_found(desk, find, ali, problem_of):
    code = (await desk.submit()).json()["tracking_code"]

    assert problem_of(await find(ali["sub"], code), 404)["code"] == "request_not_found"


async def test_an_unknown_code_is_not_found(find, zahra, problem_of):
    assert problem_of(await find(zahra["sub"], "000000000000"), 404)["code"] == "request_not_found"


@sqlite_only
@pytest.mark.parametrize(
    ("national_id", "tracking_code", "field"),
    [
        ("0013542418", "000000000000", "national_id"),
        ("2222222222", "000000000000", "national_id"),
        ("", "000000000000", "national_id"),
        (None, "000000000000", "national_id"),
        ("0013542419", "00000000000", "tracking_code"),
        ("0013542419", "000000000000\n", "tracking_code"),
        ("0013542419", "' OR 1=1 --", "tracking_code"),
        ("0013542419", 123456789012, "tracking_code"),
    ],
)
async def test_an_invalid_query_is_refused_at_its_field(find, problem_of, national_id, tracking_code, field):
    [error] = problem_of(await find(national_id, tracking_code), 422)["errors"]

    assert error["field"] == field


@pytest.fixture
def list_codes(desk):
    async def list_codes(**more):
        form = {"since": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"} | more
        return await desk.client.post("/internal/requests/codes", json=form)

    return list_codes


async def test_codes_of_a_period_are_listed_page_by_page_with_nothing_personal(desk, list_codes):
    desk.broker.down = True  # else the relay would send them meanwhile
    codes = sorted([(await desk.submit()).json()["tracking_code"] for _ in range(3)])

    first = (await list_codes(limit=2)).json()
    second = (await list_codes(limit=2, after=first["requests"][-1]["tracking_code"])).json()

    listed = [*first["requests"], *second["requests"]]
    assert listed == [{"tracking_code": code, "state": "registered", "since": None} for code in codes]
    assert first.keys() == {"requests", "unsent", "oldest_unsent_seconds", "files_unannounced"}
    assert first["unsent"] == 3


async def test_codes_of_another_period_are_not_listed(desk, list_codes):
    await desk.submit()

    assert (await list_codes(until="2021-01-01T00:00:00Z")).json()["requests"] == []


@sqlite_only
@pytest.mark.parametrize("form", [{"limit": 0}, {"limit": 1001}, {"since": "yesterday"}, {"after": "x"}])
async def test_an_invalid_query_for_codes_is_refused(list_codes, problem_of, form):
    [error] = problem_of(await list_codes(**form), 422)["errors"]

    assert error["field"] == next(iter(form))


async def test_the_state_of_a_request_is_found_by_its_code_alone(desk, problem_of):
    code = (await desk.submit()).json()["tracking_code"]

    answer = await desk.client.post("/internal/requests/state", json={"tracking_code": code})

    assert answer.json() == {"state": "registered"}
    unknown = await desk.client.post("/internal/requests/state", json={"tracking_code": "0" * 12})
    assert problem_of(unknown, 404)["code"] == "request_not_found"
