"""What every check uses: publish an event to the consumer, and wait for the reaction."""

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from desk.expert_kit.contract import Contract, Envelope, give_files, new_code
from desk.expert_kit.desk import DeskSide, Report
from desk.expert_kit.errors import Fault
from desk.expert_kit.file_server import CONTENT, FileServer
from desk.expert_kit.program import Program
from desk.expert_kit.proxy import BrokerProxy, Kind

RECEIVED = "case-received"
MOST_REQUEUES = 5
LOOK_SECONDS = 0.25
_ANSWERS: tuple[Kind, ...] = ("ack", "reject")


@dataclass(slots=True)
class Rehearsal:
    """The desk, the proxy and the consumer; ``patience`` is how many seconds each reaction may take."""

    contract: Contract
    desk: DeskSide
    proxy: BrokerProxy
    files: FileServer
    program: Program | None
    patience: float
    remarks: list[str] = field(default_factory=list)

    def new(self, name: str = "request-submitted", code: str | None = None, seq: int = 1) -> Envelope:
        """Make an event; its files are those of the kit."""
        envelope = self.contract.event(name, code or new_code(), seq)
        self.files.files |= set(give_files(envelope["data"], CONTENT, self.files.sha256))
        return envelope

    async def settled(self, name: str, event_id: str, *, times: int = 1, also: tuple[Kind, ...] = ()) -> Kind:
        """Wait until an event is acknowledged ``times`` times, or ``also``; return the last reaction. Raises Fault."""
        wanted = ("ack", *also)

        def done() -> bool:
            return sum(self.count(each, event_id) for each in _ANSWERS) >= times or self._lost(event_id)

        await self.wait(done)
        answers = [each.kind for each in self.proxy.seen if each.event_id == event_id and each.kind in _ANSWERS]
        if len(answers) >= times and all(each in wanted for each in answers):
            return answers[-1]
        raise self._fault(name, event_id, answers)

    def _lost(self, event_id: str) -> bool:
        return self.count("requeue", event_id) > MOST_REQUEUES

    def _fault(self, name: str, event_id: str, answers: list[Kind]) -> Fault:
        if self.program is not None and (code := self.program.ended) is not None:
            return Fault(
                f"the consumer ended with exit code {code} over {name}; its last output:\n{self.program.log_tail()}",
                "no event may end the consumer: catch what goes wrong with one event, and reject that one",
            )
        if "reject" in answers:
            return Fault(
                f"{name} was rejected", "only what cannot be read is rejected: handle it, or acknowledge and ignore it"
            )
        if requeues := self.count("requeue", event_id):
            return Fault(
                f"{name} was requeued {requeues} times and delivered again each time",
                "requeue only if a later attempt may succeed; otherwise reject with requeue=false",
            )
        if not self.count("deliver", event_id):
            return Fault(
                f"{name} was not even fetched within {self.patience:.0f} s",
                "the consumer still holds an event it has not acknowledged, or reads no more",
            )
        return Fault(
            f"{name} was delivered and not acknowledged within {self.patience:.0f} s",
            "acknowledge each event once it is handled (basic.ack); otherwise it is delivered again and again",
        )

    def count(self, kind: Kind, event_id: str) -> int:
        """Count the records of one kind about an event."""
        return sum(each.kind == kind and each.event_id == event_id for each in self.proxy.seen)

    async def wait(self, true: Callable[[], bool], seconds: float | None = None) -> bool:
        """Wait until a condition holds, the consumer has ended by itself, or the time is up."""
        loop = asyncio.get_running_loop()
        end = loop.time() + (seconds or self.patience)
        while not true() and loop.time() < end:
            if self.program is not None and self.program.ended is not None:
                break
            await self.proxy.until(true, min(LOOK_SECONDS, max(0.01, end - loop.time())))
        return true()

    def reports_of(self, code: str, name: str | None = None) -> list[Report]:
        """Return the reports on a request."""
        return [each for each in self.desk.reports if each.of(code) and name in {None, each.name}]

    async def received(self, code: str) -> None:
        """Wait until a request is reported as received. Raises Fault."""
        if not await self.wait(lambda: bool(self.reports_of(code, RECEIVED))):
            raise Fault(
                f"no {RECEIVED} came for the request within {self.patience:.0f} s",
                f"report {RECEIVED} for each request-submitted and request-referred: the desk counts a province that "
                "does not as silent",
            )

    async def handled(self, envelope: Envelope, name: str = "request-submitted", *, times: int = 1) -> None:
        """Wait until a new request is acknowledged and reported as received. Raises Fault."""
        await self.settled(name, envelope["id"], times=times)
        await self.received(envelope["subject"])

    async def still_serves(self) -> None:
        """Let the consumer handle a normal request, after everything else. Raises Fault."""
        envelope = self.new()
        await self.desk.publish("request-submitted", envelope)
        await self.handled(envelope)

    async def connected(self, since: int, seconds: float | None = None) -> bool:
        """Wait until the consumer reads its queue, from record ``since`` on; at most ``patience``."""
        queue = f"province.{self.contract.province}"

        def reads() -> bool:
            return any(each.kind == "consume" and each.queue == queue for each in self.proxy.seen[since:])

        return await self.wait(reads, seconds)

    async def clean_up(self) -> bool:
        """Remove what is left of a failed check; return whether the consumer reads again."""
        self.proxy.set_trap(None)
        self.proxy.shut = True
        await self.proxy.cut()
        if self.program is not None:
            await self.program.kill()
        await self.desk.purge()
        since = len(self.proxy.seen)
        self.proxy.shut = False
        if self.program is not None:
            self.program.start()
        return await self.connected(since)

    async def restart_consumer(self) -> bool:
        """Kill and restart the consumer, without changing the queue; return whether it reads again."""
        self.proxy.shut = True
        if self.program is not None:
            await self.program.kill()
        await self.proxy.cut()
        self.proxy.set_trap(None)
        since = len(self.proxy.seen)
        self.proxy.shut = False
        if self.program is not None:
            self.program.start()
        return await self.connected(since)


def unreadable() -> tuple[bytes, str]:
    """Return a body that is not JSON, and an id for it."""
    return b'{"specversion": "1.0", "id": ', str(uuid.uuid4())
