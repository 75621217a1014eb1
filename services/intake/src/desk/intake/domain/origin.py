"""How a request came to the desk: through which channel, and who else took part than the applicant."""

from dataclasses import dataclass
from typing import Literal

from desk.intake.domain.counter_errors import RepresentativeIsApplicantError

Source = Literal["web", "counter", "phone"]
"""The channel: the public pages, or an office that registered the request at its counter or on the telephone."""
CounterSource = Literal["counter", "phone"]
"""The channels of requests that an office registers."""
MobileOwner = Literal["own", "helper", "none"]
"""Whose mobile a registered request has: the applicant's, that of a person who helps, or none."""


@dataclass(frozen=True, slots=True)
class Representative:
    """A person who sends the request for the applicant; ``mobile`` is E.164."""

    name: str
    national_id: str
    mobile: str


@dataclass(frozen=True, slots=True)
class Registration:
    """Who registered the request: the key of the office, and its own reference of the expert."""

    office: str
    expert: str
    mobile_owner: MobileOwner


@dataclass(frozen=True, slots=True)
class Origin:
    """The channel of a request, and the people other than the applicant who took part.

    ``registration`` is set if, and only if, an office registered it.
    """

    source: Source = "web"
    representative: Representative | None = None
    registration: Registration | None = None


WEB = Origin()
"""The origin of a request that its applicant sent alone."""


def require_other_person(national_id: str, origin: Origin) -> None:
    """Raise RepresentativeIsApplicantError if the applicant is named as the representative too."""
    if origin.representative is not None and origin.representative.national_id == national_id:
        raise RepresentativeIsApplicantError
