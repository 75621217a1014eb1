"""The state of a case: claims of experts, reports, and events of the desk in any order."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.console.domain.cases import CLAIM_DURATION, Case
from desk.console.domain.errors import CaseClaimedError, CaseNotOpenError
from desk.console.domain.states import Kind, Stage, State
from desk.iran.workdays import WorkCalendar

CALENDAR = WorkCalendar()
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
DUE = NOW + timedelta(days=10)
CASE = Case("isfahan", "123456789018").requested(1, NOW, DUE, "umrah_visa", 7)


def test_a_case_is_claimed_by_one_expert_at_a_time():
    claimed = CASE.claimed_by("a", NOW)
    with pytest.raises(CaseClaimedError):
        claimed.claimed_by("b", NOW)
    assert claimed.claimed_by("a", NOW + CLAIM_DURATION / 2).claim.until == NOW + CLAIM_DURATION / 2 + CLAIM_DURATION


def test_a_claim_expires():
    assert CASE.claimed_by("a", NOW).claimed_by("b", NOW + CLAIM_DURATION + timedelta(seconds=1)).claim.account == "b"


def test_only_a_supervisor_ends_the_claim_of_another_expert():
    claimed = CASE.claimed_by("a", NOW)
    with pytest.raises(CaseClaimedError):
        claimed.released("b", NOW)
    assert claimed.released("b", NOW, by_supervisor=True).claim is None


def test_a_decided_case_cannot_be_claimed():
    decided = CASE.claimed_by("a", NOW).reported(Kind.ANSWERED, "r", NOW)
    assert (decided.state, decided.stage, decided.claim) == (State.ANSWERED, Stage.DONE, None)
    with pytest.raises(CaseNotOpenError):
        decided.claimed_by("a", NOW)


def test_a_late_case_is_overdue_unless_its_applicant_is_asked():
    later = DUE + timedelta(seconds=1)
    assert CASE.overdue(later)
    assert not CASE.overdue(DUE)
    assert not CASE.reported(Kind.ASKED, "r", NOW).overdue(later)


def test_the_deadline_is_extended_by_the_days_of_the_reply():
    asked = CASE.reported(Kind.ASKED, "r", NOW)
    replied = asked.replied(4, NOW + timedelta(days=7), CALENDAR)
    assert replied.state is State.IN_PROGRESS
    assert replied.due_at > DUE + timedelta(days=5)


def test_a_reply_after_the_answer_does_not_change_the_state():
    answered = CASE.reported(Kind.ASKED, "r", NOW).reported(Kind.ANSWERED, "s", NOW)
    assert answered.replied(4, NOW, CALENDAR).state is State.ANSWERED


def test_an_objection_reopens_the_case_for_a_new_period():
    objected = CASE.reported(Kind.ANSWERED, "r", NOW).objected(5, DUE + timedelta(days=20), CALENDAR)
    assert (objected.state, objected.stage) == (State.OBJECTED, Stage.OPEN)
    assert not objected.overdue(DUE + timedelta(days=21))


def test_a_refused_answer_reopens_the_case():
    answered = CASE.reported(Kind.ANSWERED, "r", NOW)
    undone = answered.undone("r", State.IN_PROGRESS, foreign=False)
    assert (undone.state, undone.refused, undone.open) == (State.IN_PROGRESS, True, True)


def test_the_refusal_of_an_older_report_does_not_undo_the_latest():
    later = CASE.reported(Kind.ASKED, "r", NOW).reported(Kind.ANSWERED, "s", NOW)
    assert later.undone("r", State.NEW, foreign=False).state is State.ANSWERED


def test_a_case_that_belongs_to_another_province_is_closed():
    assert CASE.reported(Kind.ANSWERED, "r", NOW).undone("r", State.NEW, foreign=True).stage is Stage.DONE


def test_a_case_that_is_referred_back_is_new_again():
    referred = CASE.reported(Kind.REFERRED, "r", NOW)
    assert referred.requested(9, NOW, DUE, "hajj_visa", 7).state is State.NEW


EVENTS = {
    1: lambda case: case.requested(1, NOW, DUE, "umrah_visa", 7),
    3: lambda case: case.replied(3, NOW, CALENDAR),
    6: lambda case: case.objected(6, NOW + timedelta(days=30), CALENDAR),
    7: lambda case: case.rated(4),
}


@given(st.permutations([*EVENTS, *EVENTS]))
def test_events_in_any_order_and_twice_lead_to_the_same_state(order):
    case = Case("isfahan", "123456789018")
    for seq in order:
        case = EVENTS[seq](case)
    assert (case.state, case.seq, case.rating, case.stage) == (State.OBJECTED, 6, 4, Stage.OPEN)
    assert case.due_at > NOW + timedelta(days=30)


@given(st.permutations([*EVENTS, *EVENTS, 8]))
def test_a_withdrawn_case_stays_withdrawn(order):
    case = Case("isfahan", "123456789018")
    for seq in order:
        case = case.withdrawn(8) if seq == 8 else EVENTS[seq](case)
    assert (case.state, case.stage) == (State.WITHDRAWN, Stage.DONE)
