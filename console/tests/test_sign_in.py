"""Who comes in: passwords, codes of devices, recovery codes, patience, and sessions that end."""

from datetime import timedelta

import pyotp
import pytest
from support.console_service import PASSWORD

from desk.console.domain.accounts import IDLE, LONGEST, TRY_WINDOW, Role, Step
from desk.console.domain.errors import FieldError, SecondFactorError, SignInError, TooManyTriesError


@pytest.fixture
async def expert(house):
    return await house.account("expert")


async def enrolled(house, password=PASSWORD):
    """Enrol a device for the expert; give it and the recovery codes."""
    visit = await house.sign_in.visit(await house.sign_in.begin("expert", password, "192.0.2.1"))
    device = pyotp.parse_uri(await house.sign_in.enrolment(visit))
    _, codes = await house.sign_in.confirm_enrolment(visit, device.at(house.now))
    house.now += timedelta(seconds=90)
    return device, codes


async def after_the_password(house):
    return await house.sign_in.visit(await house.sign_in.begin("expert", PASSWORD, "192.0.2.1"))


async def test_without_a_device_one_is_enrolled_before_anything_else(house, expert):
    assert (await after_the_password(house)).step is Step.ENROL


async def test_the_code_of_the_device_lets_in_and_only_once(house, expert):
    device, _ = await enrolled(house)
    visit, code = await after_the_password(house), device.at(house.now)
    assert visit.step is Step.CODE
    come_in = await house.sign_in.visit(await house.sign_in.give_code(visit, code, "192.0.2.1"))
    assert come_in.step is Step.IN
    with pytest.raises(SecondFactorError):
        await house.sign_in.give_code(await after_the_password(house), code, "192.0.2.1")


async def test_a_recovery_code_lets_in_once(house, expert):
    _, codes = await enrolled(house)
    await house.sign_in.give_code(await after_the_password(house), codes[0].upper(), "192.0.2.1")
    with pytest.raises(SecondFactorError):
        await house.sign_in.give_code(await after_the_password(house), codes[0], "192.0.2.1")


async def test_wrong_name_and_wrong_password_look_alike(house, expert):
    for username, password in (("expert", "wrong"), ("nobody", PASSWORD)):
        with pytest.raises(SignInError):
            await house.sign_in.begin(username, password, "192.0.2.1")


async def test_after_five_wrong_tries_the_right_password_has_to_wait(house, expert):
    for _ in range(5):
        with pytest.raises(SignInError):
            await house.sign_in.begin("expert", "wrong", "192.0.2.1")
    with pytest.raises(TooManyTriesError):
        await house.sign_in.begin("expert", PASSWORD, "198.51.100.7")
    house.now += TRY_WINDOW + timedelta(seconds=1)
    assert await house.sign_in.begin("expert", PASSWORD, "192.0.2.1")


async def test_wrong_codes_are_counted_although_the_password_was_right(house, expert):
    await enrolled(house)
    for _ in range(5):
        with pytest.raises(SecondFactorError):
            await house.sign_in.give_code(await after_the_password(house), "000000", "192.0.2.1")
    with pytest.raises(TooManyTriesError):
        await after_the_password(house)


async def test_an_address_that_tries_many_names_has_to_wait(house, expert):
    for number in range(30):
        with pytest.raises(SignInError):
            await house.sign_in.begin(f"name{number}", "wrong", "203.0.113.9")
    with pytest.raises(TooManyTriesError):
        await house.sign_in.begin("expert", PASSWORD, "203.0.113.9")
    assert await house.sign_in.begin("expert", PASSWORD, "192.0.2.1")


@pytest.mark.parametrize("pause", [IDLE + timedelta(seconds=1), LONGEST + timedelta(seconds=1)])
async def test_a_visit_ends_by_time(house, expert, pause):
    token = await house.sign_in.begin("expert", PASSWORD, "192.0.2.1")
    house.now += pause
    assert await house.sign_in.visit(token) is None


async def test_whoever_is_shut_out_is_out_at_once(house, expert):
    supervisor = await house.account("supervisor", Role.SUPERVISOR)
    token = await house.sign_in.begin("expert", PASSWORD, "192.0.2.1")
    await house.supervising.set_active(supervisor, expert.id, active=False)
    assert await house.sign_in.visit(token) is None
    with pytest.raises(SignInError):
        await house.sign_in.begin("expert", PASSWORD, "192.0.2.1")
    with pytest.raises(FieldError):
        await house.supervising.set_active(supervisor, supervisor.id, active=False)


async def test_who_has_lost_all_gets_a_new_password_and_enrols_anew(house, expert):
    _, codes = await enrolled(house)
    supervisor = await house.account("supervisor", Role.SUPERVISOR)
    given = await house.supervising.reset(supervisor, expert.id)
    visit = await house.sign_in.visit(await house.sign_in.begin("expert", given, "192.0.2.1"))
    assert visit.step is Step.PASSWORD
    changed = await house.sign_in.visit(
        await house.sign_in.change_password(visit, given, "a new word of mine", "a new word of mine")
    )
    assert changed.step is Step.ENROL
    with pytest.raises(SecondFactorError):
        await house.sign_in.confirm_enrolment(changed, codes[1])


async def test_passwords_are_hashed_slowly_and_codes_are_not_kept(house, expert, tmp_path):
    _, codes = await enrolled(house)
    await house.database.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("console.sqlite3*"))
    assert b"$argon2id$" in stored
    for secret in (PASSWORD, *codes):
        assert secret.encode() not in stored
