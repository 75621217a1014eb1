"""The quiet hours and the rate limit of recipients."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, time, timedelta

import pytest

from desk.iran.jalali import TEHRAN
from desk.notifier.domain import DEFERRABLE, ChannelName, SendingPolicy, Template

NIGHT = SendingPolicy(time(22), time(8), 3)


def tehran(day, hour, minute=0):
    return datetime(2026, 12, day, hour, minute, tzinfo=TEHRAN)


@pytest.mark.parametrize(
    ("moment", "end"),
    [
        (tehran(13, 21, 59), None),
        (tehran(13, 22), tehran(14, 8)),
        (tehran(13, 23, 59), tehran(14, 8)),
        (tehran(14, 0), tehran(14, 8)),
        (tehran(14, 7, 59), tehran(14, 8)),
        (tehran(14, 8), None),
        (tehran(14, 12), None),
    ],
)
def test_quiet_hours_over_midnight(moment, end):
    assert NIGHT.quiet_end(moment.astimezone(UTC)) == end


@pytest.mark.parametrize(("hour", "quiet"), [(12, False), (13, True), (15, True), (16, False)])
def test_quiet_hours_within_a_day(hour, quiet):
    assert (SendingPolicy(time(13), time(16)).quiet_end(tehran(13, hour)) == tehran(13, 16)) is quiet


def test_equal_times_mean_that_no_hours_are_quiet():
    assert SendingPolicy(time(0), time(0)).quiet_end(tehran(13, 0)) is None


def test_every_template_is_deferrable_or_not():
    assert set(DEFERRABLE) == set(Template)


@pytest.mark.parametrize("template", Template)
def test_at_night_a_deferrable_sms_waits_and_an_email_does_not(template):
    now = tehran(13, 23)
    due = tehran(14, 8) if DEFERRABLE[template] else now
    assert NIGHT.send_at(template, ChannelName.SMS, now, [None, None]) == due
    assert NIGHT.send_at(template, ChannelName.EMAIL, now, [None]) == now


def test_a_message_over_the_limit_waits_until_an_hour_has_passed():
    now = tehran(13, 12)
    third = now - timedelta(minutes=20)
    assert NIGHT.send_at(Template.SUBMITTED, ChannelName.SMS, now, [third, None]) == now + timedelta(minutes=40)
    assert NIGHT.send_at(Template.SUBMITTED, ChannelName.SMS, now, [None, None]) == now
    assert NIGHT.send_at(Template.SUBMITTED, ChannelName.SMS, now, [now - timedelta(hours=2), None]) == now


def test_an_sms_over_the_limit_of_the_day_waits_until_a_day_has_passed_and_an_email_has_no_such_limit():
    now = tehran(13, 12)
    day = SendingPolicy(time(0), time(0))
    tenth = now - timedelta(hours=11)
    assert day.send_at(Template.SUBMITTED, ChannelName.SMS, now, [None, tenth]) == now + timedelta(hours=13)
    assert day.limits_of(ChannelName.SMS) == ((20, timedelta(hours=1)), (10, timedelta(days=1)))
    assert day.limits_of(ChannelName.EMAIL) == ((20, timedelta(hours=1)),)


async def test_a_mobile_gets_ten_sms_a_day_and_codes_are_not_counted(make):
    notifier = await make(sms_daily_most=10)
    for _ in range(13):
        await notifier.submit(contact={"mobile": "+989123456789", "email": "a@example.com"})
    for _ in range(2):
        await notifier.dispatch(ChannelName.SMS)
        await notifier.dispatch(ChannelName.EMAIL)
    assert (len(notifier.sms.sent), len(notifier.email.sent)) == (10, 13)


async def test_the_rate_limit_holds_in_any_hour_and_does_not_delay_other_recipients(make):
    notifier = await make(recipient_most=3)
    for _ in range(8):
        await notifier.submit(contact={"mobile": "+989123456789", "email": None})
    await notifier.submit(contact={"mobile": "+989120000000", "email": None})
    await notifier.dispatch()
    assert Counter(message.recipient for message in notifier.sms.sent) == {"+989123456789": 3, "+989120000000": 1}
    due = sorted(row[0] for row in await notifier.rows("due_at"))
    hours = Counter(round((each - due[0]) / timedelta(hours=1)) for each in due)
    assert hours == {0: 4, 1: 3, 2: 2}


async def test_the_index_of_a_recipient_does_not_reveal_the_number(make):
    notifier = await make()
    await notifier.submit()
    indexes = [row[0] for row in await notifier.rows("recipient_index")]
    assert [len(index) for index in indexes] == [64, 64]
    assert not [index for index in indexes if "9123456789" in index]


async def test_an_answer_at_night_waits_as_an_sms_and_not_as_an_email(make):
    now = datetime.now(TEHRAN)
    notifier = await make(quiet_from=(now - timedelta(hours=2)).time(), quiet_until=(now + timedelta(hours=2)).time())
    await notifier.change_status("answered")
    assert await notifier.dispatch(ChannelName.SMS) == 0
    assert await notifier.dispatch(ChannelName.EMAIL) == 1
    await notifier.submit()
    assert await notifier.dispatch(ChannelName.SMS) == 1


async def test_notices_queued_at_the_same_time_do_not_exceed_the_limit_of_the_day(make):
    notifier = await make(sms_daily_most=10)
    contact = {"mobile": "+989123456789", "email": None}
    await asyncio.gather(*(notifier.submit(contact=contact) for _ in range(30)))
    for _ in range(3):
        await notifier.dispatch()
    assert len(notifier.sms.sent) == 10
