"""Requests that experts register for applicants, at the counter or on the telephone."""

from collections.abc import Mapping

SOURCE_TITLES: Mapping[str, str] = {"counter": "مراجعهٔ حضوری", "phone": "تلفن"}
"""The sources of registered requests, as experts read them."""
