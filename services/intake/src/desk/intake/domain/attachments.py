"""Files of applicants and offices, and who uploads them."""

from dataclasses import dataclass

from desk.files.types import CheckedFile


@dataclass(frozen=True, slots=True)
class Attachment:
    """A stored file; ``size`` is in bytes, ``sha256`` in hex."""

    id: str
    name: str
    size: int
    media_type: str
    sha256: str
    object_key: str
    """Where the file is in the object store."""

    @classmethod
    def of(cls, file_id: str, file: CheckedFile, object_key: str) -> "Attachment":
        """Describe a checked file under its id."""
        return cls(file_id, file.name, file.size, file.media_type, file.sha256, object_key)


@dataclass(frozen=True, slots=True)
class Uploader:
    """An applicant who uploads files, either before a submission or for a reply.

    Exactly one of the two ids is set: ``upload_session`` is the id of the identity token, ``reply_request_id`` that
    of the request whose experts have asked something.
    """

    national_id: str
    upload_session: str | None = None
    reply_request_id: str | None = None
