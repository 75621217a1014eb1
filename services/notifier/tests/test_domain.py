"""The rules of a message's life."""

from datetime import timedelta

import pytest

from desk.chassis.app import FINISH_SECONDS
from desk.notifier.domain import (
    DOUBT_SETTLES,
    LEASE,
    MOST_TRIES,
    NEXT,
    Outcome,
    OutgoingMessage,
    State,
    Trouble,
    sms_parts,
    states_before,
    wait_after,
)
from desk.notifier.service import SEND_SECONDS


def test_every_state_can_be_reached_and_the_last_ones_lead_nowhere():
    assert set(NEXT) == set(State)
    assert set().union(*NEXT.values()) == set(State)
    assert {state for state, after in NEXT.items() if not after} == {State.DELIVERED, State.FAILED, State.OVERTAKEN}


def test_a_message_is_handed_over_only_after_it_was_claimed():
    assert states_before(State.HANDED_OVER) == {State.CLAIMED}
    assert states_before(State.CLAIMED) == {State.QUEUED, State.CLAIMED}


def test_waits_grow_from_seconds_to_half_an_hour():
    assert [wait_after(tries).total_seconds() for tries in (1, 2, 3)] == [5, 10, 20]
    assert wait_after(MOST_TRIES) == timedelta(minutes=30)


def test_the_last_try_has_a_visible_end():
    assert Outcome.put_off(MOST_TRIES - 1, Trouble.UNREACHABLE).state is State.QUEUED
    assert Outcome.put_off(MOST_TRIES, Trouble.UNREACHABLE).state is State.FAILED


def test_a_claim_outlasts_the_slowest_hand_over_and_a_stop_waits_for_it():
    assert timedelta(seconds=SEND_SECONDS) * 3 < LEASE
    assert SEND_SECONDS < FINISH_SECONDS


def test_a_message_in_a_traceback_tells_nothing():
    message = OutgoingMessage(
        "r", "+989123456789", "متن", "عنوان", "<p>", "fa/submitted.sms.v1", {"code": "123456789012"}
    )
    assert repr(message) == (
        "OutgoingMessage(reference='r', wording='fa/submitted.sms.v1', "
        "provider=None, in_doubt=False, known=frozenset())"
    )


@pytest.mark.parametrize(("length", "segments"), [(0, 1), (70, 1), (71, 2), (134, 2), (135, 3), (201, 3), (202, 4)])
def test_a_persian_sms_has_70_characters_and_67_in_each_part_when_joined(length, segments):
    assert sms_parts("م" * length) == segments


def test_a_character_outside_the_basic_plane_counts_twice():
    assert sms_parts("م" * 69 + "🕋") == 2


@pytest.mark.parametrize(("length", "segments"), [(160, 1), (161, 2), (306, 2), (307, 3)])
def test_an_english_sms_has_160_characters_and_153_in_each_part_when_joined(length, segments):
    assert sms_parts("m" * length) == segments


def test_a_bracket_counts_twice_and_one_persian_letter_makes_all_of_it_long():
    assert sms_parts("m" * 158 + "[") == 1
    assert sms_parts("m" * 159 + "[") == 2
    assert sms_parts("m" * 70 + "م") == 2


def test_a_doubt_is_left_time_to_settle():
    assert Outcome.put_off(1, Trouble.NO_ANSWER, in_doubt=True).wait == DOUBT_SETTLES
    assert Outcome.put_off(1, Trouble.BUSY).wait < DOUBT_SETTLES
    assert Outcome.put_off(40, Trouble.NO_ANSWER, in_doubt=True).wait == wait_after(40)
