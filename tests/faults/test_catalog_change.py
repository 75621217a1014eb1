"""A change of the catalogue while requests come in on two replicas: each request has one version, and none is lost."""

import asyncio
import copy

import httpx
import pytest
from faults.invariant import settled
from faults.traffic import Traffic
from support.embedded_desk import wait_for
from support.real_desk import RealDesk

from desk.expert import CatalogDrafts, CatalogVersion
from desk.testing.gateway import GatewayServer

SUBJECT, SUB_SUBJECT, DAYS = "umrah", "umrah_visa", 3
IN_FORCE_SECONDS = 60
"""Within which every replica has a new version."""

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]


async def change_days(drafts: CatalogDrafts) -> CatalogVersion:
    """Two people of headquarters change the days of a sub-subject."""
    draft = await drafts.begin("author", "مهلت کوتاه‌تر برای روادید عمره")
    content = copy.deepcopy(draft.content)
    for subject in content["subjects"]:
        for each in subject["sub_subjects"]:
            if each["key"] == SUB_SUBJECT:
                each["answer_within_days"] = DAYS
    saved = await drafts.save("author", draft, content)
    await drafts.propose("author", saved.id, saved.revision)
    version = await drafts.approve("second", saved.id, saved.revision)
    await drafts.close()
    return version


def days_at(port: int) -> int:
    """Return the days of the sub-subject at one replica of intake."""
    subjects = httpx.get(f"http://127.0.0.1:{port}/api/catalog", trust_env=False).json()["subjects"]
    subject = next(each for each in subjects if each["key"] == SUBJECT)
    return int(next(each["answer_within_days"] for each in subject["sub_subjects"] if each["key"] == SUB_SUBJECT))


def test_a_catalogue_that_changes_under_load_gives_each_request_one_version(doubled: RealDesk, gateway: GatewayServer):
    intakes = doubled.replicas["intake"]
    assert [days_at(each.port) for each in intakes] == [10, 10]
    traffic = Traffic(doubled, gateway, per_second=30, parallel=3)
    traffic.start()
    try:
        wait_for(lambda: len(doubled.ledger) >= 20, 120)
        drafts = CatalogDrafts(gateway.url, doubled.office_signing_keys["headquarters"][0])
        version = asyncio.run(change_days(drafts))
        wait_for(lambda: [days_at(each.port) for each in intakes] == [DAYS, DAYS], IN_FORCE_SECONDS)
        settled_at = len(doubled.ledger)
        wait_for(lambda: len(doubled.ledger) >= settled_at + 20, 120)
    finally:
        traffic.stop()

    assert traffic.broken == []
    rows = doubled.rows("intake", "SELECT catalog_version, due_at::date, tracking_code FROM request")
    days: dict[int, set[object]] = {}
    for number, due, _ in rows:
        days.setdefault(number, set()).add(due)
    assert sorted(days) == [1, version.number]
    assert max(days[version.number]) < min(days[1])
    assert {code for _, _, code in rows} >= {each.code for each in doubled.ledger}
    assert settled(doubled) == []
