"""Renders notices from template files and the values of an event."""

from desk.notifier.rendering.renderer import Email, Renderer, Sms, Wording
from desk.notifier.rendering.values import VALUE_NAMES, Values, contact_values, status_values, submission_values

__all__ = [
    "VALUE_NAMES",
    "Email",
    "Renderer",
    "Sms",
    "Values",
    "Wording",
    "contact_values",
    "status_values",
    "submission_values",
]
