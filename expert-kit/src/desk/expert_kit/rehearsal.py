"""The common steps of the checks: publish an event, and wait for the reaction of the consumer."""

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from desk.expert_kit.assertions import ADVICE
from desk.expert_kit.contract import Contract, Envelope, new_code, use_files
from desk.expert_kit.desk import DeskSide, Report
from desk.expert_kit.errors import Fault
from desk.expert_kit.file_server import CONTENT, FileServer
from desk.expert_kit.program import Program
from desk.expert_kit.proxy import Kind, Proxy

RECEIVED = "case-received"
MAX_REQUEUES = 5
POLL_SECONDS = 0.25
_ANSWERS: tuple[Kind, ...] = ("ack", "reject")


@dataclass(slots=True)
class Rehearsal:
    """The desk, the proxy and the consumer; ``patience`` is the time limit of each reaction in seconds."""

    contract: Contract
    desk: DeskSide
    proxy: Proxy
    files: FileServer
    program: Program | None
    patience: float
    remarks: list[str] = field(default_factory=list)

    def new(self, name: str = "request-submitted", code: str | None = None, seq: int = 1) -> Envelope:
        """Return a new event with the kit's files."""
        envelope = self.contract.event(name, code or new_code(), seq)
        self.files.files |= set(use_files(envelope["data"], CONTENT, self.files.sha256))
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
        return self.count("requeue", event_id) > MAX_REQUEUES

    def _fault(self, name: str, event_id: str, answers: list[Kind]) -> Fault:
        if wrong := self.wrong_assertion():
            return wrong
        if self.program is not None and (code := self.program.ended) is not None:
            output = "\n".join(self.program.log_since())
            return Fault(
                f"the consumer ended with exit code {code} at {name}; its output:\n{output}",
                "no event may end the consumer: catch the errors of each event, and reject that event",
            )
        if "reject" in answers:
            return self._rejection(name)
        if requeues := self.count("requeue", event_id):
            return Fault(
                f"{name} was requeued {requeues} times and delivered again each time",
                "requeue only if a later attempt may succeed; otherwise reject with requeue=false",
            )
        return self._silence(name, event_id)

    def _rejection(self, name: str) -> Fault:
        if not any(each.kind == "ack" for each in self.proxy.seen):
            return Fault(
                f"{name} was rejected, although it is valid",
                "find out why (its log). If the data cannot be decrypted: it is encrypted for the key of "
                f"EVENT_PRIVATE_KEY, under the kid {self.desk.keys.current.thumbprint()} (RFC 7638 thumbprint of the "
                "public key); the data key is wrapped by ECDH-ES+A256KW",
            )
        return Fault(f"{name} was rejected", "reject only invalid messages: handle it, or acknowledge and ignore it")

    def _silence(self, name: str, event_id: str) -> Fault:
        if not self.count("deliver", event_id):
            return Fault(
                f"{name} was not delivered within {self.patience:.0f} s",
                "the consumer has an unacknowledged event, or stopped consuming",
            )
        return Fault(
            f"{name} was delivered and not acknowledged within {self.patience:.0f} s",
            "acknowledge each event once it is handled (basic.ack); otherwise it is delivered again and again",
        )

    def wrong_assertion(self) -> Fault | None:
        """Return the fault of a refused call for a file, which has to be fixed before anything that follows from it."""
        wrong = self.files.wrong_part
        if wrong is None:
            return None
        return Fault(f"a call for a file was refused with 401, because of {wrong}", ADVICE[wrong.part])

    def count(self, kind: Kind, event_id: str) -> int:
        """Count the observations of one kind about an event."""
        return sum(each.kind == kind and each.event_id == event_id for each in self.proxy.seen)

    async def wait(self, true: Callable[[], bool], seconds: float | None = None) -> bool:
        """Wait until a condition is true, the consumer has ended, or the time is over; return the condition."""
        loop = asyncio.get_running_loop()
        end = loop.time() + (seconds or self.patience)
        while not true() and loop.time() < end:
            if self.program is not None and self.program.ended is not None:
                break
            await self.proxy.until(true, min(POLL_SECONDS, max(0.01, end - loop.time())))
        return true()

    def reports_of(self, code: str, name: str | None = None) -> list[Report]:
        """List the reports about a request."""
        return [each for each in self.desk.reports if each.of(code) and name in {None, each.name}]

    async def received(self, code: str) -> None:
        """Wait until a request is reported received. Raises Fault."""
        if not await self.wait(lambda: bool(self.reports_of(code, RECEIVED))):
            raise self.wrong_assertion() or Fault(
                f"no {RECEIVED} was published for the request within {self.patience:.0f} s",
                f"report {RECEIVED} for each request-submitted and request-referred: otherwise the "
                "desk counts the province as silent",
            )

    async def handled(self, envelope: Envelope, name: str = "request-submitted", *, times: int = 1) -> None:
        """Wait until a new request is acknowledged and reported received. Raises Fault."""
        await self.settled(name, envelope["id"], times=times)
        await self.received(envelope["subject"])

    async def still_serves(self) -> None:
        """Check that a request is handled after everything before it. Raises Fault."""
        envelope = self.new()
        await self.desk.publish("request-submitted", envelope)
        await self.handled(envelope)

    async def connected(self, since: int, seconds: float | None = None) -> bool:
        """Wait until the consumer reads its queue, according to the observations from ``since`` on."""
        queue = self.contract.queue_name

        def reads() -> bool:
            return any(each.kind == "consume" and each.queue == queue for each in self.proxy.seen[since:])

        return await self.wait(reads, seconds)

    async def restart_after_failure(self) -> bool:
        """Purge the queue and restart the consumer; return whether it reads its queue."""
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

    async def restart(self) -> bool:
        """Kill and restart the consumer and keep the queue; return whether it reads its queue."""
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
