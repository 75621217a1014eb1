"""The errors of this library.

::

    ExpertError
    ├── BrokerUnavailableError    the broker did not confirm a report in time
    │   └── BrokerRefusedError    the broker refuses the address, the user, the virtual host or the office's key
    ├── CallRefusedError          the desk refused a call
    │   ├── DocumentRefusedError  versions and drafts of a document
    │   │   ├── CatalogRefusedError   of the catalogue
    │   │   └── TextsRefusedError     of the texts of SMS and email
    │   ├── FileRefusedError      a download or an upload
    │   ├── CaseRefusedError      a case by its tracking code
    │   ├── FiguresRefusedError   the figures
    │   └── RegistrationRefusedError  a look-up, a code or a registration for a person
    ├── CatalogUnavailableError   the desk did not return its subjects
    ├── DecryptionError           the data of an event is not for this office's keys
    ├── DeskKeysUnavailableError  the desk did not return the keys for reports
    ├── FileDamagedError          the downloaded content is not that of the file
    ├── InvalidReportError        a report breaks the contract; nothing was sent
    ├── KeysExistError            a folder has keys already, which are not overwritten
    └── KeysMissingError          a folder has no keys
"""

from collections.abc import Mapping


class ExpertError(Exception):
    """Base class of this library's errors."""


class BrokerUnavailableError(ExpertError):
    """The broker did not confirm the report. The case is delivered again, and the report counts once."""


class BrokerRefusedError(BrokerUnavailableError):
    """The broker refuses the address or the permission: correct the settings that the message names."""


class CatalogUnavailableError(ExpertError):
    """The desk did not answer, or not with a catalogue."""


class DecryptionError(ExpertError):
    """The data of an event cannot be decrypted; the message gives the reason and contains no data."""


class DeskKeysUnavailableError(ExpertError):
    """The desk did not return the public keys for reports. The case is delivered again, and the report counts once."""


class CallRefusedError(ExpertError):
    """The desk refused a call; ``code`` is the desk's stable error code.

    ``later`` is true if a retry may succeed: the desk is unavailable or busy, or has not processed a referral yet.
    ``faults`` are the desk's sentences about single parts by their names, such as ``exp`` of a refused assertion.
    """

    def __init__(self, code: str, title: str, *, later: bool = False, faults: Mapping[str, str] | None = None) -> None:
        self.code, self.title, self.later, self.faults = code, title, later, dict(faults or {})
        super().__init__("; ".join((f"{code}: {title}", *(f"{name}: {text}" for name, text in self.faults.items()))))


class FileRefusedError(CallRefusedError):
    """The desk refused a download or an upload."""


class DocumentRefusedError(CallRefusedError):
    """The desk refused a call about versions of a document; ``faults`` name the parts that break a rule."""


class CatalogRefusedError(DocumentRefusedError):
    """The desk refused a call about versions of the catalogue."""


class TextsRefusedError(DocumentRefusedError):
    """The desk refused a call about versions of the texts of SMS and email."""


class CaseRefusedError(CallRefusedError):
    """The desk refused to return a case, or returned something else."""


class FiguresRefusedError(CallRefusedError):
    """The desk refused to return figures, or returned something else."""


class RegistrationRefusedError(CallRefusedError):
    """The desk refused to look a person up, to send a code or to register a request, or returned something else."""


class FileDamagedError(ExpertError):
    """Size or SHA-256 differ from those in the event."""


class InvalidReportError(ExpertError):
    """A report breaks the contract and was not sent; ``field`` names what is wrong, and ``rule`` says how."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field, self.rule = field, rule


class KeysExistError(ExpertError):
    """A folder has keys already, and they are not overwritten."""


class KeysMissingError(ExpertError):
    """A folder has no keys, or not all of them."""
