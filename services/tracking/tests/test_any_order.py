"""Events of intake, two provinces, the applicant and the clock, in any order, repeated and late, break no rule."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from desk.chassis.events import Message
from desk.tracking.domain import CaseNotReadyError, Party, State, is_allowed
from desk.tracking.store import refusal_table, step_table

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Forty random sequences; test_races.py covers what only PostgreSQL can break."""
SUBMITTED = datetime(2026, 12, 13, 11, 0, tzinfo=UTC)
BODIES = {
    "replies": {"text": "شمارهٔ گذرنامه B12345678 است."},
    "withdrawal": {},
    "rating": {"rating": 4},
    "objection": {"text": "پاسخ به پرسش من نبود."},
}
REFERRALS = (
    {"province": "fars"},
    {"province": "isfahan"},
    {
        "province": "isfahan",
        "subject": {"key": "umrah", "title": "عمره"},
        "sub_subject": {"key": "umrah_visa", "title": "روادید"},
    },
)
BEGINNINGS = {
    "submitted": ("submitted",),
    "released": ("pending", "released"),
    "rejected": ("pending", "rejected"),
    "waiting": ("pending",),
}

provinces = st.sampled_from(["isfahan", "fars"])
numbers = st.integers(min_value=1, max_value=6)
names = st.sampled_from(["case-received", "case-assigned", "case-info-requested", "case-answered", "case-rejected"])
reports = st.tuples(st.just("report"), names, provinces, numbers, st.none())
referrals = st.tuples(
    st.just("report"), st.just("case-referred"), provinces, numbers, st.sampled_from(range(len(REFERRALS)))
)
actions = st.tuples(st.just("action"), st.sampled_from(sorted(BODIES)), st.integers(min_value=1, max_value=3))
days = st.tuples(st.just("days"), st.integers(min_value=1, max_value=20))


class CheckedCase:
    """One case, checked after each event."""

    def __init__(self, tracking, code):
        self.tracking, self.code = tracking, code
        self.now, self.token = SUBMITTED, tracking.token(code)
        self.handled, self.acted = set(), set()
        self.before, self.entries = None, frozenset()
        tracking.set_clock(self.now)

    async def apply(self, event):
        """Apply an event; return False if it must be retried."""
        party = Party.DESK
        if isinstance(event, Message):
            party = Party.INTAKE if event.exchange == "desk.events" else Party.PROVINCE
            try:
                await self.tracking.bus.handle(event)
            except CaseNotReadyError:
                return False
            self.handled.add(event.id)
        elif event[0] == "action":
            party = Party.APPLICANT
            await self._act(*event[1:])
        else:
            self.now += timedelta(days=event[1])
            self.tracking.set_clock(self.now)
            await self.tracking.expire_cases()
        await self._check(party)
        return True

    async def _act(self, action, number):
        key = f"key-0000000{number}"
        answer = await self.tracking.act(action, self.code, BODIES[action], key=key, token=self.token)
        assert answer.status_code in {200, 409}, answer.text
        if answer.is_success:
            self.acted.add((action, number))

    async def _check(self, party):
        rows = await self.tracking.rows(select(step_table).where(step_table.c.tracking_code == self.code))
        entries = frozenset(row.event_id for row in rows)
        assert entries >= self.entries, "an entry of the history was lost"
        self.entries = entries
        if not rows:
            return
        after = (await self.tracking.case(self.code)).state
        assert self.before is None or after is self.before or self._is_allowed(party, after)
        self.before = after

    def _is_allowed(self, party, after):
        referred = (
            after is State.REGISTERED
            and is_allowed(party, self.before, State.REFERRED)
            and is_allowed(Party.DESK, State.REFERRED, after)
        )
        return referred or is_allowed(party, self.before, after)

    async def assert_nothing_is_lost(self):
        refused = await self.tracking.rows(
            select(refusal_table.c.event_id).where(refusal_table.c.tracking_code == self.code)
        )
        entries = await self.tracking.rows(select(step_table).where(step_table.c.tracking_code == self.code))
        recorded = [row.event_id for row in [*entries, *refused]]
        assert len(recorded) == len(set(recorded)), "recorded twice"
        assert self.reported & self.handled <= set(recorded), "a report is missing"
        assert sum(entry.action is not None for entry in entries) == len(self.acted)
        case = await self.tracking.case(self.code)
        numbers = await self.tracking.numbers_of(self.code)
        assert len(numbers) == len(set(numbers)), "a number was used twice"
        assert max([*numbers, 1]) <= case.seq

    reported: set[str]


@pytest.fixture
def events(submission, pending, identity_rejected, report):
    """Return a function that turns what was drawn into messages."""

    def events(code, beginning, drawn):
        makers = {
            "submitted": lambda: submission(code),
            "pending": lambda: pending(code),
            "released": lambda: submission(code, seq=2),
            "rejected": lambda: identity_rejected(code),
        }
        for name in BEGINNINGS[beginning]:
            yield makers[name]()
        for kind, *rest in drawn:
            if kind == "report":
                name, province, number, referral = rest
                data = None if referral is None else REFERRALS[referral]
                yield report(name, code, province=province, seq=number, data=data)
            else:
                yield (kind, *rest)

    return events


@ON_SQLITE
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=40, deadline=None
)
@given(
    st.sampled_from(sorted(BEGINNINGS)),
    st.lists(st.one_of(reports, referrals, actions, days), min_size=1, max_size=12),
    st.data(),
)
async def test_no_order_of_events_reaches_an_illegal_state_or_loses_history(  # noqa: PLR0917 - three drawn, three fixtures
    tracking, events, new_code, beginning, drawn, data
):
    tracking.settings.moves_per_request = "1000/hour"
    checked = CheckedCase(tracking, code := new_code())
    all_events = list(events(code, beginning, drawn))
    checked.reported = {each.id for each in all_events if isinstance(each, Message) and each.exchange == "desk.cases"}
    repeated = data.draw(st.lists(st.sampled_from(all_events), max_size=4))
    waiting = [each for each in data.draw(st.permutations(all_events + repeated)) if not await checked.apply(each)]
    while waiting:
        still = [each for each in waiting if not await checked.apply(each)]
        if len(still) == len(waiting):
            break  # the applicant is not looked up yet, so these would be retried
        waiting = still
    await checked.assert_nothing_is_lost()
    if beginning != "waiting":
        assert waiting == [], "every event is handled in the end"


async def test_the_check_notices_a_lost_entry_and_an_illegal_transition(tracking, report, submission, new_code):
    checked = CheckedCase(tracking, code := new_code())
    await checked.apply(submission(code))
    answered = report("case-answered", code)
    checked.reported = {answered.id}
    checked.before = State.WITHDRAWN
    with pytest.raises(AssertionError):
        await checked.apply(answered)
    checked.before, checked.entries = State.ANSWERED, checked.entries | {"an earlier entry"}
    with pytest.raises(AssertionError, match="history was lost"):
        await checked.apply(("days", 1))
