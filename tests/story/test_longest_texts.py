"""The lengths with which notifier shows texts are those that intake accepts."""

from typing import get_args

from desk.intake import forms
from desk.intake.domain.catalog import Title
from desk.notifier.rendering import examples


def test_titles_and_names_are_as_long_as_intake_accepts():
    (length,) = (each.max_length for each in get_args(Title)[2].metadata if hasattr(each, "max_length"))
    assert length == examples.TITLE_MAX
    assert examples.NAME_MAX == forms._NAME_MAX
