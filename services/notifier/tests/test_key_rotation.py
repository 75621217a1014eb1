"""The change of the vault's and of the index key: messages of requests and codes by SMS stay readable."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from desk.chassis.crypto import Vault
from desk.notifier.forms import CodeToSend
from desk.notifier.operation import rotation
from desk.notifier.store import list_messages, message

BOTH = Vault({"k2": b"n" * 32, "k1": b"k" * 32}, b"j" * 32, b"i" * 32)
ONLY_NEW = Vault({"k2": b"n" * 32}, b"j" * 32)


async def test_messages_and_codes_are_readable_after_the_rotation(notifier):
    await notifier.submit()
    later = datetime.now(UTC) + timedelta(minutes=5)
    async with notifier.parts.database.transaction() as session:
        code = CodeToSend(mobile="+989123456789", code="40967", expires_at=later)
        await notifier.app.state.services.codes.queue(session, code)

    done = await rotation(notifier.parts.database, BOTH).run()

    assert not any(each.left or each.unreadable for each in done)
    async with notifier.parts.database.read() as session:
        assert {each.channel for each in await list_messages(session, ONLY_NEW)} == {"sms", "email"}
        assert set((await session.execute(select(message.c.index_key))).scalars()) == set(ONLY_NEW.index_key_ids)
