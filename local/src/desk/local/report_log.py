"""What became of each report of the office that is being developed, for the page ``/demo/office``."""

import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from desk.chassis.bus import Broker, Consumer, ContractError
from desk.chassis.event_encryption import EventDecryptionError, EventDecryptor
from desk.chassis.events import Message
from desk.expert import DecryptionError, PrivateKeys, Refusal, read
from desk.topology.table import CASES

KEPT = 200
"""So many of the newest reports are listed."""
_REFUSED = "case-refused"


@dataclass(slots=True)
class SeenReport:
    """A report as it arrived. ``outcome`` is ``applied``, ``refused``, ``set aside``, ``waiting`` or ``repeated``."""

    id: str
    routing_key: str
    sender: str | None
    envelope: Mapping[str, Any]
    data: str
    """The decrypted data as text, or why it cannot be read."""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    outcome: str = "waiting"
    reason: str = ""
    details: str = ""


class ReportLog:
    """Observes tracking's side of the broker: the reports that it handles, and the refusals that it publishes."""

    def __init__(self, office: str, desk_private_key: str, office_private_keys: Sequence[str]) -> None:
        """``desk_private_key`` reads reports, ``office_private_keys`` read the office's refusals."""
        self._office = office
        self._desk, self._own = EventDecryptor([desk_private_key]), PrivateKeys(office_private_keys)
        self._seen: deque[SeenReport] = deque(maxlen=KEPT)

    @property
    def newest(self) -> list[SeenReport]:
        """The reports, the newest first."""
        return list(reversed(self._seen))

    def observed(self, user: str, broker: Broker) -> Broker:
        """Return the broker, observed if it is tracking's."""
        return _Observed(broker, self) if user == "tracking" else broker

    async def handle(self, message: Message, consumer: Consumer) -> None:
        """Let the consumer handle a message, and keep what became of it if it is a report of the office."""
        if message.exchange != CASES or not message.routing_key.endswith(f".{self._office}"):
            await consumer(message)
            return
        report = self._report(message)
        try:
            await consumer(message)
        except ContractError as error:
            report.outcome, report.details = "set aside", str(error)
            raise
        except Exception as error:
            report.outcome, report.details = "waiting", f"tried again after {type(error).__name__}"
            raise
        if report.outcome == "waiting":
            report.outcome = "repeated" if self._is_repeated(report) else "applied"

    def published(self, message: Message) -> None:
        """Keep the reason of a refusal."""
        if message.routing_key != f"{_REFUSED}.{self._office}":
            return
        try:
            refusal = read(message.body, self._own).refusal
        except DecryptionError:  # the office has replaced its key
            return
        for report in self._seen:
            if refusal is not None and report.id == refusal.report_id:
                report.outcome, report.reason, report.details = "refused", refusal.reason, _details(refusal)

    def _report(self, message: Message) -> SeenReport:
        known = next((each for each in self._seen if each.id == message.id and each.outcome == "waiting"), None)
        if known is not None:
            return known
        envelope = _object(message.body)
        data = envelope.pop("data", None)
        seen = SeenReport(message.id, message.routing_key, message.sender, envelope, self._read(data, envelope))
        self._seen.append(seen)
        return seen

    def _is_repeated(self, report: SeenReport) -> bool:
        return any(each.id == report.id and each is not report and each.outcome == "applied" for each in self._seen)

    def _read(self, data: object, envelope: Mapping[str, Any]) -> str:
        try:
            plain = self._desk.decrypt(data, str(envelope.get("id")))
        except EventDecryptionError as error:
            return f"({error})"
        return json.dumps(_object(plain), ensure_ascii=False, indent=1)


class _Observed:
    def __init__(self, broker: Broker, log: ReportLog) -> None:
        self._broker, self._log = broker, log

    async def publish(self, message: Message) -> None:
        await self._broker.publish(message)
        self._log.published(message)

    async def consume(self, queue: str, consumer: Consumer) -> None:
        await self._broker.consume(queue, consumer)

    async def consume_paced(self, queues: Sequence[str], consumer: Consumer, per_second: float) -> None:
        async def handle(message: Message) -> None:
            await self._log.handle(message, consumer)

        await self._broker.consume_paced(queues, handle, per_second)

    async def drain(self) -> None:
        await self._broker.drain()

    async def close(self) -> None:
        await self._broker.close()

    def alive(self) -> bool:
        return self._broker.alive()


def _object(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {"unreadable": text[:200].decode("utf-8", "replace")}
    return found if isinstance(found, dict) else {"unreadable": str(found)[:200]}


def _details(refusal: Refusal) -> str:
    named = {"field": refusal.field, "rule": refusal.rule, "expected_seq": refusal.expected_seq}
    return "; ".join([refusal.explanation, *(f"{name}: {value}" for name, value in named.items() if value)])
