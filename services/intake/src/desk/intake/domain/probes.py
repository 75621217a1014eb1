"""Synthetic requests, with which ``desk-probe`` tests the desk."""

import uuid
from datetime import datetime, timedelta

from desk.intake.domain.codes import new_tracking_code
from desk.intake.domain.extra_fields import Titled
from desk.intake.domain.requests import Applicant, Contact, Content, IdentityState, Request

PROBE = "probe"
"""Marks a synthetic request: it is in place of the keys of its province and of its office."""
KEPT_FOR = timedelta(hours=1)
_APPLICANT = Applicant("0000000000", "1300-01-01", "probe", "probe", "male")
"""No person has this national ID: it is not valid, so that no route for people accepts it."""
_SUBJECT = Titled(PROBE, PROBE)


def synthetic_request(now: datetime) -> Request:
    """Return a new synthetic request, without a mobile and an email address."""
    return Request(
        id=uuid.uuid4(),
        tracking_code=new_tracking_code(),
        submitted_at=now,
        due_at=now,
        province=PROBE,
        subject=_SUBJECT,
        sub_subject=_SUBJECT,
        applicant=_APPLICANT,
        contact=Contact(mobile="", landline=None, email=None),
        content=Content("A synthetic request of desk-probe."),
        identity=IdentityState.KNOWN,
        office=PROBE,
    )
