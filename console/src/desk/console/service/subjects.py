"""The desk's subjects, kept for a while: a referral names one of them, also while the desk's door is away."""

import logging
import time
from dataclasses import dataclass, field

from desk.console.domain.errors import FieldError
from desk.console.line import Lines
from desk.expert import CatalogAwayError, Subject, Titled

log = logging.getLogger(__name__)

KEPT_SECONDS, RETRY_SECONDS = 3600.0, 30.0


@dataclass(slots=True)
class Subjects:
    """Asks the desk at most once an hour."""

    lines: Lines
    _known: list[Subject] = field(default_factory=list)
    _ask_at: float = 0.0

    async def of(self, province: str) -> list[Subject]:
        """List the subjects; what was known last if the desk does not say, and none if nothing was."""
        if time.monotonic() >= self._ask_at and province in self.lines:
            self._ask_at = time.monotonic() + RETRY_SECONDS
            try:
                self._known = await self.lines[province].subjects()
            except CatalogAwayError as error:
                log.warning("the desk does not list its subjects: %s", error)
            else:
                self._ask_at = time.monotonic() + KEPT_SECONDS
        return self._known

    async def named(self, province: str, sub_subject: str) -> tuple[Titled, Titled]:
        """Find a sub-subject with its subject. Raises FieldError."""
        for subject in await self.of(province):
            for each in subject.sub_subjects:
                if each.key == sub_subject:
                    return Titled(key=subject.key, title=subject.title), each
        raise FieldError("to_subject", "موضوع را از فهرست انتخاب کنید.")
