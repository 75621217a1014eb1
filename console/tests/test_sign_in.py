"""Sign-in: passwords, codes of devices, recovery codes, the limit of attempts, and expired sessions."""

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
    """Enrol a device for the expert; return it and the recovery codes."""
    user_session = await console.sign_in.find_session(
        await console.sign_in.check_password("expert", password, "192.0.2.1")
    )
    device = pyotp.parse_uri(await console.sign_in.enrolment_uri(user_session))
    _, codes = await console.sign_in.confirm_enrolment(user_session, device.at(console.now))
    console.now += timedelta(seconds=90)
    return device, codes


async def after_the_password(console):
    return await console.sign_in.find_session(await console.sign_in.check_password("expert", PASSWORD, "192.0.2.1"))


async def test_the_first_step_after_the_password_is_to_enrol_a_device(console, expert):
    assert (await after_the_password(console)).step is Step.ENROL


async def test_a_code_of_the_device_is_valid_once(console, expert):
    device, _ = await enrolled(console)
    user_session, code = await after_the_password(console), device.at(console.now)
    assert user_session.step is Step.CODE
    signed_in = await console.sign_in.find_session(await console.sign_in.check_code(user_session, code, "192.0.2.1"))
    assert signed_in.step is Step.IN
    with pytest.raises(SecondFactorError):
        await console.sign_in.check_code(await after_the_password(console), code, "192.0.2.1")


async def test_a_recovery_code_is_valid_once(console, expert):
    _, codes = await enrolled(console)
    await console.sign_in.check_code(await after_the_password(console), codes[0].upper(), "192.0.2.1")
    with pytest.raises(SecondFactorError):
        await console.sign_in.check_code(await after_the_password(console), codes[0], "192.0.2.1")


async def test_a_wrong_user_name_and_a_wrong_password_raise_the_same_error(console, expert):
    with pytest.raises(SignInError) as wrong_password:
        await console.sign_in.check_password("expert", "wrong", "192.0.2.1")
    with pytest.raises(SignInError) as wrong_name:
        await console.sign_in.check_password("unknown", PASSWORD, "192.0.2.1")
    assert wrong_password.value.title == wrong_name.value.title


async def test_after_five_failed_attempts_the_correct_password_is_refused_for_a_while(console, expert):
    for _ in range(5):
        with pytest.raises(SignInError):
            await console.sign_in.check_password("expert", "wrong", "192.0.2.1")
    with pytest.raises(TooManyAttemptsError):
        await console.sign_in.check_password("expert", PASSWORD, "198.51.100.7")
    console.now += ATTEMPT_WINDOW + timedelta(seconds=1)
    assert await console.sign_in.check_password("expert", PASSWORD, "192.0.2.1")


async def test_wrong_codes_count_as_failed_attempts(console, expert):
    await enrolled(console)
    for _ in range(5):
        with pytest.raises(SecondFactorError):
            await console.sign_in.check_code(await after_the_password(console), "000000", "192.0.2.1")
    with pytest.raises(TooManyAttemptsError):
        await after_the_password(console)


async def test_an_address_with_many_failed_attempts_is_refused(console, expert):
    for number in range(30):
        with pytest.raises(SignInError):
            await console.sign_in.check_password(f"name{number}", "wrong", "203.0.113.9")
    with pytest.raises(TooManyAttemptsError):
        await console.sign_in.check_password("expert", PASSWORD, "203.0.113.9")
    assert await console.sign_in.check_password("expert", PASSWORD, "192.0.2.1")


@pytest.mark.parametrize("pause", [MAX_IDLE + timedelta(seconds=1), MAX_AGE + timedelta(seconds=1)])
async def test_a_session_expires(console, expert, pause):
    token = await console.sign_in.check_password("expert", PASSWORD, "192.0.2.1")
    console.now += pause
    assert await console.sign_in.find_session(token) is None


async def test_a_deactivated_account_is_signed_out_and_cannot_sign_in(console, expert):
    supervisor = await console.account("supervisor", Role.SUPERVISOR)
    token = await console.sign_in.check_password("expert", PASSWORD, "192.0.2.1")
    await console.supervision.set_active(supervisor, expert.id, active=False)
    assert await console.sign_in.find_session(token) is None
    with pytest.raises(SignInError):
        await console.sign_in.check_password("expert", PASSWORD, "192.0.2.1")
    with pytest.raises(FieldError):
        await console.supervision.set_active(supervisor, supervisor.id, active=False)


async def test_an_account_that_was_reset_needs_a_new_password_and_a_new_device(console, expert):
    _, codes = await enrolled(console)
    supervisor = await console.account("supervisor", Role.SUPERVISOR)
    issued = await console.supervision.reset(supervisor, expert.id)
    user_session = await console.sign_in.find_session(
        await console.sign_in.check_password("expert", issued, "192.0.2.1")
    )
    assert user_session.step is Step.PASSWORD
    changed = await console.sign_in.find_session(
        await console.sign_in.change_password(user_session, issued, "a new word of mine", "a new word of mine")
    )
    assert changed.step is Step.ENROL
    with pytest.raises(SecondFactorError):
        await console.sign_in.confirm_enrolment(changed, codes[1])


async def test_passwords_are_hashed_slowly_and_recovery_codes_are_not_stored(console, expert, tmp_path):
    _, codes = await enrolled(console)
    await console.database.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("console.sqlite3*"))
    assert b"$argon2id$" in stored
    assert not [secret for secret in (PASSWORD, *codes) if secret.encode() in stored]
