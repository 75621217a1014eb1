"""Sign-in: passwords, codes of devices, recovery codes, the limit of attempts, and expired sessions."""

from datetime import timedelta

import pyotp
import pytest
from support.console_service import PASSWORD

from desk.console.domain.accounts import MAX_AGE, MAX_IDLE, Role, Step
from desk.console.domain.callers import Caller
from desk.console.domain.errors import FieldError, FirstPasswordExpiredError, SecondFactorError, SignInError

CALLER = Caller("192.0.2.1")
NEW = "a new word of mine"


@pytest.fixture
async def expert(console):
    return await console.account("expert")


async def enrolled(console, password=PASSWORD):
    """Enrol a device for the expert; return it and the recovery codes."""
    user_session = await console.sign_in.find_session(await console.sign_in.check_password("expert", password, CALLER))
    device = pyotp.parse_uri(await console.sign_in.enrolment_uri(user_session))
    _, codes = await console.sign_in.confirm_enrolment(user_session, device.at(console.now), "192.0.2.1")
    console.now += timedelta(seconds=90)
    return device, codes


async def after_the_password(console):
    return await console.sign_in.find_session(await console.sign_in.check_password("expert", PASSWORD, CALLER))


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
        await console.sign_in.check_password("expert", "wrong", CALLER)
    with pytest.raises(SignInError) as wrong_name:
        await console.sign_in.check_password("unknown", PASSWORD, CALLER)
    assert wrong_password.value.title == wrong_name.value.title


@pytest.mark.parametrize("pause", [MAX_IDLE + timedelta(seconds=1), MAX_AGE + timedelta(seconds=1)])
async def test_a_session_expires(console, expert, pause):
    token = await console.sign_in.check_password("expert", PASSWORD, CALLER)
    console.now += pause
    assert await console.sign_in.find_session(token) is None


async def test_a_deactivated_account_is_signed_out_and_cannot_sign_in(console, expert):
    supervisor = await console.account("supervisor", Role.SUPERVISOR)
    token = await console.sign_in.check_password("expert", PASSWORD, CALLER)
    await console.supervision.set_active(supervisor, expert.id, active=False)
    assert await console.sign_in.find_session(token) is None
    with pytest.raises(SignInError):
        await console.sign_in.check_password("expert", PASSWORD, CALLER)
    with pytest.raises(FieldError):
        await console.supervision.set_active(supervisor, supervisor.id, active=False)


async def test_an_account_that_was_reset_needs_a_new_password_and_a_new_device(console, expert):
    _, codes = await enrolled(console)
    supervisor = await console.account("supervisor", Role.SUPERVISOR)
    issued = await console.supervision.reset(supervisor, expert.id)
    user_session = await console.sign_in.find_session(await console.sign_in.check_password("expert", issued, CALLER))
    assert user_session.step is Step.PASSWORD
    changed = await console.sign_in.find_session(
        await console.sign_in.change_password(user_session, issued, NEW, NEW, address="192.0.2.1")
    )
    assert changed.step is Step.ENROL
    with pytest.raises(SecondFactorError):
        await console.sign_in.confirm_enrolment(changed, codes[1], "192.0.2.1")


async def test_passwords_are_hashed_slowly_and_recovery_codes_are_not_stored(console, expert, tmp_path):
    _, codes = await enrolled(console)
    await console.database.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("console.sqlite3*"))
    assert b"$argon2id$" in stored
    assert not [secret for secret in (PASSWORD, *codes) if secret.encode() in stored]


@pytest.fixture
async def first_session(console, expert):
    """The session of the expert with an issued password, and the password."""
    supervisor = await console.account("supervisor", Role.SUPERVISOR)
    issued = await console.supervision.reset(supervisor, expert.id)
    return await console.sign_in.find_session(await console.sign_in.check_password("expert", issued, CALLER)), issued


async def test_an_issued_password_is_valid_for_a_day(console, first_session):
    _, issued = first_session
    console.now += timedelta(hours=23, minutes=59)
    assert await console.sign_in.check_password("expert", issued, CALLER)
    console.now += timedelta(minutes=2)
    with pytest.raises(FirstPasswordExpiredError, match="first_password_expired") as expired:
        await console.sign_in.check_password("expert", issued, CALLER)
    assert expired.value.title == "گذرواژهٔ نخستین دیگر معتبر نیست؛ از سرپرست بخواهید گذرواژهٔ تازه‌ای بدهد."


async def test_an_issued_password_cannot_be_changed_after_a_day_in_a_session_of_before(console, first_session):
    user_session, issued = first_session
    console.now += timedelta(days=1, minutes=1)
    with pytest.raises(FirstPasswordExpiredError):
        await console.sign_in.change_password(user_session, issued, NEW, NEW, address="192.0.2.1")


async def test_a_chosen_password_does_not_expire(console, first_session):
    user_session, issued = first_session
    await console.sign_in.change_password(user_session, issued, NEW, NEW, address="192.0.2.1")
    console.now += timedelta(days=400)
    assert await console.sign_in.check_password("expert", NEW, CALLER)


async def test_a_new_account_has_a_password_of_a_day(console):
    issued = await console.supervision.add_account("isfahan", "beginner", "کسی", Role.EXPERT, by=None)
    assert await console.sign_in.check_password("beginner", issued, CALLER)
    console.now += timedelta(days=1, seconds=1)
    with pytest.raises(FirstPasswordExpiredError):
        await console.sign_in.check_password("beginner", issued, CALLER)


@pytest.mark.parametrize(
    "common",
    [
        "password123",
        "1234567890",
        "qwertyuiop12",
        "iloveyou1987",
        "expert-1405",
        "isfahan1405",
        "گذرواژه۱۲۳۴",
        "aaaaaaaaaaaa",
    ],
)
async def test_a_common_password_is_refused_with_a_sentence(console, expert, common):
    user_session = await after_the_password(console)
    with pytest.raises(FieldError) as refused:
        await console.sign_in.change_password(user_session, PASSWORD, common, common, address="192.0.2.1")
    assert refused.value.field == "password"
    assert "گذرواژه" in refused.value.title


@pytest.mark.parametrize("good", [NEW, "کتاب باران پنجره سفر", "Rk8-vq2-Lm7-zt4"])
async def test_an_uncommon_password_is_accepted(console, expert, good):
    user_session = await after_the_password(console)
    await console.sign_in.change_password(user_session, PASSWORD, good, good, address="192.0.2.1")
    assert await console.sign_in.check_password("expert", good, CALLER)
