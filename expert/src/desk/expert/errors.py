"""The errors of this library.

::

    ExpertError
    ├── BrokerUnavailableError    the broker did not confirm a report in time, or refused it
    ├── CatalogUnavailableError   the desk did not return its subjects
    ├── DecryptionError           the data of an event is not for this office's keys
    ├── DeskKeysUnavailableError  the desk did not return the keys for reports
    ├── FileRefusedError          the desk refused a download or an upload
    └── FileDamagedError          the downloaded content is not that of the file
"""


class ExpertError(Exception):
    """Base class of this library's errors."""


class BrokerUnavailableError(ExpertError):
    """The broker did not confirm the report. The case is delivered again, and the report counts once."""


class CatalogUnavailableError(ExpertError):
    """The desk did not answer, or not with a catalogue."""


class DecryptionError(ExpertError):
    """The data of an event cannot be decrypted; the message gives the reason and contains no data."""


class DeskKeysUnavailableError(ExpertError):
    """The desk did not return the public keys for reports. The case is delivered again, and the report counts once."""


class FileRefusedError(ExpertError):
    """The desk refused a download or an upload; ``code`` is the desk's stable error code.

    ``later`` is true if a retry may succeed: the desk is unavailable or busy, or has not processed a referral yet.
    """

    def __init__(self, code: str, title: str, *, later: bool = False) -> None:
        super().__init__(f"{code}: {title}")
        self.code, self.title, self.later = code, title, later


class FileDamagedError(ExpertError):
    """Size or SHA-256 differ from those in the event."""
