"""Intake's stored data: requests, their files, and identities that are looked up later."""

from desk.intake.store.attachments import AttachmentStore, StoredObject
from desk.intake.store.case_files import CaseFileStore, StoredFile
from desk.intake.store.catalog import load_catalog
from desk.intake.store.erasures import Erasure, ErasureStore
from desk.intake.store.identity_checks import Claim, IdentityCheckStore, Pending
from desk.intake.store.probes import ProbeStore
from desk.intake.store.reply_attachments import ReplyAttachmentStore
from desk.intake.store.requests import RequestStore
from desk.intake.store.tables import catalog_tables, metadata

__all__ = [
    "AttachmentStore",
    "CaseFileStore",
    "Claim",
    "Erasure",
    "ErasureStore",
    "IdentityCheckStore",
    "Pending",
    "ProbeStore",
    "ReplyAttachmentStore",
    "RequestStore",
    "StoredFile",
    "StoredObject",
    "catalog_tables",
    "load_catalog",
    "metadata",
]
