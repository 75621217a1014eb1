"""What an applicant of the tests has sent."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Sent:
    """A submission for which a code was shown, and the responses on the way."""

    code: str
    key: str
    with_email: bool
    statuses: list[int] = field(default_factory=list)
