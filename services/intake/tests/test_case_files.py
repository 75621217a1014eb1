"""Files of cases: downloads of provinces and applicants, and uploads of provinces."""

import hashlib
import json
import time
import uuid
from datetime import UTC, datetime

import pytest

from desk.chassis.bus import ContractError
from desk.chassis.crypto import TokenIssuer, new_key_pair
from desk.chassis.events import Message
from desk.intake.service.case_files import LINK_SECONDS
from desk.testing.event_keys import encrypted


@pytest.fixture
def province(desk, province_private_keys):
    """A province that calls intake, with a new assertion for each call."""

    class Province:
        def __init__(self, key, private=None):
            self.issuer = TokenIssuer(private or province_private_keys[key], key)

        def assertion(self, audience="desk.files", seconds=60):
            return self.issuer.issue({}, audience=audience, seconds=seconds)[0]

        def _headers(self, assertion):
            return {"Authorization": f"Bearer {assertion or self.assertion()}"}

        async def link(self, file_id, assertion=None):
            return await desk.client.get(f"/api/office/files/{file_id}", headers=self._headers(assertion))

        async def upload(self, code, content, name="پاسخ.pdf", assertion=None):
            return await desk.client.post(
                "/api/office/files",
                data={"tracking_code": code},
                files={"file": (name, content)},
                headers=self._headers(assertion),
            )

    return Province


@pytest.fixture
def isfahan(province):
    return province("isfahan")


@pytest.fixture
def qom(province):
    return province("qom")


@pytest.fixture
def provinces(isfahan, qom):
    return isfahan, qom


@pytest.fixture
async def case(desk):
    """A request with one file: its code and the file's id."""
    file_id = await desk.attachment()
    answer = await desk.submit(attachments=[file_id])
    assert answer.status_code == 201
    return answer.json()["tracking_code"], file_id


@pytest.fixture
def refer(desk):
    async def refer(code, key, seq):
        event_id = str(uuid.uuid4())
        body = {
            "specversion": "1.0",
            "id": event_id,
            "source": "/desk/tracking",
            "type": "ir.haj.desk.request-referred.v1",
            "subject": code,
            "time": datetime.now(UTC).isoformat(),
            "seq": seq,
            "data": {"tracking_code": code, "province": {"key": key, "name": key}},
        }
        await desk.broker.deliver(
            Message(
                event_id,
                "desk.events",
                f"request-referred.{key}",
                body["type"],
                json.dumps(encrypted(body, "intake")).encode(),
            )
        )

    return refer


@pytest.fixture
def linked(desk):
    """Follow a link of the object store; return the name and the contents."""

    async def linked(answer):
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        key, name = desk.storage.linked(answer.json()["url"].rpartition("/")[2])
        return name, b"".join([chunk async for chunk in desk.storage.read(key)])

    return linked


@pytest.fixture
def applicant(desk, tracking_private_key):
    async def fetch(code, file_id, *, audience="desk.tracking", seconds=60):
        token, _ = TokenIssuer(tracking_private_key, "tracking").issue(
            {"sub": code}, audience=audience, seconds=seconds
        )
        return await desk.client.get(f"/api/files/{file_id}", headers={"Authorization": f"Bearer {token}"})

    return fetch


async def test_a_province_downloads_a_file_of_its_case_by_a_link(case, isfahan, linked, pdf):
    assert await linked(await isfahan.link(case[1])) == ("قبض.pdf", pdf)


async def test_a_link_has_an_expiry_time(case, isfahan):
    until = datetime.fromisoformat((await isfahan.link(case[1])).json()["expires_at"])

    assert 0 < (until - datetime.now(UTC)).total_seconds() <= LINK_SECONDS


async def test_a_file_of_another_province_is_reported_as_unknown(case, qom, problem_of):
    assert problem_of(await qom.link(case[1]), 404)["code"] == "file_unknown"
    assert problem_of(await qom.link(uuid.uuid4()), 404)["code"] == "file_unknown"


async def test_a_file_that_no_request_has_claimed_is_unknown(desk, isfahan, problem_of):
    problem_of(await isfahan.link(await desk.attachment()), 404)


async def test_files_follow_a_referral(case, provinces, refer, linked, problem_of):
    isfahan, qom = provinces
    await refer(case[0], "qom", 4)

    await linked(await qom.link(case[1]))
    problem_of(await isfahan.link(case[1]), 404)


async def test_a_referral_older_than_the_recorded_one_changes_nothing(case, provinces, refer, linked, problem_of):
    isfahan, qom = provinces
    await refer(case[0], "isfahan", 6)
    await refer(case[0], "qom", 4)

    await linked(await isfahan.link(case[1]))
    problem_of(await qom.link(case[1]), 404)


@pytest.mark.parametrize(("code", "key"), [("000000000000", "qom"), (None, "atlantis")])
async def test_an_invalid_referral_is_dead_lettered(case, refer, code, key):
    with pytest.raises(ContractError):
        await refer(code or case[0], key, 4)


async def test_no_province_has_a_file_before_the_applicant_is_looked_up(desk, isfahan, zahra, pdf, problem_of):
    pending = desk.token({"sub": zahra["sub"], "birth_date": zahra["birth_date"], "status": "pending"})
    file_id = await desk.attachment(pending)
    named = {"first_name": "زهرا", "last_name": "رضایی", "gender": "female"}
    answer = await desk.submit(token=pending, attachments=[file_id], applicant=named)
    assert answer.status_code == 201, answer.text

    problem_of(await isfahan.link(file_id), 404)
    problem_of(await isfahan.upload(answer.json()["tracking_code"], pdf), 404)


async def test_an_assertion_can_be_used_once(case, isfahan, problem_of):
    assertion = isfahan.assertion()
    assert (await isfahan.link(case[1], assertion)).status_code == 200

    assert problem_of(await isfahan.link(case[1], assertion), 401)["code"] == "assertion_reused"


@pytest.fixture
def bad_assertions(province, isfahan, tracking_private_key):
    return {
        "forged": province("isfahan", new_key_pair()[0]).assertion(),
        "of a province without a key": province("fars", new_key_pair()[0]).assertion(),
        "of no province": province("atlantis", new_key_pair()[0]).assertion(),
        "for something else": isfahan.assertion(audience="desk.tracking"),
        "expired": isfahan.assertion(seconds=-1),
        "valid for too long": isfahan.assertion(seconds=3600),
        "a tracking token": TokenIssuer(tracking_private_key, "tracking").issue(
            {"sub": "1"}, audience="desk.tracking", seconds=60
        )[0],
        "no token": "x",
        "odd JSON": "W10.W10.W10",
        "deep JSON": "x." + "W1tb" * 20_000 + ".x",
    }


@pytest.mark.parametrize("database_kind", ["sqlite"])  # no answer depends on the database
@pytest.mark.parametrize(
    "name",
    [
        "forged",
        "of a province without a key",
        "of no province",
        "for something else",
        "expired",
        "valid for too long",
        "a tracking token",
        "no token",
        "odd JSON",
        "deep JSON",
    ],
)
async def test_a_caller_with_an_invalid_assertion_is_refused(case, isfahan, bad_assertions, problem_of, name):
    assert problem_of(await isfahan.link(case[1], bad_assertions[name]), 401)["code"] == "assertion_invalid"
    answer = await isfahan.upload(case[0], b"%PDF-1.4", assertion=bad_assertions[name])
    assert problem_of(answer, 401)["code"] == "assertion_invalid"


async def test_a_missing_assertion_has_an_error_code_of_its_own(desk, case, problem_of):
    answer = await desk.client.get(f"/api/office/files/{case[1]}")

    assert problem_of(answer, 401)["code"] == "assertion_missing"


async def test_a_province_uploads_a_file_and_the_applicant_downloads_it(case, isfahan, applicant, linked, pdf):
    answer = await isfahan.upload(case[0], pdf)

    assert answer.status_code == 201, answer.text
    shown = answer.json()
    assert (shown["name"], shown["size"]) == ("پاسخ.pdf", len(pdf))
    assert shown["sha256"] == hashlib.sha256(pdf).hexdigest()
    assert await linked(await applicant(case[0], shown["id"])) == ("پاسخ.pdf", pdf)


async def test_a_province_downloads_files_that_others_uploaded_for_its_case_before(case, provinces, refer, linked, pdf):
    isfahan, qom = provinces
    file_id = (await isfahan.upload(case[0], pdf)).json()["id"]
    await refer(case[0], "qom", 4)

    assert await linked(await qom.link(file_id)) == ("پاسخ.pdf", pdf)


@pytest.mark.parametrize("code", ["", "123", "0" * 12, "1\x00", "۱" * 12])
async def test_a_file_without_a_case_of_the_province_is_not_stored(desk, isfahan, problem_of, pdf, code):
    assert problem_of(await isfahan.upload(code, pdf), 404)["code"] == "case_unknown"
    assert desk.objects() == set()


async def test_a_province_cannot_upload_a_file_for_the_case_of_another(case, qom, problem_of, pdf):
    assert problem_of(await qom.upload(case[0], pdf), 404)["code"] == "case_unknown"


async def test_a_province_s_file_is_checked_like_any_other(case, isfahan, problem_of):
    assert problem_of(await isfahan.upload(case[0], b"MZ" + bytes(100)), 415)["code"] == "file_type_forbidden"


async def test_a_province_s_upload_is_refused_while_the_object_store_is_unavailable(
    desk, case, isfahan, problem_of, pdf
):
    desk.storage.down = True

    assert problem_of(await isfahan.upload(case[0], pdf), 503)["code"] == "storage_unavailable"
    assert await desk.count("answer_file") == 0


async def test_a_province_can_upload_a_limited_number_of_files_for_a_case(case, isfahan, monkeypatch, problem_of, pdf):
    monkeypatch.setattr("desk.intake.service.case_files.ANSWER_FILES_MAX", 1)
    assert (await isfahan.upload(case[0], pdf)).status_code == 201

    assert problem_of(await isfahan.upload(case[0], pdf), 409)["code"] == "too_many_files"


async def test_an_applicant_downloads_the_files_of_the_request(case, applicant, linked, pdf):
    assert await linked(await applicant(*case)) == ("قبض.pdf", pdf)


async def test_an_applicant_cannot_download_the_file_of_another_request(desk, case, applicant, problem_of):
    other = (await desk.submit()).json()["tracking_code"]

    assert problem_of(await applicant(other, case[1]), 404)["code"] == "file_unknown"


@pytest.mark.parametrize("changed", [{"seconds": -1}, {"audience": "desk.files"}])
async def test_another_or_an_expired_token_is_refused(case, applicant, problem_of, changed):
    assert problem_of(await applicant(*case, **changed), 401)["code"] == "tracking_token_invalid"


async def test_a_download_without_a_token_is_refused(desk, case, problem_of):
    assert problem_of(await desk.client.get(f"/api/files/{case[1]}"), 401)["code"] == "tracking_token_missing"


async def test_a_link_expires(desk, case, isfahan, monkeypatch):
    url = (await isfahan.link(case[1])).json()["url"]
    later = time.monotonic() + LINK_SECONDS
    monkeypatch.setattr("desk.chassis.storage.time.monotonic", lambda: later)

    with pytest.raises(Exception, match="expired"):
        desk.storage.linked(url.rpartition("/")[2])


async def test_the_database_does_not_contain_the_name_of_a_province_s_file_in_clear(desk, case, isfahan, pdf):
    await isfahan.upload(case[0], pdf)

    assert "پاسخ".encode() not in await desk.written()
