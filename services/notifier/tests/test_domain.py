"""The states of a message, the delays between attempts, and the parts of an SMS."""

from datetime import timedelta

import pytest

from desk.chassis.app import FINISH_SECONDS
from desk.notifier.domain import (
    AMBIGUOUS_RETRY_DELAY,
    LEASE,
    MAX_ATTEMPTS,
    TRANSITIONS,
    Outcome,
    OutgoingMessage,
    State,
    Trouble,
    retry_delay,
    sms_parts,
    states_before,
)
from desk.notifier.service.dispatch import SEND_SECONDS


def test_every_state_can_be_reached_and_only_the_final_ones_have_no_transition():
    assert set(TRANSITIONS) == set(State)
    assert set().union(*TRANSITIONS.values(), {State.SKIPPED}) == set(State), "a message is skipped from the start"
    final = {state for state, after in TRANSITIONS.items() if not after}
    assert final == {State.DELIVERED, State.FAILED, State.OVERTAKEN, State.CANCELLED, State.SKIPPED}


def test_a_message_is_handed_over_only_after_it_was_claimed():
    assert states_before(State.HANDED_OVER) == {State.CLAIMED}
    assert states_before(State.CLAIMED) == {State.QUEUED, State.CLAIMED}


def test_delays_grow_from_seconds_to_half_an_hour():
    assert [retry_delay(attempts).total_seconds() for attempts in (1, 2, 3)] == [5, 10, 20]
    assert retry_delay(MAX_ATTEMPTS) == timedelta(minutes=30)


def test_a_message_fails_after_its_last_attempt():
    assert Outcome.retry(MAX_ATTEMPTS - 1, Trouble.UNREACHABLE).state is State.QUEUED
    assert Outcome.retry(MAX_ATTEMPTS, Trouble.UNREACHABLE).state is State.FAILED


def test_a_lease_outlasts_the_slowest_attempt_and_a_stopping_app_waits_for_it():
    assert timedelta(seconds=SEND_SECONDS) * 3 < LEASE
    assert SEND_SECONDS < FINISH_SECONDS


def test_the_repr_of_a_message_contains_no_personal_data():
    message = OutgoingMessage(
        "r", "+989123456789", "متن", "عنوان", "<p>", "fa/submitted.sms.v1", {"code": "123456789012"}
    )
    assert repr(message) == (
        "OutgoingMessage(reference='r', wording='fa/submitted.sms.v1', "
        "provider=None, ambiguous=False, other_references=frozenset())"
    )


@pytest.mark.parametrize(("length", "parts"), [(0, 1), (70, 1), (71, 2), (134, 2), (135, 3), (201, 3), (202, 4)])
def test_a_persian_sms_has_70_characters_and_67_in_each_part_when_joined(length, parts):
    assert sms_parts("م" * length) == parts


def test_a_character_outside_the_basic_plane_counts_twice():
    assert sms_parts("م" * 69 + "🕋") == 2


@pytest.mark.parametrize(("length", "parts"), [(160, 1), (161, 2), (306, 2), (307, 3)])
def test_an_english_sms_has_160_characters_and_153_in_each_part_when_joined(length, parts):
    assert sms_parts("m" * length) == parts


def test_a_bracket_counts_twice_and_one_persian_letter_makes_all_of_it_long():
    assert sms_parts("m" * 158 + "[") == 1
    assert sms_parts("m" * 159 + "[") == 2
    assert sms_parts("m" * 70 + "م") == 2


def test_the_delay_after_an_ambiguous_result_is_at_least_a_minute():
    assert Outcome.retry(1, Trouble.NO_ANSWER, ambiguous=True).wait == AMBIGUOUS_RETRY_DELAY
    assert Outcome.retry(1, Trouble.BUSY).wait < AMBIGUOUS_RETRY_DELAY
    assert Outcome.retry(40, Trouble.NO_ANSWER, ambiguous=True).wait == retry_delay(40)
