"""The malware scan: nothing is handed out before it is clean, and a scanner that is unavailable stops no request."""

import asyncio

import pytest
from sqlalchemy import text

from desk.chassis.crypto import TokenIssuer
from desk.testing.hostile_files import hostile_files, infected_files, pdf_document

HARMLESS_THEN_KNOWN = pdf_document()


@pytest.fixture
def office(desk, province_private_keys):
    """The office of Isfahan, with a new assertion for each call."""

    class Office:
        def _headers(self):
            assertion, _ = TokenIssuer(province_private_keys["isfahan"], "isfahan").issue(
                {}, audience="desk.files", seconds=60
            )
            return {"Authorization": f"Bearer {assertion}"}

        async def download(self, file_id):
            return await desk.client.get(f"/api/office/files/{file_id}", headers=self._headers())

        async def upload(self, code, content):
            form = {"tracking_code": code}
            files = {"file": ("letter.pdf", content)}
            return await desk.client.post("/api/office/files", data=form, files=files, headers=self._headers())

    return Office()


async def run_scans(desk):
    """Make pending files due, and examine them."""
    async with desk.parts.database.transaction() as session:
        for table in ("attachment", "answer_file"):
            await session.execute(
                text(f"UPDATE {table} SET scan_due_at = uploaded_at WHERE scan_due_at IS NOT NULL")  # noqa: S608 - two names
            )
    await desk.app.state.services.uploads.scans.run_once()


async def submitted(desk, content=None):
    """Submit a request with a file; return its tracking code and the id of the file."""
    answer = await desk.upload(*([content] if content else []))
    assert answer.status_code == 201, answer.text
    file_id = answer.json()["id"]
    receipt = await desk.submit(attachments=[file_id])
    assert receipt.status_code == 201, receipt.text
    return receipt.json()["tracking_code"], file_id


async def test_a_clean_file_is_handed_out_at_once(desk, office):
    _, file_id = await submitted(desk)

    assert (await office.download(file_id)).status_code == 200
    assert desk.scanner.examined == 1


@pytest.mark.parametrize("name", infected_files())
async def test_a_file_with_malware_is_refused_and_not_kept(desk, problem_of, name):
    infected = infected_files()[name]

    problem = problem_of(await desk.upload(infected.content, infected.name), 422)

    assert problem["code"] == "file_infected"
    assert await desk.count("attachment") == 0
    assert await desk.objects() == set()


@pytest.mark.parametrize("database_kind", ["sqlite"])  # it is refused before anything is stored
@pytest.mark.parametrize("name", hostile_files())
async def test_a_hostile_file_is_refused_with_a_sentence_and_not_kept(desk, name):
    hostile = hostile_files()[name]

    answer = await desk.upload(hostile.content, hostile.name)

    assert answer.status_code in {413, 415, 422}
    assert answer.json()["code"] == hostile.code
    assert len(answer.json()["title"]) > 20
    assert await desk.count("attachment") == 0
    assert desk.scanner.examined == 0


@pytest.mark.parametrize("name", ["a PDF with a named script", "a document with macros", "a PNG followed by HTML"])
async def test_an_office_may_not_send_a_hostile_file_either(desk, office, name):
    code, _ = await submitted(desk)
    hostile = hostile_files()[name]

    answer = await office.upload(code, hostile.content)

    assert answer.status_code in {415, 422}
    assert await desk.count("answer_file") == 0


async def test_an_office_may_not_send_malware(desk, office, problem_of):
    code, _ = await submitted(desk)

    infected = infected_files()["EICAR in a PDF"]
    assert problem_of(await office.upload(code, infected.content), 422)["code"] == "file_infected"
    assert await desk.count("answer_file") == 0


async def test_while_the_scanner_is_down_a_request_goes_on_and_its_file_waits(desk, office, problem_of):
    desk.scanner.down = True
    code, file_id = await submitted(desk)
    answer = await office.upload(code, pdf_document())
    assert answer.status_code == 201
    for each in (file_id, answer.json()["id"]):
        pending = await office.download(each)
        assert problem_of(pending, 409)["code"] == "file_pending"
        assert int(pending.headers["retry-after"]) > 0

    await run_scans(desk)
    assert (await office.download(file_id)).status_code == 409
    desk.scanner.down = False
    await run_scans(desk)

    assert (await office.download(file_id)).status_code == 200
    assert (await office.download(answer.json()["id"])).status_code == 200


async def test_malware_found_later_is_deleted_and_never_handed_out(desk, office, problem_of):
    desk.scanner.down = True
    _, file_id = await submitted(desk, HARMLESS_THEN_KNOWN)
    desk.scanner.down = False
    desk.scanner.known.append(HARMLESS_THEN_KNOWN[-60:-20])

    await run_scans(desk)

    assert problem_of(await office.download(file_id), 410)["code"] == "file_removed"
    assert await desk.objects() == set()
    assert await desk.select("SELECT malware FROM attachment") == [("Eicar",)]


async def test_malware_stays_due_until_its_object_is_deleted(desk, office):
    desk.scanner.down = True
    _, file_id = await submitted(desk, HARMLESS_THEN_KNOWN)
    desk.scanner.down, desk.storage.down = False, True
    desk.scanner.known.append(HARMLESS_THEN_KNOWN[-60:-20])

    await run_scans(desk)
    assert (await office.download(file_id)).status_code == 409
    desk.storage.down = False
    await run_scans(desk)

    assert (await office.download(file_id)).status_code == 410
    assert await desk.objects() == set()


async def test_two_replicas_examine_each_file_once(desk):
    desk.scanner.down = True
    for _ in range(4):
        await submitted(desk)
    desk.scanner.down = False
    async with desk.parts.database.transaction() as session:
        await session.execute(text("UPDATE attachment SET scan_due_at = uploaded_at"))

    scans = desk.app.state.services.uploads.scans
    await asyncio.gather(scans.run_once(), scans.run_once())

    assert desk.scanner.examined == 4
    assert await desk.select("SELECT count(*) FROM attachment WHERE scan_due_at IS NULL") == [(4,)]


async def test_a_file_that_cannot_be_read_stays_pending_and_delays_no_other(desk, office):
    desk.scanner.down = True
    _, lost = await submitted(desk)
    _, readable = await submitted(desk)
    (await desk.object_of(lost)).unlink()
    desk.scanner.down = False

    await run_scans(desk)

    assert (await office.download(lost)).status_code == 409
    assert (await office.download(readable)).status_code == 200
