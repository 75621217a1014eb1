"""Who may lead a case from which state to which."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from desk.tracking.domain import TITLES, TRANSITIONS, Case, IllegalTransitionError, Party, RefusedError, State

AT = datetime(2026, 12, 20, 8, tzinfo=UTC)
BY_THE_EXPERTS = "in_progress info_requested answered rejected referred"
PROVINCE = {
    "registered": f"received {BY_THE_EXPERTS}",
    "received": BY_THE_EXPERTS,
    "in_progress": BY_THE_EXPERTS,
    "info_requested": BY_THE_EXPERTS,
    "objected": BY_THE_EXPERTS,
}
APPLICANT = {
    "identity_pending": "withdrawn",
    "registered": "withdrawn",
    "received": "withdrawn",
    "in_progress": "withdrawn",
    "info_requested": "withdrawn in_progress",
    "answered": "answered objected",
    "rejected": "objected",
    "closed": "closed",
}
INTAKE = {"identity_pending": "registered identity_rejected"}
DESK = {"answered": "closed", "rejected": "closed", "referred": "registered"}
BY = {Party.PROVINCE: PROVINCE, Party.APPLICANT: APPLICANT, Party.INTAKE: INTAKE, Party.DESK: DESK}
ALL = [(party, present, wanted) for party in Party for present in State for wanted in State]
LEGAL = [move for move in ALL if move[2] in BY[move[0]].get(move[1], "").split()]
ILLEGAL = [move for move in ALL if move not in LEGAL]


@pytest.fixture
def case():
    at = datetime(2026, 12, 13, 11, tzinfo=UTC)
    return Case("123456789012", "isfahan", State.REGISTERED, seq=1, report_seq=4, submitted_at=at, due_at=at, since=at)


@pytest.mark.parametrize(("party", "present", "wanted"), LEGAL)
def test_a_legal_move_leads_to_its_state(case, party, present, wanted):
    assert replace(case, state=present).change_state(wanted, party, at=AT).state is wanted


@pytest.mark.parametrize(("party", "present", "wanted"), ILLEGAL)
def test_an_illegal_move_is_refused(case, party, present, wanted):
    with pytest.raises(IllegalTransitionError):
        replace(case, state=present).change_state(wanted, party, at=AT)


def test_a_refused_move_says_what_cannot_become_what(case):
    with pytest.raises(IllegalTransitionError, match="answered cannot become received"):
        replace(case, state=State.ANSWERED).change_state(State.RECEIVED, Party.PROVINCE, at=AT, report_seq=5)


def test_every_state_has_its_moves_and_its_persian_title():
    assert set(TRANSITIONS) == set(TITLES) == set(State)


def test_every_title_is_another():
    assert len(set(TITLES.values())) == len(State)


def test_a_move_notes_which_report_it_follows(case):
    assert case.change_state(State.RECEIVED, Party.PROVINCE, at=AT, report_seq=9).report_seq == 9


@pytest.mark.parametrize("present", ["registered", "received", "in_progress", "info_requested", "objected"])
def test_an_open_case_can_be_referred_and_begins_anew(case, present):
    referred = replace(case, state=State(present)).refer_to("fars", at=AT, report_seq=5)
    assert (referred.province, referred.state, referred.report_seq) == ("fars", State.REGISTERED, 0)


@pytest.mark.parametrize("present", ["answered", "rejected", "withdrawn", "closed", "identity_pending"])
def test_another_case_cannot_be_referred(case, present):
    with pytest.raises(IllegalTransitionError):
        replace(case, state=State(present)).refer_to("fars", at=AT, report_seq=5)


def test_a_case_cannot_be_referred_to_where_it_is(case):
    with pytest.raises(RefusedError) as caught:
        case.refer_to("isfahan", at=AT, report_seq=5)
    assert caught.value.reason == "same_province"
