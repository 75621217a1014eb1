"""The change of the vault's and of the index key: cases stay readable, and are found under old and new keys."""

from desk.chassis.crypto import Vault
from desk.tracking.operation import rotation
from desk.tracking.store import CaseStore

NATIONAL_ID = "0013542419"
BOTH = Vault({"k2": b"n" * 32, "k1": b"k" * 32}, b"j" * 32, b"i" * 32)
ONLY_NEW = Vault({"k2": b"n" * 32}, b"j" * 32)


async def found(tracking, vault, code, national_id):
    async with tracking.parts.database.read() as session:
        return await CaseStore(session, vault).find_of_person(national_id, code) is not None


async def test_a_case_is_found_before_and_after_the_rotation(tracking, request_data):
    code = await tracking.submit()
    national_id = request_data(code)["applicant"]["national_id"]
    await tracking.report("case-received", code)
    assert await found(tracking, BOTH, code, national_id)
    assert not await found(tracking, ONLY_NEW, code, national_id)

    done = await rotation(tracking.parts.database, BOTH).run()

    assert not any(each.left for each in done)
    assert await found(tracking, ONLY_NEW, code, national_id)
    async with tracking.parts.database.read() as session:
        assert len(await CaseStore(session, ONLY_NEW).history(code)) == 2


async def test_a_second_rotation_rewrites_nothing(tracking):
    await tracking.submit()
    await rotation(tracking.parts.database, BOTH).run()

    assert not any(each.examined for each in await rotation(tracking.parts.database, BOTH).run())
