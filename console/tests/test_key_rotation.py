"""The change of the console's keys: everything stays readable, and searches find cases under old and new keys."""

from support.console_service import CODE, event

from desk.console.encryption import Encryption, new_key
from desk.console.operation import rotation
from desk.console.store.accounts import AccountStore
from desk.console.store.drafts import DraftStore
from desk.console.store.lists import ListName, ListQuery, ListStore


async def finds(console, encryption, word):
    query = ListQuery("isfahan", "", True, ListName.ALL, console.now, search=word)
    async with console.database.read() as session:
        rows, _ = await ListStore(session, encryption).page(query)
    return [row.tracking_code for row in rows] == [CODE]


async def test_everything_is_readable_before_and_after_the_rotation(console):
    new = new_key()
    former = console.encryption
    await console.handle(event("request-submitted", 1, text="فانوس"))
    expert = await console.account("expert")
    async with console.database.transaction() as session:
        await AccountStore(session, former).set_totp(expert.id, "SECRET")
        await DraftStore(session, former).save(expert.id, CODE, {"text": "پیش‌نویس"}, console.now)
    both, only_new = Encryption.from_text(f"{new},{console.key}"), Encryption.from_text(new)
    assert await finds(console, both, "فانوس")
    assert not await finds(console, only_new, "فانوس")

    done = await rotation(console.database, both).run()

    assert not any(each.left or each.unreadable for each in done)
    assert await finds(console, only_new, "فانوس")
    async with console.database.transaction() as session:
        assert (await AccountStore(session, only_new).lock_credentials(expert.id)).totp == "SECRET"
        assert await DraftStore(session, only_new).find(expert.id, CODE)
