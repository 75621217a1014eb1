"""Gives new entries of the audit log their places in its chain, every two seconds."""

import asyncio
import logging

from sqlalchemy.exc import SQLAlchemyError

from desk.console.encryption import Encryption
from desk.console.store.audit import audit_chain
from desk.database import ChainBrokenError, Database, chain_entries

log = logging.getLogger(__name__)

PAUSE_SECONDS = 2.0


async def chain_audit_entries(database: Database, encryption: Encryption) -> None:
    """Chain until cancelled; a failure is logged, and retried after the pause."""
    chain = audit_chain(encryption)
    while True:
        try:
            head = await chain_entries(database, chain)
        except ChainBrokenError as error:
            log.error("the audit log is broken: %s; run desk-audit verify", error)  # noqa: TRY400 - no traceback needed
        except SQLAlchemyError as error:
            log.warning("audit entries could not be chained: %s", type(error).__name__)
        else:
            if head is not None:  # logs are stored elsewhere: the last line shows whether the end was cut off
                log.info("audit log: %d entries, the last has the hash %s", head.seq, head.row_hash)
        await asyncio.sleep(PAUSE_SECONDS)
