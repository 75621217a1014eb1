"""What other services know of notifier's texts: the lengths that intake accepts, and the names in the console."""

from typing import get_args

from desk.console.domain.text_forms import NOTICES
from desk.intake import forms
from desk.intake.domain.catalog import Title
from desk.notifier.domain import Template
from desk.notifier.rendering import examples


def test_titles_and_names_are_as_long_as_intake_accepts():
    (length,) = (each.max_length for each in get_args(Title)[2].metadata if hasattr(each, "max_length"))
    assert length == examples.TITLE_MAX
    assert examples.NAME_MAX == forms._NAME_MAX


def test_the_console_has_a_persian_name_for_each_notice():
    assert set(NOTICES) == set(Template)
    assert all(any("آ" <= letter <= "ی" for letter in name) for name in NOTICES.values())
