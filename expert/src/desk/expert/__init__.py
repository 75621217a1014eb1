"""For provincial expert systems: the service desk's requests in, the experts' reports out."""

from desk.expert.case import Case
from desk.expert.errors import BrokerAwayError, ExpertError, FileDamagedError, FileRefusedError
from desk.expert.events import Answer, FileReference, PastStep, Refusal, Reply, Request, Titled
from desk.expert.files import Attachment, Files
from desk.expert.inbox import Inbox
from desk.expert.memory import Memory, SqliteMemory

__all__ = [
    "Answer",
    "Attachment",
    "BrokerAwayError",
    "Case",
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
    "Request",
    "SqliteMemory",
    "Titled",
]
