"""The audit log of a service: the keyed hashes in its entries, and the tasks that chain and prune the entries."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import CollectorRegistry, Gauge
from sqlalchemy.exc import SQLAlchemyError

from desk.chassis.app import PeriodicTask
from desk.chassis.crypto import Vault
from desk.chassis.problem import RateLimitExceededError
from desk.chassis.rate_limits import RateLimits, source_network
from desk.database import (
    AuditEntry,
    Chain,
    ChainBrokenError,
    Database,
    DatabaseSession,
    RecordPruned,
    add_audit_entry,
    audit_chain,
    chain_entries,
)

log = structlog.get_logger(__name__)

PAUSE_SECONDS, PRUNING_SECONDS = 5.0, 3600.0
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
        self, session: DatabaseSession, actor: str, action: str, *, subject: str, source: str, about: str | None = None
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


async def record_operator(session: DatabaseSession, about: str) -> None:
    """Record a rotation of keys."""
    await add_audit_entry(session, AuditEntry("operator", "keys_rotated", about=about))


async def record_pruned(session: DatabaseSession, about: str) -> None:
    """Record that entries were deleted because their term was over."""
    await add_audit_entry(session, AuditEntry("retention", "audit_pruned", about=about))


class ChainPruning(PeriodicTask):
    """Deletes the rows of a chain whose term is over, every hour; any number of replicas may run it."""

    def __init__(self, database: Database, chain: Chain, days: int, record: RecordPruned | None = None) -> None:
        super().__init__(self.run_once, PRUNING_SECONDS)
        self._database, self._chain = database, chain
        self._term, self._record = timedelta(days=days), record

    async def run_once(self) -> float | None:
        """Delete up to 1,000 rows; return 0 if there may be more. The next round retries after a failure."""
        try:
            start = await self._chain.prune(self._database, datetime.now(UTC) - self._term, self._record)
        except ChainBrokenError as error:
            log.error("a chain is not pruned: it is broken", reason=str(error))  # noqa: TRY400 - the text says all there is
        except (SQLAlchemyError, OSError) as error:
            log.warning("a chain could not be pruned", error=type(error).__name__)
        else:
            if start is None:
                return None
            # Logs are stored elsewhere: they show up to where the chain was pruned by its service.
            log.info("chain pruned", seq=start.seq, row_hash=start.row_hash)
            return 0
        return None


class AuditTask:
    """Chains new entries every five seconds; any number of replicas may run it."""

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
