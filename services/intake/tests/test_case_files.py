"""Files of cases: downloads of provinces and applicants, and uploads of provinces."""

import hashlib
import json
import time
import uuid
from datetime import UTC, datetime
from urllib.parse import unquote

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey

from desk.chassis.bus import ContractError
from desk.chassis.crypto import TokenIssuer, new_key_pair
from desk.chassis.events import Message
from desk.intake.routes.downloads import DownloadResponse
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

        async def download(self, file_id, assertion=None):
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
def file_of():
    """Return the name and the contents of a downloaded file."""

    def file_of(answer):
        assert answer.status_code == 200, answer.text
        prefix, _, name = answer.headers["content-disposition"].partition("''")
        assert prefix == "attachment; filename*=UTF-8"
        return unquote(name), answer.content

    return file_of


@pytest.fixture
def applicant(desk, tracking_private_key):
    async def fetch(code, file_id, *, audience="desk.tracking", seconds=60):
        token, _ = TokenIssuer(tracking_private_key, "tracking").issue(
            {"sub": code}, audience=audience, seconds=seconds
        )
        return await desk.client.get(f"/api/files/{file_id}", headers={"Authorization": f"Bearer {token}"})

    return fetch


async def test_a_province_downloads_a_file_of_its_case_by_a_link(case, isfahan, file_of, pdf):
    assert file_of(await isfahan.download(case[1])) == ("قبض.pdf", pdf)


async def test_a_download_is_not_stored_and_has_the_checked_type(case, isfahan, pdf):
    headers = (await isfahan.download(case[1])).headers

    assert headers["content-type"] == "application/pdf"
    assert headers["content-length"] == str(len(pdf))
    assert headers["x-content-type-options"] == "nosniff"
    assert "no-store" in headers["cache-control"]


async def test_a_file_of_another_province_is_reported_as_unknown(case, qom, problem_of):
    assert problem_of(await qom.download(case[1]), 404)["code"] == "file_unknown"
    assert problem_of(await qom.download(uuid.uuid4()), 404)["code"] == "file_unknown"


async def test_a_file_that_no_request_has_claimed_is_unknown(desk, isfahan, problem_of):
    problem_of(await isfahan.download(await desk.attachment()), 404)


async def test_files_follow_a_referral(case, provinces, refer, file_of, problem_of):
    isfahan, qom = provinces
    await refer(case[0], "qom", 4)

    file_of(await qom.download(case[1]))
    problem_of(await isfahan.download(case[1]), 404)


async def test_a_referral_older_than_the_recorded_one_changes_nothing(case, provinces, refer, file_of, problem_of):
    isfahan, qom = provinces
    await refer(case[0], "isfahan", 6)
    await refer(case[0], "qom", 4)

    file_of(await isfahan.download(case[1]))
    problem_of(await qom.download(case[1]), 404)


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

    problem_of(await isfahan.download(file_id), 404)
    problem_of(await isfahan.upload(answer.json()["tracking_code"], pdf), 404)


async def test_an_assertion_can_be_used_once(case, isfahan, problem_of):
    assertion = isfahan.assertion()
    assert (await isfahan.download(case[1], assertion)).status_code == 200

    assert problem_of(await isfahan.download(case[1], assertion), 401)["code"] == "assertion_reused"


def signed(key, *, algorithm="Ed25519", **changed):
    """Sign an assertion by hand; a claim whose value is None is left out."""
    claims = {"iss": "isfahan", "aud": "desk.files", "exp": int(time.time()) + 60, "jti": str(uuid.uuid4())} | changed
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode({"alg": algorithm}, kept, OKPKey.import_key(key), algorithms=[algorithm])


@pytest.fixture
def bad_assertions(province_private_keys, tracking_private_key):
    own, now = province_private_keys["isfahan"], int(time.time())
    return {
        "forged": (signed(new_key_pair()[0]), "signature"),
        "signed by another province": (signed(new_key_pair()[0], iss="fars"), "iss"),
        "of no province": (signed(own, iss="atlantis"), "iss"),
        "without issuer": (signed(own, iss=None), "iss"),
        "for something else": (signed(own, aud="desk.tracking"), "aud"),
        "for nothing": (signed(own, aud=None), "aud"),
        "expired": (signed(own, exp=now - 1), "exp"),
        "valid for too long": (signed(own, exp=now + 3600), "exp"),
        "valid for ever": (signed(own, exp=None), "exp"),
        "of tomorrow": (signed(own, iat=now + 86400), "iat"),
        "not yet valid": (signed(own, nbf=now + 86400), "nbf"),
        "without jti": (signed(own, jti=None), "jti"),
        "with a long jti": (signed(own, jti="x" * 65), "jti"),
        "a tracking token": (signed(tracking_private_key, iss="tracking"), "iss"),
        "a shared secret": (
            jwt.encode({"alg": "HS256"}, {"iss": "isfahan"}, OctKey.import_key("s" * 32), algorithms=["HS256"]),
            "alg",
        ),
        "unsigned": ("eyJhbGciOiJub25lIn0.eyJpc3MiOiJpc2ZhaGFuIn0.", "alg"),
        "no token": ("x", "token"),
        "odd JSON": ("W10.W10.W10", "token"),
        "deep JSON": ("x." + "W1tb" * 20_000 + ".x", "token"),
    }


@pytest.mark.parametrize("database_kind", ["sqlite"])  # no answer depends on the database
@pytest.mark.parametrize(
    "name",
    [
        "forged",
        "signed by another province",
        "of no province",
        "without issuer",
        "for something else",
        "for nothing",
        "expired",
        "valid for too long",
        "valid for ever",
        "of tomorrow",
        "not yet valid",
        "without jti",
        "with a long jti",
        "a tracking token",
        "a shared secret",
        "unsigned",
        "no token",
        "odd JSON",
        "deep JSON",
    ],
)
async def test_a_caller_with_an_invalid_assertion_learns_which_part_is_wrong(
    case, isfahan, bad_assertions, problem_of, name
):
    assertion, part = bad_assertions[name]

    for answer in (
        await isfahan.download(case[1], assertion),
        await isfahan.upload(case[0], b"%PDF-1.4", assertion=assertion),
    ):
        problem = problem_of(answer, 401)
        assert problem["code"] == "assertion_invalid"
        assert [(error["field"], error["code"]) for error in problem["errors"]] == [(part, f"assertion_{part}")]


@pytest.mark.parametrize("database_kind", ["sqlite"])
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # most libraries still write this name
@pytest.mark.parametrize("algorithm", ["EdDSA", "Ed25519"])
async def test_both_names_of_the_algorithm_are_accepted(case, isfahan, province_private_keys, algorithm):
    assertion = signed(province_private_keys["isfahan"], algorithm=algorithm)

    assert (await isfahan.download(case[1], assertion)).status_code == 200


async def test_a_missing_assertion_has_an_error_code_of_its_own(desk, case, problem_of):
    answer = await desk.client.get(f"/api/office/files/{case[1]}")

    assert problem_of(answer, 401)["code"] == "assertion_missing"


async def test_a_province_uploads_a_file_and_the_applicant_downloads_it(case, isfahan, applicant, file_of, pdf):
    answer = await isfahan.upload(case[0], pdf)

    assert answer.status_code == 201, answer.text
    shown = answer.json()
    assert (shown["name"], shown["size"]) == ("پاسخ.pdf", len(pdf))
    assert shown["sha256"] == hashlib.sha256(pdf).hexdigest()
    assert file_of(await applicant(case[0], shown["id"])) == ("پاسخ.pdf", pdf)


async def test_a_province_downloads_files_that_others_uploaded_for_its_case_before(
    case, provinces, refer, file_of, pdf
):
    isfahan, qom = provinces
    file_id = (await isfahan.upload(case[0], pdf)).json()["id"]
    await refer(case[0], "qom", 4)

    assert file_of(await qom.download(file_id)) == ("پاسخ.pdf", pdf)


@pytest.mark.parametrize("code", ["", "123", "0" * 12, "1\x00", "۱" * 12])
async def test_a_file_without_a_case_of_the_province_is_not_stored(desk, isfahan, problem_of, pdf, code):
    assert problem_of(await isfahan.upload(code, pdf), 404)["code"] == "case_unknown"
    assert await desk.objects() == set()


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


@pytest.fixture
def answer_files(desk):
    async def answer_files(code, office, *ids):
        form = {"tracking_code": code, "office": office, "files": ids}
        return await desk.client.post("/internal/requests/answer-files", json=form)

    return answer_files


async def test_tracking_gets_the_files_of_an_answer_in_its_order(case, isfahan, answer_files, pdf):
    first, second = [(await isfahan.upload(case[0], pdf, name)).json() for name in ("الف.pdf", "ب.pdf")]

    answer = await answer_files(case[0], "isfahan", second["id"], first["id"])

    assert answer.json() == [second, first]


@pytest.fixture
async def answer_file(case, isfahan, pdf):
    """A file that Isfahan has uploaded for its answer."""
    return (await isfahan.upload(case[0], pdf)).json()["id"]


async def test_only_the_office_s_own_files_of_the_case_belong_to_its_answer(
    desk, case, answer_file, answer_files, problem_of
):
    other = (await desk.submit()).json()["tracking_code"]

    for code, office, named in (
        (case[0], "qom", answer_file),
        (other, "isfahan", answer_file),
        (case[0], "isfahan", case[1]),
        (case[0], "isfahan", str(uuid.uuid4())),
    ):
        assert problem_of(await answer_files(code, office, named), 422)["code"] == "attachment_unknown"


async def test_a_file_with_malware_belongs_to_no_answer(desk, case, answer_file, answer_files, problem_of):
    await desk.select("UPDATE answer_file SET malware = 'Eicar' RETURNING id")

    assert problem_of(await answer_files(case[0], "isfahan", answer_file), 422)["code"] == "attachment_unknown"


async def test_an_applicant_downloads_the_files_of_the_request(case, applicant, file_of, pdf):
    assert file_of(await applicant(*case)) == ("قبض.pdf", pdf)


async def test_an_applicant_cannot_download_the_file_of_another_request(desk, case, applicant, problem_of):
    other = (await desk.submit()).json()["tracking_code"]

    assert problem_of(await applicant(other, case[1]), 404)["code"] == "file_unknown"


@pytest.mark.parametrize("changed", [{"seconds": -1}, {"audience": "desk.files"}])
async def test_another_or_an_expired_token_is_refused(case, applicant, problem_of, changed):
    assert problem_of(await applicant(*case, **changed), 401)["code"] == "tracking_token_invalid"


async def test_a_download_without_a_token_is_refused(desk, case, problem_of):
    assert problem_of(await desk.client.get(f"/api/files/{case[1]}"), 401)["code"] == "tracking_token_missing"


async def test_a_missing_object_is_a_clear_problem(desk, case, isfahan, problem_of):
    (await desk.object_of(case[1])).unlink()

    assert problem_of(await isfahan.download(case[1]), 500)["code"] == "file_unreadable"


async def test_a_changed_object_is_a_clear_problem(desk, case, applicant, problem_of):
    stored = await desk.object_of(case[1])
    content = stored.read_bytes()
    stored.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))

    assert problem_of(await applicant(*case), 500)["code"] == "file_unreadable"


async def test_the_object_of_another_file_is_not_sent(desk, case, isfahan, problem_of):
    other = await desk.object_of(await desk.attachment())
    (await desk.object_of(case[1])).write_bytes(other.read_bytes())

    assert problem_of(await isfahan.download(case[1]), 500)["code"] == "file_unreadable"


async def test_a_file_whose_key_is_destroyed_is_unknown(desk, case, isfahan, problem_of):
    await desk.change("DELETE FROM data_key WHERE id = :id", id=case[1])

    assert problem_of(await isfahan.download(case[1]), 404)["code"] == "file_unknown"


async def test_a_file_from_before_files_were_encrypted_is_downloaded(desk, case, isfahan, file_of, pdf):
    name = desk.parts.vault.seal("قبض.pdf".encode(), f"attachment.name:{case[1]}")
    await desk.change("UPDATE attachment SET object_key = NULL, name = :name WHERE id = :id", name=name, id=case[1])
    await desk.change("DELETE FROM data_key WHERE id = :id", id=case[1])
    (desk.folder / case[1]).write_bytes(pdf)

    assert file_of(await isfahan.download(case[1])) == ("قبض.pdf", pdf)


@pytest.fixture
def long_pdf(pdf):
    """A file of several frames."""
    return pdf.replace(b"trailer", b"%" + b"." * 300_000 + b"\ntrailer")


@pytest.fixture
async def long_file(desk, long_pdf):
    """The code of a request with a long file, and the file's id."""
    file_id = (await desk.upload(long_pdf)).json()["id"]
    return (await desk.submit(attachments=[file_id])).json()["tracking_code"], file_id


async def test_a_file_of_several_frames_is_downloaded(long_file, applicant, file_of, long_pdf):
    assert file_of(await applicant(*long_file))[1] == long_pdf


@pytest.fixture
def sent(desk, long_file):
    """Send the long file without a server, and return the messages of the response."""

    async def sent():
        messages = []

        async def send(message):
            messages.append(message)

        response = DownloadResponse(
            await desk.app.state.services.case_files.open_for_applicant(*long_file, "192.0.2.1")
        )
        await response({"type": "http"}, None, send)
        return messages

    return sent


async def test_a_download_that_fails_half_way_is_aborted(desk, long_file, sent):
    stored = await desk.object_of(long_file[1])
    content = stored.read_bytes()
    stored.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))

    messages = await sent()

    assert messages[0]["status"] == 200
    assert messages[-1]["more_body"], "the response has no end"


async def test_a_download_that_takes_too_long_is_aborted(monkeypatch, sent):
    monkeypatch.setattr("desk.intake.routes.downloads.SEND_SECONDS", -100)

    messages = await sent()

    assert messages[-1].get("more_body", True), "the response has no end"


async def test_the_rest_of_the_content_is_sent_before_the_end(sent, long_pdf):
    messages = await sent()

    assert b"".join(each.get("body", b"") for each in messages) == long_pdf
    assert not messages[-1]["more_body"]


async def test_the_database_does_not_contain_the_name_of_a_province_s_file_in_clear(desk, case, isfahan, pdf):
    await isfahan.upload(case[0], pdf)

    assert "پاسخ.pdf".encode() not in await desk.written()
