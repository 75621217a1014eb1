"""Who comes in: passwords, codes of devices, recovery codes, patience, and sessions that end."""

from datetime import timedelta

import pyotp
import pytest
from support.console_service import PASSWORD

from desk.console.domain.accounts import ATTEMPT_WINDOW, MAX_AGE, MAX_IDLE, Role, Step
from desk.console.domain.errors import FieldError, SecondFactorError, SignInError, TooManyAttemptsError


@pytest.fixture
async def expert(console):
    return await console.account("expert")


async def enrolled(console, password=PASSWORD):
    """Enrol a device for the expert; give it and the recovery codes."""
    user_session = await console.sign_in.find_session(
        await console.sign_in.check_password("expert", password, "192.0.2.1")
    )
    device = pyotp.parse_uri(await console.sign_in.enrolment_uri(user_session))
    _, codes = await console.sign_in.confirm_enrolment(user_session, device.at(console.now))
    console.now += timedelta(seconds=90)
    return device, codes


async def after_the_password(console):
    return await console.sign_in.find_session(await console.sign_in.check_password("expert", PASSWORD, "192.0.2.1"))


async def test_without_a_device_one_is_enrolled_before_anything_else(console, expert):
    assert (await after_the_password(console)).step is Step.ENROL


async def test_the_code_of_the_device_lets_in_and_only_once(console, expert):
    device, _ = await enrolled(console)
    user_session, code = await after_the_password(console), device.at(console.now)
    assert user_session.step is Step.CODE
    come_in = await console.sign_in.find_session(await console.sign_in.check_code(user_session, code, "192.0.2.1"))
    assert come_in.step is Step.IN
    with pytest.raises(SecondFactorError):
        await console.sign_in.check_code(await after_the_password(console), code, "192.0.2.1")


async def test_a_recovery_code_lets_in_once(console, expert):
    _, codes = await enrolled(console)
    await console.sign_in.check_code(await after_the_password(console), codes[0].upper(), "192.0.2.1")
    with pytest.raises(SecondFactorError):
        await console.sign_in.check_code(await after_the_password(console), codes[0], "192.0.2.1")


async def test_wrong_name_and_wrong_password_look_alike(console, expert):
    for username, password in (("expert", "wrong"), ("nobody", PASSWORD)):
        with pytest.raises(SignInError):
            await console.sign_in.check_password(username, password, "192.0.2.1")


async def test_after_five_wrong_tries_the_right_password_has_to_wait(console, expert):
    for _ in range(5):
        with pytest.raises(SignInError):
            await console.sign_in.check_password("expert", "wrong", "192.0.2.1")
    with pytest.raises(TooManyAttemptsError):
        await console.sign_in.check_password("expert", PASSWORD, "198.51.100.7")
    console.now += ATTEMPT_WINDOW + timedelta(seconds=1)
    assert await console.sign_in.check_password("expert", PASSWORD, "192.0.2.1")


async def test_wrong_codes_are_counted_although_the_password_was_right(console, expert):
    await enrolled(console)
    for _ in range(5):
        with pytest.raises(SecondFactorError):
            await console.sign_in.check_code(await after_the_password(console), "000000", "192.0.2.1")
    with pytest.raises(TooManyAttemptsError):
        await after_the_password(console)


async def test_an_address_that_tries_many_names_has_to_wait(console, expert):
    for number in range(30):
        with pytest.raises(SignInError):
            await console.sign_in.check_password(f"name{number}", "wrong", "203.0.113.9")
    with pytest.raises(TooManyAttemptsError):
        await console.sign_in.check_password("expert", PASSWORD, "203.0.113.9")
    assert await console.sign_in.check_password("expert", PASSWORD, "192.0.2.1")


@pytest.mark.parametrize("pause", [MAX_IDLE + timedelta(seconds=1), MAX_AGE + timedelta(seconds=1)])
async def test_a_visit_ends_by_time(console, expert, pause):
    token = await console.sign_in.check_password("expert", PASSWORD, "192.0.2.1")
    console.now += pause
    assert await console.sign_in.find_session(token) is None


async def test_whoever_is_shut_out_is_out_at_once(console, expert):
    supervisor = await console.account("supervisor", Role.SUPERVISOR)
    token = await console.sign_in.check_password("expert", PASSWORD, "192.0.2.1")
    await console.supervision.set_active(supervisor, expert.id, active=False)
    assert await console.sign_in.find_session(token) is None
    with pytest.raises(SignInError):
        await console.sign_in.check_password("expert", PASSWORD, "192.0.2.1")
    with pytest.raises(FieldError):
        await console.supervision.set_active(supervisor, supervisor.id, active=False)


async def test_who_has_lost_all_gets_a_new_password_and_enrols_anew(console, expert):
    _, codes = await enrolled(console)
    supervisor = await console.account("supervisor", Role.SUPERVISOR)
    given = await console.supervision.reset(supervisor, expert.id)
    user_session = await console.sign_in.find_session(
        await console.sign_in.check_password("expert", given, "192.0.2.1")
    )
    assert user_session.step is Step.PASSWORD
    changed = await console.sign_in.find_session(
        await console.sign_in.change_password(user_session, given, "a new word of mine", "a new word of mine")
    )
    assert changed.step is Step.ENROL
    with pytest.raises(SecondFactorError):
        await console.sign_in.confirm_enrolment(changed, codes[1])


async def test_passwords_are_hashed_slowly_and_codes_are_not_kept(console, expert, tmp_path):
    _, codes = await enrolled(console)
    await console.database.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("console.sqlite3*"))
    assert b"$argon2id$" in stored
    for secret in (PASSWORD, *codes):
        assert secret.encode() not in stored
