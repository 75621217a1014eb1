"""What intake keeps: requests, their attachments, and identities to be checked later."""

from desk.intake.store.attachments import Attachment, AttachmentStore, attachment_of
from desk.intake.store.checks import CheckStore, Claim, Pending
from desk.intake.store.requests import RequestStore
from desk.intake.store.tables import answer_file, attachment, handover, identity_check, metadata, request

__all__ = [
    "Attachment",
    "AttachmentStore",
    "CheckStore",
    "Claim",
    "Pending",
    "RequestStore",
    "answer_file",
    "attachment",
    "attachment_of",
    "handover",
    "identity_check",
    "metadata",
    "request",
]
