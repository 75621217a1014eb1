"""What can go wrong.

::

    ExpertError
    ├── BrokerAwayError    the broker does not confirm a report in time, or refuses it
    ├── CatalogAwayError   the desk does not say which subjects it has
    ├── FileRefusedError   the desk does not give or take a file, and says why
    └── FileDamagedError   what came is not the file the desk told of
"""


class ExpertError(Exception):
    """Base of all errors of this library."""


class BrokerAwayError(ExpertError):
    """The broker did not confirm the report; the case comes again, and the report goes out once."""


class CatalogAwayError(ExpertError):
    """The desk does not answer, or not with a catalogue."""


class FileRefusedError(ExpertError):
    """The desk does not give or take this file; ``code`` is the desk's stable code.

    ``later`` tells whether it may do so later: it is away or busy, or has not heard of a referral yet.
    """

    def __init__(self, code: str, title: str, *, later: bool = False) -> None:
        super().__init__(f"{code}: {title}")
        self.code, self.title, self.later = code, title, later


class FileDamagedError(ExpertError):
    """Size or SHA-256 are not those the event named."""
