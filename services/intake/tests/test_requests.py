import json
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from stdnum import damm

from desk.chassis.events import Envelope, Outbox
from desk.intake.domain import due_moment, new_tracking_code
from desk.intake.events import RequestSubmitted
from desk.intake.store import load_catalog
from desk.iran.jalali import in_tehran
from desk.iran.workdays import WorkCalendar
from desk.testing.event_keys import decrypted

sqlite_only = pytest.mark.parametrize("database_kind", ["sqlite"])
"""For a test of forms and answers, which do not depend on the database."""


@pytest.fixture
def event_data(desk):
    """Return the data of the only event published so far."""

    async def event_data():
        [message] = await desk.events()
        return decrypted(message.body, "tracking")["data"]

    return event_data


async def test_the_response_contains_everything_a_receipt_shows(desk):
    answer = await desk.submit()

    assert answer.status_code == 201
    receipt = answer.json()
    assert receipt["province"] == {"key": "isfahan", "name": "اصفهان"}
    assert receipt["subject"] == {"key": "hajj_deposit", "title": "ودیعه‌گذاری و قبوض حج تمتع"}
    assert receipt["sub_subject"] == {"key": "lost_receipt", "title": "مفقود شدن قبض ودیعه‌گذاری"}
    assert receipt["national_id_masked"] == "001*****19"
    assert receipt["attachments"] == 0


async def test_a_receipt_counts_the_files(desk):
    files = [await desk.attachment() for _ in range(2)]

    assert (await desk.submit(attachments=files)).json()["attachments"] == 2


async def test_a_receipt_is_not_cached(desk):
    assert (await desk.submit()).headers["cache-control"] == "no-store"


async def test_a_request_is_stored_with_its_code(desk):
    code = (await desk.submit()).json()["tracking_code"]

    assert await desk.select("SELECT tracking_code, province FROM request") == [(code, "isfahan")]


async def test_a_tracking_code_has_twelve_digits_with_a_damm_check_digit(desk):
    code = (await desk.submit()).json()["tracking_code"]

    assert len(code) == 12
    assert damm.is_valid(code)


def test_tracking_codes_are_random_and_have_a_check_digit():
    codes = {new_tracking_code() for _ in range(200)}

    assert all(map(damm.is_valid, codes))
    assert len(codes) == 200
    assert len({code[0] for code in codes}) > 5


async def test_a_request_is_submitted_now_and_due_at_the_end_of_a_working_day(desk):
    receipt = (await desk.submit()).json()

    submitted, due = (datetime.fromisoformat(receipt[name]) for name in ("submitted_at", "due_at"))
    assert abs(datetime.now(UTC) - submitted) < timedelta(seconds=10)
    day, clock = in_tehran(due)
    assert clock.isoformat() == "23:59:59"
    assert WorkCalendar().is_working(day.to_gregorian())
    assert due - submitted > timedelta(days=10)


@pytest.mark.parametrize(
    ("submitted_at", "due_at"),
    [
        (datetime(2026, 12, 13, 11, 0, tzinfo=UTC), datetime(2026, 12, 28, 20, 29, 59, tzinfo=UTC)),
        (datetime(2026, 12, 13, 20, 45, tzinfo=UTC), datetime(2026, 12, 29, 20, 29, 59, tzinfo=UTC)),
    ],
)
def test_working_days_are_counted_from_the_day_in_tehran_without_weekends_and_holidays(submitted_at, due_at):
    days = (date(2026, 12, 13) + timedelta(days=number) for number in range(20))
    worked = {day: day.weekday() not in {3, 4} and day != date(2026, 12, 23) for day in days}
    _, sub_subject = load_catalog().choose("hajj_deposit", "lost_receipt")

    assert sub_subject.answer_within_days == 10
    assert due_moment(submitted_at, sub_subject, WorkCalendar(overrides=worked)) == due_at


async def test_the_first_event_of_a_request_is_published_to_its_province(desk):
    code = (await desk.submit()).json()["tracking_code"]

    [message] = await desk.events()
    envelope = Envelope.model_validate_json(message.body)
    assert (message.exchange, message.routing_key) == ("desk.events", "request-submitted.isfahan")
    assert (envelope.id, envelope.type) == (message.id, "ir.haj.desk.request-submitted.v1")
    assert (envelope.source, envelope.subject, envelope.seq) == ("/desk/intake", code, 1)


async def test_the_event_contains_the_whole_request(desk, event_data):
    file_id = await desk.attachment()
    receipt = (await desk.submit(attachments=[file_id])).json()

    data = await event_data()

    assert set(data) == set(RequestSubmitted.model_fields)
    for name in ("tracking_code", "submitted_at", "due_at", "province", "subject", "sub_subject"):
        assert data[name] == receipt[name]
    assert data["applicant"] == {
        "national_id": "0013542419",
        "birth_date": "1361-12-05",
        "first_name": "زهرا",
        "last_name": "رضایی‌نژاد",
        "gender": "female",
    }
    assert data["contact"] == {
        "mobile": "+989123456789",
        "landline": "+983132211234",
        "email": "zahra.rezaei@example.ir",
        "language": "fa",
    }
    assert data["text"] == "قبض ودیعه‌گذاری من گم شده است."
    [attachment] = data["attachments"]
    assert (attachment["id"], attachment["name"], attachment["media_type"]) == (file_id, "قبض.pdf", "application/pdf")


async def test_the_attributes_of_an_event_contain_nothing_personal(desk, zahra):
    await desk.submit()

    [message] = await desk.events()
    attributes = json.loads(message.body)
    del attributes["data"]
    for personal in (zahra["sub"], zahra["last_name"], "9123456789", "zahra.rezaei", "قبض"):
        assert personal not in json.dumps(attributes, ensure_ascii=False) + message.routing_key


async def test_the_event_lists_the_files_in_the_submitted_order(desk, event_data):
    files = [await desk.attachment() for _ in range(5)]
    files = [files[2], files[0], files[4], files[1], files[3]]
    await desk.submit(attachments=files)

    assert [attachment["id"] for attachment in (await event_data())["attachments"]] == files


async def test_a_file_listed_twice_is_attached_once(desk, event_data):
    file_id = await desk.attachment()
    await desk.submit(attachments=[file_id, file_id.upper()])

    assert len((await event_data())["attachments"]) == 1


async def test_a_file_of_an_earlier_upload_session_can_be_attached(desk):
    file_id = await desk.attachment(desk.token())

    assert (await desk.submit(attachments=[file_id], token=desk.token())).status_code == 201


async def test_a_request_survives_a_broker_outage(desk):
    desk.broker.down = True
    answer = await desk.submit()
    assert answer.status_code == 201

    desk.broker.down = False
    [message] = await desk.events()
    assert answer.json()["tracking_code"].encode() in message.body


async def test_the_database_contains_no_personal_data_in_clear(desk, zahra):
    file_id = await desk.attachment()
    code = (await desk.submit(attachments=[file_id])).json()["tracking_code"]

    written = await desk.written()

    assert code.encode() in written, "the test looks into the right files"
    for personal in (
        zahra["sub"],
        zahra["birth_date"],
        zahra["first_name"],
        "رضایی",
        "9123456789",
        "32211234",
        "zahra.rezaei",
        "گم شده",
        "قبض.pdf",
    ):
        assert personal.encode() not in written
        assert json.dumps(personal).strip('"').encode() not in written


@sqlite_only
@pytest.mark.parametrize(
    ("changes", "part", "kept"),
    [
        ({"mobile": "۰۹۱۲ ۳۴۵ ۶۷۸۹"}, ("contact", "mobile"), "+989123456789"),
        ({"mobile": "٠٩١٢٣٤٥٦٧٨٩"}, ("contact", "mobile"), "+989123456789"),
        ({"mobile": "\u206609123456789\u2069"}, ("contact", "mobile"), "+989123456789"),
        ({"mobile": "+98 912-345-6789"}, ("contact", "mobile"), "+989123456789"),
        ({"landline": {"area_code": "۰۳۱", "number": "۳۲۲۱۱۲۳۴"}}, ("contact", "landline"), "+983132211234"),
        ({"landline": {"area_code": "031", "number": "031 3221 1234"}}, ("contact", "landline"), "+983132211234"),
        ({"landline": {"area_code": "021", "number": "6451"}}, ("contact", "landline"), "+98216451"),
        ({"landline": {"area_code": "031", "number": " "}}, ("contact", "landline"), None),
        ({"landline": {"area_code": "", "number": ""}}, ("contact", "landline"), None),
        ({"landline": None}, ("contact", "landline"), None),
        ({"email": ""}, ("contact", "email"), None),
        ({"email": "  "}, ("contact", "email"), None),
        ({"email": None}, ("contact", "email"), None),
        ({"email": " Zahra@EXAMPLE.ir "}, ("contact", "email"), "Zahra@example.ir"),
        ({"text": "  كتابي گم شد؛ ۱۲٣\r\nسلام \u202e"}, ("text",), "کتابی گم شد؛ ۱۲٣\nسلام"),
        ({"text": "می‌خواهم\x00 بدانم"}, ("text",), "می‌خواهم بدانم"),
        ({"text": "ن" * 4000}, ("text",), "ن" * 4000),
        ({"text": "ده نویسه ا"}, ("text",), "ده نویسه ا"),
    ],
)  # fmt: skip
async def test_fields_are_normalised(desk, event_data, changes, part, kept):
    answer = await desk.submit(**changes)
    assert answer.status_code == 201, answer.text

    value = await event_data()
    for step in part:
        value = value[step]
    assert value == kept


@sqlite_only
async def test_optional_fields_may_be_omitted(desk, event_data):
    form = desk.form()
    for name in ("email", "landline", "attachments"):
        del form[name]

    assert (await desk.submit(form)).status_code == 201
    data = await event_data()
    assert (data["contact"]["email"], data["contact"]["landline"], data["attachments"]) == (None, None, [])


async def test_the_names_come_from_the_identity_token_and_not_from_the_form(desk, event_data, zahra):
    await desk.submit(first_name="علی", last_name="محمدی", national_id="8275737168")

    applicant = (await event_data())["applicant"]
    assert (applicant["first_name"], applicant["national_id"]) == (zahra["first_name"], zahra["sub"])


@pytest.fixture
def codes(monkeypatch):
    """Make these tracking codes be drawn, the last one repeatedly."""

    def draw(*codes):
        waiting = list(codes)
        monkeypatch.setattr(
            "desk.intake.service.requests.new_tracking_code", lambda: waiting.pop(0) if len(waiting) > 1 else waiting[0]
        )

    return draw


async def test_a_tracking_code_that_is_taken_is_drawn_again(desk, codes):
    codes("111111111110", "111111111110", "222222222220")

    first, second = [(await desk.submit()).json()["tracking_code"] for _ in range(2)]

    assert (first, second) == ("111111111110", "222222222220")


async def test_nothing_is_stored_if_no_tracking_code_is_free(desk, codes, problem_of):
    codes("111111111110")
    await desk.submit()
    file_id = await desk.attachment()

    problem_of(await desk.submit(attachments=[file_id]), 503)

    assert await desk.stored() == {"request": 1, "outbox": 1}
    assert (await desk.remove(file_id)).status_code == 204


@pytest.fixture
def failing_commit(desk, monkeypatch):
    """Make the commit of a submission with files fail; one without files is a single statement on PostgreSQL."""
    row, engine = Outbox.row, desk.parts.database.engine.sync_engine

    def fail(_connection):
        raise OperationalError("COMMIT", {}, Exception("disk full"))

    def row_and_fail(self, *values, **named):
        event.listen(engine, "commit", fail)
        return row(self, *values, **named)

    monkeypatch.setattr(Outbox, "row", row_and_fail)
    return lambda: (monkeypatch.undo(), event.remove(engine, "commit", fail))


async def test_a_failed_commit_is_an_error_and_stores_nothing(desk, failing_commit, problem_of, nothing):
    file_id = await desk.attachment()
    problem_of(await desk.submit(attachments=[file_id]), 503)
    failing_commit()

    assert await desk.stored() == nothing


async def test_the_same_request_succeeds_after_a_failed_commit(desk, failing_commit):
    form = desk.form(attachments=[await desk.attachment()])
    await desk.submit(form, key="the-same-key")
    failing_commit()

    assert (await desk.submit(form, key="the-same-key")).status_code == 201


@pytest.mark.parametrize("files", [0, 1])
async def test_a_request_whose_event_cannot_be_stored_is_not_stored(desk, monkeypatch, problem_of, nothing, files):
    row = Outbox.row
    monkeypatch.setattr(Outbox, "row", lambda *values, **named: row(*values, **named) | {"id": None})
    ids = [await desk.attachment() for _ in range(files)]

    problem_of(await desk.submit(attachments=ids), 503)

    assert await desk.stored() == nothing
    assert await desk.count("data_key") == files, "only the keys of the files"
    assert await desk.select("SELECT id FROM attachment WHERE request_id IS NULL") == [(each,) for each in ids]
