"""The desk's subjects, cached, so that a referral can name one while the desk is unavailable."""

import logging
import time
from dataclasses import dataclass, field

from desk.console.clients import DeskClients
from desk.console.domain.errors import FieldError
from desk.expert import CatalogUnavailableError, Subject, SubSubject, Titled

log = logging.getLogger(__name__)

CACHE_SECONDS, RETRY_SECONDS = 60.0, 30.0


@dataclass(slots=True)
class Subjects:
    """Requests the subjects at most once a minute."""

    clients: DeskClients
    _cached: list[Subject] = field(default_factory=list)
    _expires_at: float = 0.0

    async def list_subjects(self, province: str) -> list[Subject]:
        """Return the subjects; the cached ones if the desk is unavailable, and none if nothing is cached."""
        if time.monotonic() >= self._expires_at and province in self.clients:
            self._expires_at = time.monotonic() + RETRY_SECONDS
            try:
                self._cached = await self.clients[province].subjects()
            except CatalogUnavailableError as error:
                log.warning("the desk does not list its subjects: %s", error)
            else:
                self._expires_at = time.monotonic() + CACHE_SECONDS
        return self._cached

    async def find(self, province: str, sub_subject: str) -> tuple[Titled, Titled]:
        """Return a subject and its sub-subject with the given key. Raises FieldError."""
        for subject in await self.list_subjects(province):
            for each in subject.sub_subjects:
                if each.key == sub_subject:
                    return Titled(key=subject.key, title=subject.title), Titled(key=each.key, title=each.title)
        raise FieldError("to_subject", "موضوع را از فهرست انتخاب کنید.")

    async def sub_subject(self, province: str, key: str) -> SubSubject | None:
        """Return a sub-subject with its fields and documents; None if there is none with this key."""
        listed = await self.list_subjects(province)
        return next((each for subject in listed for each in subject.sub_subjects if each.key == key), None)
