"""The console's audit log: what accounts read is in it, and every change of it is found."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, text, update
from support.console_service import CODE, event

from desk.console.settings import Settings
from desk.console.store.audit import audit_chain
from desk.console.store.tables import audit_entry
from desk.database import ChainBrokenError, chain_entries


@pytest.fixture
async def browser(console, browse):
    await console.handle(event("request-submitted", 1))
    await console.account("expert")
    return await browse().sign_in("expert")


@pytest.fixture
def chain(console):
    return audit_chain(console.encryption)


async def kinds(console):
    async with console.database.read() as session:
        return {row.kind: row for row in await session.execute(select(audit_entry))}


async def test_an_opened_case_is_recorded(console, browser):
    await browser.open(f"/cases/{CODE}")

    assert (await kinds(console))["open"].tracking_code == CODE


async def test_a_search_by_national_id_is_recorded_without_the_number(console, browser):
    await browser.open("/cases", params={"q": "8275737168"})

    found = (await kinds(console))["search"]
    assert "8275737168" not in str(tuple(found))
    assert len(found.about) == 64


async def test_a_search_by_other_words_is_not_recorded(console, browser):
    await browser.open("/cases", params={"q": "روادید"})

    assert "search" not in await kinds(console)


async def test_seen_figures_are_recorded(console, browser):
    await browser.open("/dashboard")

    assert "figures" in await kinds(console)


async def test_a_sign_in_is_recorded_with_the_network_as_a_keyed_hash(console, browser):
    assert len((await kinds(console))["sign_in"].network) == 64


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (update(audit_entry).where(audit_entry.c.seq == 2).values(account="x"), "row 2 was changed"),
        (delete(audit_entry).where(audit_entry.c.seq == 2), "row 2 is missing"),
        (delete(audit_entry).where(audit_entry.c.seq > 2), "the chain ends at row 2"),
    ],
)
async def test_every_change_of_the_log_is_found(console, browser, chain, change, error):
    await browser.open(f"/cases/{CODE}")
    await chain_entries(console.database, chain)
    await chain.verify(console.database)

    async with console.database.transaction() as session:
        await session.execute(text("PRAGMA foreign_keys=OFF"))
        await session.execute(change)

    with pytest.raises(ChainBrokenError, match=error):
        await chain.verify(console.database)


async def test_entries_beyond_their_term_are_deleted_and_the_chain_stays_verifiable(console, browser, chain):
    await browser.open(f"/cases/{CODE}")
    await chain_entries(console.database, chain)
    before = set(await kinds(console))
    console.now += timedelta(days=Settings.model_fields["audit_days"].default + 1)

    async with browser.running(), asyncio.timeout(60):
        while set(found := await kinds(console)) & before or found["audit_pruned"].seq is None:  # noqa: ASYNC110 - a table has no event
            await asyncio.sleep(0.05)
        assert (await chain.verify(console.database)).seq == found["audit_pruned"].seq


async def test_the_desk_learns_once_a_day_that_an_expert_opened_a_case(console, browser, browse):
    await console.account("another")
    another = await browse().sign_in("another")
    for each in (browser, browser, another):
        await each.open(f"/cases/{CODE}")
    console.now += timedelta(days=1)
    await browser.sign_in("expert")
    await browser.open(f"/cases/{CODE}")
    await console.send_all()

    assert [each.name for each in console.client.sent].count("case-opened") == 3


async def test_a_decided_case_that_is_opened_is_not_reported(console, browser):
    await console.handle(event("request-withdrawn", 2))
    await browser.open(f"/cases/{CODE}")
    await console.send_all()

    assert "case-opened" not in [each.name for each in console.client.sent]
    assert "open" in await kinds(console)
