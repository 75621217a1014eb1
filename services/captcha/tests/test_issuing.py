import base64
import io
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image


async def test_a_challenge_is_an_image_valid_for_five_minutes(client):
    issued = await client.post("/api/captchas", json={"purpose": "submit"})

    assert issued.status_code == 201
    assert issued.headers["cache-control"] == "no-store"
    body = issued.json()
    assert set(body) == {"id", "kind", "expires_at", "image"}
    assert body["kind"] == "image"
    life = datetime.fromisoformat(body["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=4, seconds=50) < life <= timedelta(minutes=5)
    kind, _, encoded = body["image"].partition(",")
    assert kind == "data:image/png;base64"
    png = base64.b64decode(encoded, validate=True)
    assert len(png) < 12 * 1024
    with Image.open(io.BytesIO(png)) as picture:
        assert (picture.format, picture.size) == ("PNG", (480, 160))


async def test_the_response_does_not_contain_the_answer(client):
    issued = await client.post("/api/captchas", json={"purpose": "track"})

    plain = issued.text.partition('"image"')[0] + str(issued.headers)
    with Image.open(io.BytesIO(base64.b64decode(issued.json()["image"].partition(",")[2]))) as picture:
        plain += str(picture.info)
    assert not any(answer in plain for answer in ("40967", "۴۰۹۶۷", "٤٠٩٦٧"))


async def test_no_two_challenges_look_alike(client):
    pictures = [(await client.post("/api/captchas", json={"purpose": "submit"})).json() for _ in range(5)]

    assert len({picture["image"] for picture in pictures}) == 5
    assert len({picture["id"] for picture in pictures}) == 5


async def test_everything_in_redis_expires(redis, issue, answer):
    await answer(await issue(), "00000")
    await answer(await issue())
    await answer("unknown-but-well-forme")

    keys = await redis.keys("*")
    assert {key.split(b":")[0] for key in keys} == {b"captcha", b"limit", b"captcha-pool"}
    for key in keys:
        assert 0 < await redis.ttl(key) <= (3600 if key.startswith(b"captcha-pool") else 600)


@pytest.mark.parametrize(
    ("purpose", "kind"), [("identity", "image"), ("identity", "sound"), ("submit", "work"), ("mobile", "image")]
)
async def test_a_kind_that_is_not_offered_for_a_purpose_is_refused(client, purpose, kind):
    refused = await client.post("/api/captchas", json={"purpose": purpose, "kind": kind})

    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "captcha_kind_unavailable"
    assert refused.json()["errors"][0]["field"] == "kind"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"purpose": "admin"}, "purpose"),
        ({"purpose": "submit", "kind": "video"}, "kind"),
        ({}, "purpose"),
        ({"purpose": None}, "purpose"),
    ],
)
async def test_an_unknown_purpose_or_kind_is_refused(client, body, field):
    refused = await client.post("/api/captchas", json=body)

    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "validation_failed"
    assert [error["field"] for error in refused.json()["errors"]] == [field]


async def test_a_source_over_its_limit_is_refused_with_a_retry_time(client):
    for _ in range(20):
        assert (await client.post("/api/captchas", json={"purpose": "submit"})).status_code == 201

    refused = await client.post("/api/captchas", json={"purpose": "track"})

    assert refused.status_code == 429
    assert refused.json()["code"] == "budget_exhausted"
    assert 1 <= int(refused.headers["retry-after"]) <= 600
