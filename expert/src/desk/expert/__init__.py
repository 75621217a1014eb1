"""For provincial expert systems: the service desk's requests in, the experts' reports out."""

from desk.expert.case import Case
from desk.expert.catalog import Catalog, Subject
from desk.expert.errors import BrokerAwayError, CatalogAwayError, ExpertError, FileDamagedError, FileRefusedError
from desk.expert.events import HEARD, Answer, FileReference, PastStep, Refusal, Reply, Request, Titled, Told, read
from desk.expert.files import Attachment, Files
from desk.expert.inbox import Inbox
from desk.expert.memory import Memory, SqliteMemory
from desk.expert.reports import Report, Reports

__all__ = [
    "HEARD",
    "Answer",
    "Attachment",
    "BrokerAwayError",
    "Case",
    "Catalog",
    "CatalogAwayError",
    "ExpertError",
    "FileDamagedError",
    "FileReference",
    "FileRefusedError",
    "Files",
    "Inbox",
    "Memory",
    "PastStep",
    "Refusal",
    "Reply",
    "Report",
    "Reports",
    "Request",
    "SqliteMemory",
    "Subject",
    "Titled",
    "Told",
    "read",
]
