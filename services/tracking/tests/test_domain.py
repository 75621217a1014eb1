"""Which state may follow which."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from desk.tracking.domain import NEXT, TITLES, Case, IllegalMoveError, RefusedError, State

BY_THE_EXPERTS = "in_progress info_requested answered rejected referred"
MOVES = {
    "identity_pending": "registered identity_rejected withdrawn",
    "identity_rejected": "",
    "registered": f"received {BY_THE_EXPERTS} withdrawn",
    "received": f"{BY_THE_EXPERTS} withdrawn",
    "in_progress": f"{BY_THE_EXPERTS} withdrawn",
    "info_requested": f"{BY_THE_EXPERTS} withdrawn",
    "answered": "objected closed",
    "objected": BY_THE_EXPERTS,
    "rejected": "closed",
    "referred": "registered",
    "withdrawn": "",
    "closed": "",
}
ALL = [(present, wanted) for present in State for wanted in State]
LEGAL = [(present, wanted) for present, wanted in ALL if wanted in MOVES[present].split()]
ILLEGAL = [move for move in ALL if move not in LEGAL]


@pytest.fixture
def case():
    at = datetime(2026, 12, 13, 11, tzinfo=UTC)
    return Case("123456789012", "isfahan", State.REGISTERED, seq=1, report_seq=4, submitted_at=at, due_at=at)


@pytest.mark.parametrize(("present", "wanted"), LEGAL)
def test_a_legal_move_leads_to_its_state(case, present, wanted):
    assert replace(case, state=present).move_to(wanted, report_seq=5).state is wanted


@pytest.mark.parametrize(("present", "wanted"), ILLEGAL)
def test_an_illegal_move_is_refused(case, present, wanted):
    with pytest.raises(IllegalMoveError):
        replace(case, state=present).move_to(wanted, report_seq=5)


def test_a_refused_move_says_what_cannot_become_what(case):
    with pytest.raises(IllegalMoveError, match="answered cannot become received"):
        replace(case, state=State.ANSWERED).move_to(State.RECEIVED, report_seq=5)


def test_every_state_has_its_moves_and_its_persian_title():
    assert set(NEXT) == set(TITLES) == set(State)


def test_every_title_is_another():
    assert len(set(TITLES.values())) == len(State)


def test_a_move_notes_which_report_it_follows(case):
    assert case.move_to(State.RECEIVED, report_seq=9).report_seq == 9


@pytest.mark.parametrize("present", ["registered", "received", "in_progress", "info_requested", "objected"])
def test_an_open_case_can_be_referred_and_begins_anew(case, present):
    referred = replace(case, state=State(present)).refer_to("fars", report_seq=5)
    assert (referred.province, referred.state, referred.report_seq) == ("fars", State.REGISTERED, 0)


@pytest.mark.parametrize("present", ["answered", "rejected", "withdrawn", "closed", "identity_pending"])
def test_another_case_cannot_be_referred(case, present):
    with pytest.raises(IllegalMoveError):
        replace(case, state=State(present)).refer_to("fars", report_seq=5)


def test_a_case_cannot_be_referred_to_where_it_is(case):
    with pytest.raises(RefusedError) as caught:
        case.refer_to("isfahan", report_seq=5)
    assert caught.value.reason == "same_province"
