"""An office that uses the library, on a real RabbitMQ with the desk's topology and permissions."""

import asyncio
import json
import uuid
from pathlib import Path

import httpx
import pytest

from desk.chassis.bus.rabbit import RabbitBroker
from desk.chassis.event_encryption import new_event_key_pair
from desk.chassis.events import Message
from desk.chassis.telemetry import Telemetry
from desk.expert import (
    BrokerUnavailableError,
    Catalog,
    CatalogUnavailableError,
    DeskKeys,
    DeskKeysUnavailableError,
    Inbox,
    Report,
    Reports,
    SqliteMemory,
    Subject,
    SubSubject,
    Titled,
)
from desk.testing.event_keys import decrypted, decryptor_of, encrypted, event_key_pair

PRIVATE_KEYS = [event_key_pair("isfahan")[0]]
EXAMPLES = Path(__file__).parents[2] / "contracts" / "events"
QUEUE_SECONDS = 60


@pytest.fixture
async def desk(broker_url):
    """The desk: publishes examples, and consumes the reports of the province."""

    class Desk:
        def __init__(self):
            self.intake = RabbitBroker(broker_url("intake"), Telemetry("a"))
            self.tracking = RabbitBroker(broker_url("tracking"), Telemetry("b"))
            self.reports = asyncio.Queue()

        async def publish(self, name="request-submitted", *, event_id=None, traceparent=None, **changed):
            envelope = json.loads((EXAMPLES / f"{name}.json").read_text())
            envelope |= {"id": event_id or str(uuid.uuid4()), "unknown": [1]} | changed
            if "data" not in changed:
                envelope["data"]["unknown"] = {"a": 1}
            publisher = self.intake if name == "request-submitted" else self.tracking
            await publisher.publish(
                Message(
                    envelope["id"],
                    "desk.events",
                    f"{name}.isfahan",
                    envelope["type"],
                    json.dumps(encrypted(envelope, "isfahan")).encode(),
                    traceparent=traceparent,
                )
            )
            return envelope["id"]

        async def publish_clear(self):
            body = (EXAMPLES / "request-submitted.json").read_bytes()
            envelope = json.loads(body)
            await self.intake.publish(
                Message(envelope["id"], "desk.events", "request-submitted.isfahan", envelope["type"], body)
            )

        async def on_report(self, message):
            if message.exchange == "desk.cases":
                await self.reports.put((message, decrypted(message.body, "tracking")))

        async def next_report(self):
            return await asyncio.wait_for(self.reports.get(), QUEUE_SECONDS)

    desk = Desk()
    await desk.tracking.consume_paced(["reports.isfahan", "reports.qom"], desk.on_report, 20)
    yield desk
    await desk.intake.close()
    await desk.tracking.close()


@pytest.fixture
def inbox(broker_url, tmp_path):
    """An inbox on the same memory each time, as after a restart."""

    def inbox(private_keys=PRIVATE_KEYS):
        memory = SqliteMemory(tmp_path / "memory.sqlite3")
        url = broker_url("province.isfahan")
        return Inbox(url, "isfahan", memory, private_keys=private_keys, desk_keys=desk_keys())

    return inbox


def desk_keys(handle=None):
    """The desk's keys, from an address that a test may make unavailable."""
    key_set = {"keys": decryptor_of("tracking").public_keys()}
    return DeskKeys(
        "http://desk", transport=httpx.MockTransport(handle or (lambda _: httpx.Response(200, json=key_set)))
    )


async def next_of(inbox):
    return await asyncio.wait_for(anext(inbox), QUEUE_SECONDS)


async def test_reports_have_the_province_as_sender(desk, inbox):
    await desk.publish()
    async with inbox() as opened:
        case = await next_of(opened)
        assert case.request.applicant.first_name == "نرگس"
        await case.received()
        await case.answer("انجام شد.")

    (first, received), (_, answered) = await desk.next_report(), await desk.next_report()
    assert (first.routing_key, first.sender) == ("case-received.isfahan", "province.isfahan")
    assert (received["seq"], answered["seq"]) == (1, 2)
    assert received["source"] == "/office/isfahan"
    assert answered["data"]["text"] == "انجام شد."


async def test_reports_continue_the_trace_of_the_event_that_is_handled(desk, inbox):
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    await desk.publish(traceparent=trace)
    await desk.publish()
    async with inbox() as opened:
        await (await next_of(opened)).received()
        await (await next_of(opened)).received()

    (traced, _), (untraced, _) = await desk.next_report(), await desk.next_report()
    assert (traced.traceparent, untraced.traceparent) == (trace, None)


async def test_an_interrupted_case_is_delivered_again_and_its_reports_stay_the_same(desk, inbox):
    await desk.publish()

    async def interrupt():
        async with inbox() as opened:
            await (await next_of(opened)).received()
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power"):
        await interrupt()
    async with inbox() as opened:
        await (await next_of(opened)).received()

    (_, first), (_, second) = await desk.next_report(), await desk.next_report()
    assert (first["id"], first["seq"]) == (second["id"], second["seq"])


async def test_a_handled_event_is_delivered_once(desk, inbox):
    event_id = await desk.publish()
    async with inbox() as opened:
        assert (await next_of(opened)).event_id == event_id
    await desk.publish(event_id=event_id)
    other = await desk.publish()
    async with inbox() as opened:
        assert (await next_of(opened)).event_id == other


async def test_a_refused_report_is_received_with_its_reason(desk, inbox):
    await desk.publish("case-refused")
    async with inbox() as opened:
        case = await next_of(opened)
    assert (case.kind, case.refusal.reason) == ("case-refused", "foreign_case")
    assert case.request is None


async def test_a_reply_has_its_files(desk, inbox):
    await desk.publish("request-replied")
    async with inbox() as opened:
        case = await next_of(opened)
    assert (case.kind, case.reply.text, case.request) == ("request-replied", "تصویر گذرنامه پیوست است.", None)
    assert [file.name for file in case.reply.files] == ["گذرنامه.pdf"]


async def test_an_objection_names_the_answer_and_is_for_a_supervisor(desk, inbox):
    await desk.publish("request-objected")
    async with inbox() as opened:
        case = await next_of(opened)
    assert (case.kind, case.objection.text, case.objection.for_supervisor) == (
        "request-objected",
        "پاسخ به پرسش من نبود.",
        True,
    )
    assert case.objection.answer_report_id == case.data["answer_report_id"]
    assert case.event.objection == case.objection


async def test_a_referred_case_has_its_history(desk, inbox):
    await desk.publish("request-referred")
    async with inbox() as opened:
        history = (await next_of(opened)).request.history
    assert [(step.state, step.action) for step in history][-2:] == [("info_requested", None), ("in_progress", "reply")]
    assert [file.name for file in history[-1].files] == ["گذرنامه.pdf"]


async def test_a_case_is_referred_to_another_subject(desk, inbox):
    await desk.publish()
    subject, sub_subject = Titled(key="umrah", title="عمره"), Titled(key="umrah_visa", title="روادید")
    async with inbox() as opened:
        await (await next_of(opened)).refer("isfahan", "موضوع دیگری است.", subject=subject, sub_subject=sub_subject)
    _, referred = await desk.next_report()
    assert (referred["data"]["subject"], referred["data"]["sub_subject"]) == (
        subject.model_dump(),
        sub_subject.model_dump(),
    )


async def test_an_invalid_event_delays_no_other(desk, inbox):
    await desk.publish(data={})
    good = await desk.publish()
    async with inbox() as opened:
        assert (await next_of(opened)).event_id == good


async def test_a_wrong_password_raises_at_the_start(broker_url, tmp_path):
    url = broker_url("province.isfahan").replace("isfahan%27s", "wrong%27s")
    memory = SqliteMemory(tmp_path / "memory")
    with pytest.raises(BrokerUnavailableError):
        async with Inbox(url, "isfahan", memory, private_keys=PRIVATE_KEYS, desk_keys=desk_keys()):
            pass


async def test_the_inbox_survives_a_lost_connection(desk, inbox, rabbit_server):
    async with inbox() as opened:
        await desk.publish()
        await next_of(opened)
        await opened._connection.transport.connection.close(OSError("cut"))
        other = await desk.publish()
        assert (await next_of(opened)).event_id == other


async def test_a_queue_that_is_declared_again_is_consumed_again(desk, inbox, broker):
    async with inbox() as opened:
        assert opened.served
        waiting = asyncio.create_task(next_of(opened))
        await asyncio.to_thread(broker.delete_queue, "province.isfahan")
        async with asyncio.timeout(QUEUE_SECONDS):
            while opened.served:  # noqa: ASYNC110 - the inbox has no event for it
                await asyncio.sleep(0.05)
        await asyncio.to_thread(broker.set_up)
        event_id = await desk.publish()
        assert (await waiting).event_id == event_id
        assert opened.served
    assert not opened.served


async def test_report_numbers_survive_a_restart_and_belong_to_a_case(tmp_path):
    path = tmp_path / "memory"
    assert await SqliteMemory(path).number("1", "a") == 1
    assert await SqliteMemory(path).number("1", "b") == 2
    assert await SqliteMemory(path).number("1", "a") == 1
    assert await SqliteMemory(path).number("2", "c") == 1


async def test_a_report_is_sent_without_a_case_and_counts_once(desk, broker_url):
    reports = Reports(broker_url("province.isfahan"), "isfahan", desk_keys())
    report = Report(str(uuid.uuid4()), "case-answered", "123456789018", 4, {"text": "انجام شد.", "files": []})
    await reports.send(report)
    await reports._connection.transport.connection.close(OSError("cut"))
    await reports.send(report)
    await reports.close()

    (first, _), (second, answered) = await desk.next_report(), await desk.next_report()
    assert first.id == second.id == answered["id"]
    assert first.sender == "province.isfahan"
    assert (answered["seq"], answered["data"]["text"]) == (4, "انجام شد.")


async def test_an_overdue_case_can_be_referred_to_another_subject(desk, inbox):
    await desk.publish("request-overdue")
    async with inbox() as opened:
        case = await next_of(opened)
        assert (case.kind, case.event.seq) == ("request-overdue", 7)
        visa = SubSubject(key="hajj_visa", title="روادید حج")
        hajj = Subject(key="hajj", title="حج", sub_subjects=[visa])
        await case.refer("isfahan", "عمره نیست.", subject=hajj, sub_subject=visa)

    _, referred = await desk.next_report()
    assert referred["data"]["subject"] == {"key": "hajj", "title": "حج"}
    assert referred["data"]["sub_subject"] == {"key": "hajj_visa", "title": "روادید حج"}


async def test_the_subjects_are_those_of_the_public_catalogue():
    def catalogue(request):
        subject = {"key": "hajj", "title": "حج", "sub_subjects": [{"key": "hajj_visa", "title": "روادید", "new": 1}]}
        return httpx.Response(200, json={"subjects": [subject], "limits": {}})

    [subject] = await Catalog("http://desk", transport=httpx.MockTransport(catalogue)).subjects()
    assert subject.sub_subjects == [SubSubject(key="hajj_visa", title="روادید")]
    with pytest.raises(CatalogUnavailableError):
        await Catalog("http://desk", transport=httpx.MockTransport(lambda _: httpx.Response(503))).subjects()


async def test_an_event_for_other_keys_is_dead_lettered(desk, inbox, broker):
    async with inbox([new_event_key_pair()[0]]) as opened:
        await desk.publish()
        waiting = asyncio.create_task(next_of(opened))
        await broker.wait_for_messages("province.isfahan.dead", 1)
        assert opened.rejected == 1
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


async def test_with_a_new_and_a_former_key_both_are_read(desk, inbox):
    async with inbox([new_event_key_pair()[0], *PRIVATE_KEYS]) as opened:
        await desk.publish()
        assert (await next_of(opened)).request.applicant.national_id == "8275737168"


async def test_clear_data_is_not_read(desk, inbox):
    async with inbox() as opened:
        await desk.publish_clear()
        await desk.publish(event_id="encrypted")
        assert (await next_of(opened)).event_id == "encrypted"


async def test_a_report_waits_while_the_keys_of_the_desk_are_unavailable(broker_url):
    reports = Reports(broker_url("province.isfahan"), "isfahan", desk_keys(lambda _: httpx.Response(503)))
    with pytest.raises(DeskKeysUnavailableError):
        await reports.send(Report(str(uuid.uuid4()), "case-received", "123456789018", 1, {}))
    await reports.close()


async def test_former_keys_of_the_desk_are_used_while_it_is_unavailable(monkeypatch):
    answers = [httpx.Response(200, json={"keys": decryptor_of("tracking").public_keys()}), httpx.Response(503)]
    keys = desk_keys(lambda _: answers.pop(0))
    monkeypatch.setattr("desk.expert.encryption.KEPT_SECONDS", 0.0)
    assert await keys.current() == await keys.current()
    assert answers == []
    await keys.close()


async def test_an_erasure_is_acknowledged_with_its_certificate(desk, inbox):
    await desk.publish("request-erased")
    async with inbox() as opened:
        case = await next_of(opened)
        assert (case.kind, case.erasure.reason) == ("request-erased", "retention")
        await case.erased()
    message, envelope = await desk.next_report()
    assert message.routing_key == "case-erased.isfahan"
    assert envelope["data"]["certificate_id"] == case.erasure.certificate_id


async def test_only_an_erasure_is_acknowledged(desk, inbox):
    await desk.publish()
    async with inbox() as opened:
        case = await next_of(opened)
        with pytest.raises(ValueError, match="does not ask to erase"):
            await case.erased()
