"""Whatever intake, two provinces, the applicant and the clock do, in any order, doubled and late: nothing gives."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from desk.chassis.events import Message
from desk.tracking.domain import CaseUnknownError, Party, State, may
from desk.tracking.store import refusal_table, step_table

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
moves = st.tuples(st.just("move"), st.sampled_from(sorted(BODIES)), st.integers(min_value=1, max_value=3))
days = st.tuples(st.just("days"), st.integers(min_value=1, max_value=20))


class Life:
    """One case, and a check after everything that happens to it."""

    def __init__(self, tracking, code):
        self.tracking, self.code = tracking, code
        self.now, self.token = SUBMITTED, tracking.token(code)
        self.handled, self.moved = set(), set()
        self.before, self.steps = None, frozenset()
        tracking.set_clock(self.now)

    async def record_failure(self, happening):
        """Let it happen; False if it cannot be handled yet and is to come again."""
        party = Party.DESK
        if isinstance(happening, Message):
            party = Party.INTAKE if happening.exchange == "desk.events" else Party.PROVINCE
            try:
                await self.tracking.bus.handle(happening)
            except CaseUnknownError:
                return False
            self.handled.add(happening.id)
        elif happening[0] == "move":
            party = Party.APPLICANT
            await self._move(*happening[1:])
        else:
            self.now += timedelta(days=happening[1])
            self.tracking.set_clock(self.now)
            await self.tracking.look()
        await self._holds(party)
        return True

    async def _move(self, move, number):
        key = f"key-0000000{number}"
        answer = await self.tracking.act(move, self.code, BODIES[move], key=key, token=self.token)
        assert answer.status_code in {200, 409}, answer.text
        if answer.is_success:
            self.moved.add((move, number))

    async def _holds(self, party):
        rows = await self.tracking.rows(select(step_table).where(step_table.c.tracking_code == self.code))
        steps = frozenset(row.event_id for row in rows)
        assert steps >= self.steps, "a step of the history was lost"
        self.steps = steps
        if not rows:
            return
        after = (await self.tracking.case(self.code)).state
        assert self.before is None or after is self.before or self._may_follow(party, after)
        self.before = after

    def _may_follow(self, party, after):
        referred = (
            after is State.REGISTERED
            and may(party, self.before, State.REFERRED)
            and may(Party.DESK, State.REFERRED, after)
        )
        return referred or may(party, self.before, after)

    async def lost_nothing(self):
        refused = await self.tracking.rows(
            select(refusal_table.c.event_id).where(refusal_table.c.tracking_code == self.code)
        )
        steps = await self.tracking.rows(select(step_table).where(step_table.c.tracking_code == self.code))
        entered = [row.event_id for row in [*steps, *refused]]
        assert len(entered) == len(set(entered)), "entered once"
        assert self.reported & self.handled <= set(entered), "a report has vanished"
        assert sum(step.action is not None for step in steps) == len(self.moved)
        case = await self.tracking.case(self.code)
        announced = [each["seq"] for each in await self.tracking.announced() if each["subject"] == self.code]
        assert len(announced) == len(set(announced)), "a number was given twice"
        assert max([*announced, 1]) <= case.seq

    reported: set[str]


@pytest.fixture
def happenings(submission, pending, identity_rejected, report):
    """Make of what was drawn what is delivered."""

    def happenings(code, beginning, drawn):
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

    return happenings


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=40, deadline=None
)
@given(
    st.sampled_from(sorted(BEGINNINGS)),
    st.lists(st.one_of(reports, referrals, moves, days), min_size=1, max_size=12),
    st.data(),
)
async def test_no_order_of_what_happens_reaches_an_illegal_state_or_loses_history(  # noqa: PLR0917 - three drawn, three fixtures
    tracking, happenings, new_code, beginning, drawn, data
):
    tracking.app.state.moves_per_request = "1000/hour"
    life = Life(tracking, code := new_code())
    all_of_them = list(happenings(code, beginning, drawn))
    life.reported = {each.id for each in all_of_them if isinstance(each, Message) and each.exchange == "desk.cases"}
    doubled = data.draw(st.lists(st.sampled_from(all_of_them), max_size=4))
    waiting = [
        each for each in data.draw(st.permutations(all_of_them + doubled)) if not await life.record_failure(each)
    ]
    while waiting:
        still = [each for each in waiting if not await life.record_failure(each)]
        if len(still) == len(waiting):
            break  # the applicant is still to be looked up: they would come again for as long as it takes
        waiting = still
    await life.lost_nothing()
    if beginning != "waiting":
        assert waiting == [], "everything is handled in the end"


async def test_the_check_itself_notices_a_lost_step_and_an_illegal_move(tracking, report, submission, new_code):
    life = Life(tracking, code := new_code())
    await life.record_failure(submission(code))
    answered = report("case-answered", code)
    life.reported = {answered.id}
    life.before = State.WITHDRAWN
    with pytest.raises(AssertionError):
        await life.record_failure(answered)
    life.before, life.steps = State.ANSWERED, life.steps | {"a step that was"}
    with pytest.raises(AssertionError, match="history was lost"):
        await life.record_failure(("days", 1))
