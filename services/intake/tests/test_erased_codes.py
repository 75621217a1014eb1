"""The list of erased codes in the object store."""

from typing import Any

ADD, LIST = "/internal/erasures", "/internal/erasures/list"
CODES = ["123456789018", "572345678909", "999999999999"]


async def listed(desk: Any, **form: Any) -> Any:
    return (await desk.client.post(LIST, json=form)).json()


async def test_a_code_is_listed_once_and_in_order(desk):
    for code in (CODES[2], CODES[0], CODES[1], CODES[0]):
        assert (await desk.client.post(ADD, json={"tracking_code": code})).status_code == 204

    assert await listed(desk) == CODES
    assert await listed(desk, limit=2) == CODES[:2]
    assert await listed(desk, after=CODES[1], limit=2) == CODES[2:]


async def test_an_outage_of_the_store_is_reported(desk):
    desk.parts.storage.down = True
    for path, form in ((ADD, {"tracking_code": CODES[0]}), (LIST, {})):
        answer = await desk.client.post(path, json=form)
        assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")


async def test_only_a_code_is_listed(desk):
    for wrong in ("", "../secret", "12345678901", "۱۲۳۴۵۶۷۸۹۰۱۸"):
        assert (await desk.client.post(ADD, json={"tracking_code": wrong})).status_code == 422
    assert await listed(desk) == []
