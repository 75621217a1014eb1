"""Invariants after every fault: a shown code is exactly one case, at the right province, with one notice of each kind.

:func:`faults_of` lists current violations, one a line. The lines begin with ``lost``, ``twice``,
``unexpected``, ``waiting`` or ``personal``, so that the test of this check can distinguish a loss from a delay.
"""

import json
import time
from collections import Counter
from collections.abc import Collection, Iterator

import asyncpg
from aio_pika.exceptions import AMQPError
from faults.scale import SETTLE_SECONDS
from support.real_broker import READ_QUEUES, REPORT_QUEUES, STUCK_QUEUES
from support.real_desk import RealDesk

from desk.chassis.bus.broker import BrokerUnavailableError

PAUSE_SECONDS = 0.3
FINAL_STATES = {"sms": "delivered", "email": "handed_over"}
SPOKEN = "سلام، روادید عمرهٔ من"
"""The first words of every request."""


def settled(desk: RealDesk, *, dead: int = 0, seconds: float = SETTLE_SECONDS) -> list[str]:
    """Wait until there are no violations, or until the time is up; return the violations then.

    ``dead`` is the number of dead letters that the experiment has made on purpose.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            wrong = list(faults_of(desk, dead=dead))
        except (OSError, AMQPError, asyncpg.PostgresError, BrokerUnavailableError, TimeoutError) as error:
            wrong = [f"waiting: {type(error).__name__}: {error}"]
        if not wrong or time.monotonic() > end:
            return wrong + list(_personal(desk))
        time.sleep(PAUSE_SECONDS)


def is_loss_or_double(line: str) -> bool:
    """Return whether a violation is a loss or a double effect and not only a delay."""
    return line.startswith(("lost", "twice", "unexpected"))


def faults_of(desk: RealDesk, *, dead: int = 0) -> Iterator[str]:
    """List the current violations."""
    codes = [sent.code for sent in desk.ledger]
    yield from _each_once("request of intake", codes, _column(desk, "intake", "SELECT tracking_code FROM request"))
    keys = Counter(sent.key for sent in desk.ledger)
    yield from (f"twice: {number} codes for one key" for number in keys.values() if number > 1)
    yield from _outboxes(desk)
    yield from _each_once("case of tracking", codes, _column(desk, "tracking", 'SELECT tracking_code FROM "case"'))
    rejected = _column(desk, "tracking", "SELECT tracking_code FROM \"case\" WHERE state = 'identity_rejected'")
    released = [code for code in codes if code not in rejected]
    yield from _each_once(
        "first history entry of a case",
        released,
        _column(desk, "tracking", "SELECT tracking_code FROM step WHERE state = 'registered'"),
    )
    yield from _pending(desk)
    yield from _answers(desk)
    yield from _notices(desk, released, rejected)
    yield from _at_province(desk, released)
    yield from _handled_twice(desk)
    yield from _queues(desk, dead)


def _column(desk: RealDesk, service: str, query: str) -> list[str]:
    return [str(row[0]) for row in desk.rows(service, query)]


def _each_once(what: str, codes: Collection[str], found: Collection[str]) -> Iterator[str]:
    counts = Counter(found)
    yield from (f"lost: {what} {code}" for code in set(codes) - counts.keys())
    yield from (f"unexpected: {what} {code}" for code in counts.keys() - set(codes))
    yield from (f"twice: {what} {code}, {number} times" for code, number in counts.items() if number > 1)


def _outboxes(desk: RealDesk) -> Iterator[str]:
    for service in ("intake", "tracking"):
        [(unsent,)] = desk.rows(service, "SELECT count(*) FROM outbox WHERE sent_at IS NULL")
        if unsent:
            yield f"waiting: {unsent} in the outbox of {service}"


def _pending(desk: RealDesk) -> Iterator[str]:
    """Every pending identity check has ended, and tracking has recorded each wait once."""
    rows = desk.rows(
        "intake", "SELECT tracking_code, state FROM identity_check JOIN request ON request.id = request_id"
    )
    yield from (f"waiting: identity of {code}" for code, state in rows if state == "pending")
    yield from _each_once(
        "wait for an identity",
        [str(code) for code, _ in rows],
        _column(desk, "tracking", "SELECT tracking_code FROM step WHERE state = 'identity_pending'"),
    )


def _answers(desk: RealDesk) -> Iterator[str]:
    query = "SELECT tracking_code, count(*) FROM step WHERE state = 'answered' GROUP BY 1 HAVING count(*) > 1"
    yield from (f"twice: answer of {code}, {number} times" for code, number in desk.rows("tracking", query))


def _notices(desk: RealDesk, released: Collection[str], rejected: Collection[str]) -> Iterator[str]:
    answered = _column(desk, "tracking", "SELECT tracking_code FROM \"case\" WHERE state = 'answered'")
    with_email = {sent.code for sent in desk.ledger if sent.with_email}
    held = _column(desk, "tracking", "SELECT tracking_code FROM step WHERE state = 'identity_pending'")
    due = [(code, "submitted") for code in released] + [(code, "answered") for code in answered]
    due += [(code, "pending") for code in held] + [(code, "identity_rejected") for code in rejected]
    expected = [f"{code} {template} sms" for code, template in due]
    expected += [f"{code} {template} email" for code, template in due if code in with_email]
    rows = desk.rows("notifier", "SELECT tracking_code, template, channel, state FROM message WHERE template <> 'code'")
    yield from _each_once("notice", expected, [f"{code} {template} {channel}" for code, template, channel, _ in rows])
    unsent = Counter(channel for _, _, channel, state in rows if state != FINAL_STATES[channel])
    yield from (f"waiting: {number} notices by {channel}" for channel, number in unsent.items())
    references = Counter(mail.partition(b"Message-ID: ")[2].partition(b"\r\n")[0] for mail in desk.mail.mails)
    emails = sum(1 for _, _, channel, state in rows if (channel, state) == ("email", "handed_over"))
    if len(references) < emails:
        yield f"lost: {emails - len(references)} emails that the mail server never received"
    if len(references) > len([each for each in expected if each.endswith("email")]):
        yield "unexpected: emails without a notice"


def _at_province(desk: RealDesk, codes: Collection[str]) -> Iterator[str]:
    submitted = [each for each in list(desk.province.events.values()) if "request-submitted" in each["type"]]
    yield from _each_once("event at the province", codes, [each["subject"] for each in submitted])


def _handled_twice(desk: RealDesk) -> Iterator[str]:
    for service in READ_QUEUES:
        handled = Counter(
            json.loads(line)["event_id"] for line in desk.new_log_lines(service) if '"event": "event handled"' in line
        )
        yield from (f"twice: event {each} handled by {service}" for each, number in handled.items() if number > 1)


def _queues(desk: RealDesk, dead: int) -> Iterator[str]:
    waiting = desk.broker.waiting(*READ_QUEUES, *REPORT_QUEUES, "province.isfahan", *STUCK_QUEUES)
    dead_now = sum(number for name, number in waiting.items() if name.endswith(".dead"))
    yield from (f"waiting: {number} in {name}" for name, number in waiting.items() if not name.endswith(".dead"))
    if dead_now != dead:
        yield f"waiting: {dead_now} dead letters instead of {dead}"


def _personal(desk: RealDesk) -> Iterator[str]:
    """List the personal data that are in a log."""
    log = "\n".join(desk.new_log_lines())
    for place, (_, applicant) in desk.applicants.items():
        words = {
            "national ID": applicant.national_id,
            "mobile": f"912{place:07}",
            "email": f"applicant-{place}@example.com",
            "last name": applicant.person["last_name"],
            "token": applicant.token,
        }
        yield from (f"personal: the {what} of applicant {place} is in a log" for what, it in words.items() if it in log)
    if SPOKEN in log:
        yield "personal: the text of a request is in a log"
