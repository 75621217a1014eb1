"""Renders notices from the texts in force and the values of an event."""

from desk.notifier.domain import VALUE_NAMES
from desk.notifier.rendering.files import first_texts
from desk.notifier.rendering.renderer import Email, Renderer, Sms
from desk.notifier.rendering.values import Values, contact_values, status_values, submission_values

__all__ = [
    "VALUE_NAMES",
    "Email",
    "Renderer",
    "Sms",
    "Values",
    "contact_values",
    "first_texts",
    "status_values",
    "submission_values",
]
