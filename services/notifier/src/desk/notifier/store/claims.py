"""Messages that dispatchers claim, and the results of their attempts. On PostgreSQL each method is one statement."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    Boolean,
    Integer,
    String,
    Uuid,
    bindparam,
    cast,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from desk.chassis.crypto import Vault
from desk.database import UtcDateTime
from desk.notifier.domain import (
    LEASE,
    MAX_ATTEMPTS,
    STATS_PERIOD,
    ChannelName,
    Outcome,
    OutgoingMessage,
    ProviderStats,
    State,
    Template,
    states_before,
)
from desk.notifier.store.personal import Encrypted, PersonalData
from desk.notifier.store.tables import attempt, message, wrapped_key

OTHER_REFERENCES_PERIOD = timedelta(days=3)
"""How old another message to the recipient can be that a provider might confuse with an ambiguous one."""


class LeaseExpiredError(Exception):
    """The lease of a claim expired, and another dispatcher has claimed the message."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claimed message. ``attempts`` includes the coming one and distinguishes the claim from any other of it."""

    id: uuid.UUID
    template: Template
    attempts: int
    encrypted: Encrypted
    wording: str = ""
    provider: str | None = None
    ambiguous: bool = False
    """True if the provider was chosen for an earlier attempt, whose result is unknown."""
    other_references: frozenset[str] = frozenset()
    """That provider's ids of other messages to the same recipient, if the message is ambiguous."""
    traceparent: str | None = None
    """The trace context of the message."""

    def decrypt(self, vault: Vault) -> OutgoingMessage:
        """Return the message for its channel. Raises DecryptionError."""
        return OutgoingMessage(
            reference=str(self.id),
            wording=self.wording,
            provider=self.provider,
            ambiguous=self.ambiguous,
            other_references=self.other_references,
            **PersonalData.decrypt(vault, self.id, self.encrypted).model_dump(),
        )


# The statements are built once, because that costs more than to execute them.

_DUE = (
    select(
        *(message.c[name] for name in ("id", "template", "tries", "personal", "tracking_code", "wording", "provider")),
        message.c.recipient_index,
        message.c.traceparent,
        wrapped_key,
    )
    .where(
        # With constants, in the form of the index ix_message_unfinished.
        message.c.state.in_([literal_column(f"'{state}'") for state in sorted(states_before(State.CLAIMED))]),
        message.c.channel == bindparam("channel_"),
        message.c.template.in_([literal_column(f"'{template}'") for template in sorted(Template)]),
        message.c.next_try_at <= bindparam("now"),
        message.c.expires_at.is_(None) | (message.c.expires_at > bindparam("now")),
        message.c.tries < MAX_ATTEMPTS,
    )
    .order_by(message.c.priority, message.c.next_try_at)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(skip_locked=True, of=message)
)
_CLAIMED = {"state": State.CLAIMED, "tries": message.c.tries + 1, "next_try_at": bindparam("lease_ends")}
_due = _DUE.cte("due")
_numbered = select(_due, func.row_number().over().label("number")).cte("numbered")
_choice = func.nullif(func.split_part(bindparam("choices", type_=String), ",", cast(_numbered.c.number, Integer)), "")
_CLAIM = (
    update(message)
    .where(message.c.id == _numbered.c.id)
    .values(_CLAIMED | {"provider": func.coalesce(message.c.provider, _choice)})
    .returning(_numbered)
)
_CLAIM_EACH = (
    update(message)
    .where(message.c.id == bindparam("claimed"))
    .values(_CLAIMED | {"provider": func.coalesce(message.c.provider, bindparam("choice"))})
)
_HELD = (
    message.c.id == bindparam("held"),
    message.c.tries == bindparam("attempts"),
    message.c.state == State.CLAIMED,
)
_ASSIGN = update(message).where(*_HELD).values(provider=bindparam("chosen")).returning(message.c.id)
_RECORD = (
    update(message)
    .where(*_HELD)
    .values(
        state=bindparam("new_state"),
        last_error=bindparam("trouble"),
        next_try_at=bindparam("next_at"),
        provider_reference=bindparam("reference"),
        handed_over_at=bindparam("handed_at"),
        delivered_at=bindparam("arrived_at"),
        provider=bindparam("kept_provider"),
    )
    .returning(message.c.id)
)
_recorded = _RECORD.cte("recorded")
_ATTEMPT = (
    bindparam("attempt_id", type_=Uuid),
    bindparam("used_provider", type_=String),
    bindparam("made_at", type_=UtcDateTime),
    bindparam("bad_attempt", type_=Boolean),
)
_RECORD_WITH_ATTEMPT = (
    insert(attempt)
    .from_select(["id", "provider", "at", "bad", "message_id"], select(*_ATTEMPT, _recorded.c.id))
    .returning(attempt.c.message_id)
)
_ADD_ATTEMPT = insert(attempt).values(
    dict(zip(("id", "provider", "at", "bad"), _ATTEMPT, strict=True), message_id=bindparam("held"))
)
_STATS = (
    select(attempt.c.provider, func.count(), func.count().filter(attempt.c.bad))
    .where(attempt.c.at > bindparam("since"))
    .group_by(attempt.c.provider)
)


class ClaimStore:
    """The messages that are due for an attempt."""

    def __init__(self, connection: AsyncConnection) -> None:
        """``connection`` may commit each statement by itself; on SQLite it needs a transaction."""
        self._connection = connection
        self._one_statement = connection.dialect.name == "postgresql"

    async def claim(self, channel: ChannelName, limit: int, choices: Sequence[str] = ()) -> list[Claim]:
        """Claim the messages of the first priority, then those that have been due longest.

        Those that another session is claiming are skipped, and so are those of notices that only a later release has:
        its replicas send them. ``choices`` has a provider for each of ``limit`` messages, if the channel has several;
        an ambiguous message keeps its own.
        """
        now = datetime.now(UTC)
        values = {"channel_": channel, "now": now, "most": limit}
        lease = {"lease_ends": now + LEASE}
        if self._one_statement:
            claimed = await self._connection.execute(_CLAIM, values | lease | {"choices": ",".join(choices)})
            return [await self._claim(row, choices[row.number - 1] if choices else None) for row in claimed.all()]
        rows = (await self._connection.execute(_DUE, values)).all()
        chosen = [choices[place] if choices else None for place in range(len(rows))]
        if rows:
            each = [lease | {"claimed": row.id, "choice": choice} for row, choice in zip(rows, chosen, strict=True)]
            await self._connection.execute(_CLAIM_EACH, each)
        return [await self._claim(row, choice) for row, choice in zip(rows, chosen, strict=True)]

    async def _claim(self, row: Any, choice: str | None) -> Claim:
        """Return the claim of a message as it was before."""
        former = row.provider
        return Claim(
            id=row.id,
            template=Template(row.template),
            attempts=row.tries + 1,
            encrypted=Encrypted(row.personal, row.tracking_code, row.wrapped),
            wording=row.wording or "",
            provider=former or choice,
            ambiguous=former is not None,
            other_references=await self._other_references(former, row.recipient_index, row.id)
            if former
            else frozenset(),
            traceparent=row.traceparent,
        )

    async def _other_references(self, provider: str, recipient: str, message_id: uuid.UUID) -> frozenset[str]:
        others = select(message.c.provider_reference).where(
            message.c.recipient_index == recipient,
            message.c.due_at > datetime.now(UTC) - OTHER_REFERENCES_PERIOD,
            message.c.provider == provider,
            message.c.provider_reference.is_not(None),
            message.c.id != message_id,
        )
        return frozenset((await self._connection.execute(others)).scalars().all())

    async def assign(self, claim: Claim, provider: str) -> Claim:
        """Record another provider of a claimed message before anything is sent. Raises LeaseExpiredError."""
        held = {"held": claim.id, "attempts": claim.attempts, "chosen": provider}
        if (await self._connection.execute(_ASSIGN, held)).first() is None:
            raise LeaseExpiredError
        return replace(claim, provider=provider, ambiguous=False, other_references=frozenset())

    async def provider_stats(self) -> dict[str, ProviderStats]:
        """Return the recent attempts and failures of each provider."""
        rows = await self._connection.execute(_STATS, {"since": datetime.now(UTC) - STATS_PERIOD})
        return {provider: ProviderStats(sent, failed) for provider, sent, failed in rows.all()}

    async def record(self, claim: Claim, outcome: Outcome) -> bool:
        """Record the result of an attempt; return False if the lease expired and another dispatcher took over."""
        now = datetime.now(UTC)
        values = {
            "held": claim.id,
            "attempts": claim.attempts,
            "new_state": outcome.state,
            "trouble": outcome.trouble,
            "next_at": now + outcome.wait,
            "reference": outcome.provider_reference,
            "handed_at": now if outcome.provider_reference is not None else None,
            "arrived_at": now if outcome.state is State.DELIVERED else None,
            "kept_provider": None if outcome.state is State.QUEUED and not outcome.ambiguous else claim.provider,
        }
        made = {
            "attempt_id": uuid.uuid4(),
            "used_provider": claim.provider,
            "made_at": now,
            "bad_attempt": outcome.is_provider_failure,
        }
        if claim.provider is not None and self._one_statement:
            return (await self._connection.execute(_RECORD_WITH_ATTEMPT, values | made)).first() is not None
        if (await self._connection.execute(_RECORD, values)).first() is None:
            return False
        if claim.provider is not None:
            await self._connection.execute(_ADD_ATTEMPT, made | {"held": claim.id})
        return True
