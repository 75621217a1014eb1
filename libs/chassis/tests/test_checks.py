"""The checks of a deployment: a reason for each problem, without a secret."""

import pytest

from desk.chassis.checks import address, find_problems, redis
from desk.chassis.store_checks import broker

CHECKS = {"redis": redis, "amqp": broker, "http": address}


@pytest.mark.parametrize("scheme", CHECKS)
@pytest.mark.parametrize("mark", "/#?[")
async def test_a_password_with_a_mark_that_ends_the_host_is_not_in_the_reason(scheme, mark):
    url = f"{scheme}://desk:s3cret{mark}s3cret@127.0.0.1:1/"
    found = await find_problems({"URL": CHECKS[scheme](url)})
    assert set(found) == {"URL"}
    assert "s3cret" not in found["URL"]


async def test_a_server_that_does_not_answer_is_named_by_the_error():
    found = await find_problems({"URL": redis("redis://127.0.0.1:1/0")})
    assert "Connect call failed" in found["URL"]
