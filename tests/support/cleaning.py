"""Deletes the requests of a real desk between experiments."""

from collections.abc import Callable

import asyncpg
from minio import Minio

from desk.testing.s3 import S3Server

TABLES = {
    "intake": (
        "erased_object",
        "erasure",
        "handover",
        "answer_file",
        "identity_check",
        "attachment",
        "request",
        "data_key",
        "outbox",
        "inbox",
    ),
    "tracking": (
        "erasing_party",
        "erasure",
        "figure",
        "silence",
        "probe",
        "refusal",
        "handover",
        "step",
        '"case"',
        "data_key",
        "outbox",
        "inbox",
    ),
    "notifier": ("erasure", "attempt", "message", "data_key", "outbox", "inbox"),
}


def empties(execute: Callable[[str, str], None], service: str) -> bool:
    """Empty the tables of a service. Returns False on a deadlock with the service."""
    try:
        execute(service, f"TRUNCATE {', '.join(TABLES[service])}")
    except asyncpg.DeadlockDetectedError:
        return False
    return True


def clear_erased_codes(s3: S3Server, bucket: str) -> None:
    """Delete the list of erased codes."""
    client = Minio(s3.endpoint, s3.access_key, s3.secret_key, secure=s3.secure, region=s3.region)
    for each in client.list_objects(bucket, "erased/"):
        client.remove_object(bucket, str(each.object_name))
