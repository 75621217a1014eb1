"""Only known fields reach the log, and nothing in them that could be personal."""

import io
import json
import logging
import uuid

import pytest
import structlog

from desk.security.logs import RECENT_MAX, configure_logging, recent_lines, safe_text

PERSONAL = ("0012345679", "09123456789", "+989123456789", "زهرا رضایی", "zahra@example.ir", "https://desk/x?mobile=1")


@pytest.fixture
def line(monkeypatch):
    """Return the only line that was logged, and its text."""
    handlers, level = logging.getLogger().handlers, logging.getLogger().level
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    configure_logging("json", "DEBUG")

    def read():
        (text,) = written.getvalue().splitlines()
        return json.loads(text), text

    yield read
    structlog.reset_defaults()
    logging.getLogger().handlers, logging.getLogger().level = handlers, level


def test_a_known_field_is_written(line):
    event_id = str(uuid.uuid4())

    structlog.get_logger("desk.x").info("event handled", event_id=event_id, seq=3, in_time=True, type="a.b.v1")

    fields, _ = line()
    assert (fields["event"], fields["event_id"], fields["seq"], fields["in_time"]) == (
        "event handled",
        event_id,
        3,
        True,
    )
    assert (fields["level"], fields["logger"], fields["type"]) == ("info", "desk.x", "a.b.v1")
    assert "dropped_fields" not in fields


def test_an_unknown_field_is_dropped_and_named(line):
    structlog.get_logger("desk.x").info("refused", national_id="0012345679", code="x")

    fields, text = line()
    assert fields["dropped_fields"] == ["national_id"]
    assert fields["code"] == "x"
    assert "0012345679" not in text


@pytest.mark.parametrize("personal", PERSONAL)
def test_personal_text_in_a_known_field_is_replaced(line, personal):
    structlog.get_logger("desk.x").info(
        "refused", reason=f"bad value {personal}!", fields=[personal], to={personal: personal}
    )

    _, text = line()
    assert personal not in text
    assert "bad value" in text


def test_an_object_is_written_by_the_name_of_its_type(line):
    class Applicant:
        def __repr__(self):
            return "Applicant(Zahra)"

    structlog.get_logger("desk.x").info("refused", reason=Applicant())

    fields, _ = line()
    assert fields["reason"] == "Applicant"


class OurError(Exception):
    __module__ = "desk.test"


def test_an_exception_is_written_with_its_stack_and_without_its_text(line):
    try:
        try:
            int("Zahra Rezaei")
        except ValueError as error:
            raise OurError("the value 0012345679 is no number") from error
    except OurError:
        structlog.get_logger("desk.x").exception("unexpected error")

    fields, text = line()
    assert "builtins.ValueError\n" in fields["exception"]
    assert "in test_an_exception_is_written_with_its_stack" in fields["exception"]
    assert fields["exception"].endswith("OurError: the value … is no number\n")
    assert "Zahra" not in text


def test_every_exception_of_a_group_is_named(line):
    try:
        raise ExceptionGroup("Zahra", [KeyError("Zahra"), OSError("Zahra")])  # noqa: TRY301 - what is tested
    except ExceptionGroup:
        structlog.get_logger("desk.x").exception("unexpected error")

    fields, text = line()
    assert "builtins.KeyError" in fields["exception"]
    assert "builtins.OSError" in fields["exception"]
    assert "Zahra" not in text


def test_a_line_of_a_library_is_made_safe_too(line):
    logging.getLogger("library").warning("GET %s failed for %s", "https://sms.example/send?to=0912", "09123456789")

    fields, _ = line()
    assert fields["event"] == "GET https://sms.example/… failed for …"


@pytest.mark.parametrize(
    ("address", "written"),
    {
        "https://sms.example:8443/send?to=09123456789": "https://sms.example:8443/…",
        "amqps://desk:secret@rabbit-1.internal:5671/desk": "amqps://rabbit-1.internal:5671/…",
        "postgresql+asyncpg://a:b@192.168.100.12:5432/intake": "postgresql+asyncpg://192.168.100.12:5432/…",
        "redis://:secret@[2001:db8::12]:6379/0": "redis://[2001:db8::12]:6379/…",
        "'http://minio:9000':": "'http://minio:9000",
        "http://10.0.0.125:9000": "http://10.0.0.125:9000",
        "amqp://user:pa/ss@rabbit:5672": "amqp://…",
        "https://host/?mail=zahra@example.ir": "https://…",
        "https://09123456789.example/": "https://…",
        "https://user%3Asecret@host/": "https://…",
        "file:///home/zahra": "file://…",
        "smtp://زهرا@mail.example:25": "smtp://…",
    }.items(),
)
def test_an_address_keeps_its_host_and_port_alone(address, written):
    assert safe_text(f"no answer of {address} in 5 s") == f"no answer of {written} in 5 s"


def test_libraries_that_log_urls_are_quiet(line):
    logging.getLogger("httpx").info("HTTP Request: GET https://api/send?token=secret")
    logging.getLogger("desk.x").info("end")

    assert line()[0]["event"] == "end"


def test_an_identifier_stays_and_a_number_that_looks_like_one_does_not():
    found = "0f3a9b2c4d5e"
    assert safe_text(found) == found
    assert safe_text("989123456789") == "…"
    assert safe_text("2026-11-29T10:00:00+00:00") == "2026-11-29T10:00:00+00:00"
    assert len(safe_text("a" * 10_000)) == 500


def test_the_last_warnings_and_errors_are_kept_as_they_were_logged(line):
    log = structlog.get_logger("desk.x")
    log.info("not kept")
    for number in range(RECENT_MAX):
        log.warning("one of many", count=number)
    log.error("kept", national_id="0012345679", reason="زهرا 09123456789")
    logging.getLogger("library").error("of a library: %s", "0012345679")

    kept = [json.loads(each) for each in recent_lines()]

    assert len(kept) == RECENT_MAX
    assert kept[0]["count"] == 2, "the oldest are dropped"
    assert (kept[-2]["event"], kept[-2]["dropped_fields"], kept[-1]["logger"]) == ("kept", ["national_id"], "library")
    assert not [each for each in recent_lines() if "0012345679" in each or "زهرا" in each or "9123456789" in each]


class Closed(io.StringIO):
    """A standard error whose reader has ended."""

    def write(self, _text):
        raise BrokenPipeError


def test_a_line_that_cannot_be_written_raises_nothing(line, monkeypatch):
    monkeypatch.setattr("sys.stderr", Closed())
    configure_logging("json", "DEBUG")

    structlog.get_logger("desk.x").warning("event handled", seq=1)

    assert json.loads(recent_lines()[-1])["seq"] == 1


def test_the_level_of_a_logger_decides(line):
    logging.getLogger("desk.quiet").setLevel(logging.WARNING)

    structlog.get_logger("desk.quiet").info("not written")
    structlog.get_logger("desk.quiet").warning("written")

    fields, _ = line()
    assert fields["event"] == "written"
