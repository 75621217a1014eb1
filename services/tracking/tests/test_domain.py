"""The transitions between states, and who may cause them."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from desk.tracking.domain import (
    ACTIONS,
    TITLES,
    TRANSITIONS,
    Action,
    Case,
    IllegalTransitionError,
    Party,
    RefusedError,
    State,
)
from desk.tracking.events import ACTED

AT = datetime(2026, 12, 20, 8, tzinfo=UTC)
BY_EXPERTS = "in_progress info_requested answered rejected referred"
PROVINCE = {
    "registered": f"received {BY_EXPERTS}",
    "received": BY_EXPERTS,
    "in_progress": BY_EXPERTS,
    "info_requested": BY_EXPERTS,
    "unanswered": "answered rejected",
    "objected": BY_EXPERTS,
}
APPLICANT = {
    "identity_pending": "withdrawn",
    "registered": "withdrawn",
    "received": "withdrawn",
    "in_progress": "withdrawn",
    "info_requested": "withdrawn in_progress",
    "unanswered": "in_progress",
    "answered": "answered objected",
    "rejected": "objected",
    "closed": "closed",
}
INTAKE = {"identity_pending": "registered identity_rejected"}
DESK = {each.value: "erased" for each in State if each is not State.ERASED}
DESK |= {"answered": "closed erased", "rejected": "closed erased", "referred": "registered erased"}
DESK |= {"info_requested": "unanswered erased", "unanswered": "closed erased"}
BY = {Party.PROVINCE: PROVINCE, Party.APPLICANT: APPLICANT, Party.INTAKE: INTAKE, Party.DESK: DESK}
ALL = [(party, present, wanted) for party in Party for present in State for wanted in State]
ALLOWED = [transition for transition in ALL if transition[2] in BY[transition[0]].get(transition[1], "").split()]
FORBIDDEN = [transition for transition in ALL if transition not in ALLOWED]


@pytest.fixture
def case():
    at = datetime(2026, 12, 13, 11, tzinfo=UTC)
    return Case("123456789012", "isfahan", State.REGISTERED, seq=1, report_seq=4, submitted_at=at, due_at=at, since=at)


@pytest.mark.parametrize(("party", "present", "wanted"), ALLOWED)
def test_an_allowed_transition_changes_the_state(case, party, present, wanted):
    assert replace(case, state=present).change_state(wanted, party, at=AT).state is wanted


@pytest.mark.parametrize(("party", "present", "wanted"), FORBIDDEN)
def test_a_transition_that_is_not_allowed_is_refused(case, party, present, wanted):
    with pytest.raises(IllegalTransitionError):
        replace(case, state=present).change_state(wanted, party, at=AT)


def test_a_refused_transition_names_both_states(case):
    with pytest.raises(IllegalTransitionError, match="answered cannot become received"):
        replace(case, state=State.ANSWERED).change_state(State.RECEIVED, Party.PROVINCE, at=AT, report_seq=5)


def test_every_state_has_transitions_and_a_persian_title():
    assert set(TRANSITIONS) == set(TITLES) == set(State)


def test_every_action_has_its_rule_and_its_event():
    assert set(ACTIONS) == set(ACTED) == set(Action)


def test_the_titles_of_states_are_distinct():
    assert len(set(TITLES.values())) == len(State)


def test_a_transition_records_the_number_of_its_report(case):
    assert case.change_state(State.RECEIVED, Party.PROVINCE, at=AT, report_seq=9).report_seq == 9


@pytest.mark.parametrize("present", ["registered", "received", "in_progress", "info_requested", "objected"])
def test_a_referred_open_case_is_registered_again(case, present):
    referred = replace(case, state=State(present)).refer_to("fars", at=AT, report_seq=5)
    assert (referred.province, referred.state, referred.report_seq) == ("fars", State.REGISTERED, 0)


@pytest.mark.parametrize("present", ["answered", "rejected", "withdrawn", "closed", "identity_pending"])
def test_a_case_that_is_not_open_cannot_be_referred(case, present):
    with pytest.raises(IllegalTransitionError):
        replace(case, state=State(present)).refer_to("fars", at=AT, report_seq=5)


def test_a_case_cannot_be_referred_to_its_own_province(case):
    with pytest.raises(RefusedError) as caught:
        case.refer_to("isfahan", at=AT, report_seq=5)
    assert caught.value.reason == "same_province"
