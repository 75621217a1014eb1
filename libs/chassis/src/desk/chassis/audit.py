"""The audit log of a service: the keyed hashes in its entries, and the task that chains the entries."""

from dataclasses import dataclass

import structlog
from prometheus_client import CollectorRegistry, Gauge
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from desk.chassis.app import PeriodicTask
from desk.chassis.crypto import Vault
from desk.chassis.problem import RateLimitExceededError
from desk.chassis.rate_limits import RateLimits, source_network
from desk.database import (
    AuditEntry,
    Chain,
    ChainBrokenError,
    Database,
    add_audit_entry,
    audit_chain,
    chain_entries,
)

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 2.0
REFUSALS_PER_NETWORK = "20/10 minutes"
"""More refusals of one network are not recorded, so that a caller without a key cannot fill the log."""


def chain_of(vault: Vault) -> Chain:
    """Return the chain of the audit log, whose end is sealed with the index key."""
    return audit_chain(lambda text: vault.indexes(text, "audit head"))


@dataclass(frozen=True, slots=True)
class AuditLog:
    """Writes the audit log of a service. A caller's network is stored as a keyed hash."""

    database: Database
    vault: Vault
    rate_limits: RateLimits

    async def add(
        self, session: AsyncSession, actor: str, action: str, *, subject: str, source: str, about: str | None = None
    ) -> None:
        """Add an entry in the transaction of the action. ``source`` is the caller's address."""
        entry = AuditEntry(actor, action, subject, self._network(source), about)
        await add_audit_entry(session, entry)

    async def add_refusal(self, action: str, *, source: str, about: str, subject: str | None = None) -> None:
        """Add an entry about a caller that was refused, in a transaction of its own."""
        network = self._network(source)
        try:
            await self.rate_limits.reserve(REFUSALS_PER_NETWORK, "audit", network)
        except RateLimitExceededError:
            return
        async with self.database.transaction() as session:
            await add_audit_entry(session, AuditEntry("unknown", action, subject, network, about))

    def _network(self, source: str) -> str:
        return self.vault.index(source_network(source), "audit network")


async def record_operator(session: AsyncSession, about: str) -> None:
    """Record a rotation of keys."""
    await add_audit_entry(session, AuditEntry("operator", "keys_rotated", about=about))


class AuditTask:
    """Chains new entries every two seconds; any number of replicas may run it."""

    def __init__(self, database: Database, vault: Vault, registry: CollectorRegistry) -> None:
        self._database, self._chain = database, chain_of(vault)
        self._entries = Gauge("desk_audit_entries", "The number of the last entry of the audit log", registry=registry)
        self._broken = Gauge(
            "desk_audit_broken", "1 if the end of the audit log was changed, deleted or set back", registry=registry
        )
        self._seen = 0
        """The number of the last entry that this replica has chained."""
        periodic = PeriodicTask(self.run_once, PAUSE_SECONDS)
        self.run, self.finish = periodic.run, periodic.finish

    async def run_once(self) -> None:
        """Chain the entries there are. The next round retries after a failure."""
        try:
            head = await chain_entries(self._database, self._chain)
        except ChainBrokenError as error:
            self._broken.set(1)
            log.error("audit log broken", reason=str(error))  # noqa: TRY400 - the text says all there is
        except (SQLAlchemyError, OSError) as error:
            log.warning("audit entries could not be chained", error=type(error).__name__)
        else:
            if head is None:
                return
            self._broken.set(head.seq < self._seen)
            if head.seq < self._seen:
                log.error("audit log broken", reason=f"it was set back from entry {self._seen} to {head.seq}")
            else:
                self._seen = head.seq
                self._entries.set(head.seq)
                # Logs are stored elsewhere: the last line shows whether the end of the chain was cut off.
                log.info("audit log", seq=head.seq, row_hash=head.row_hash)
