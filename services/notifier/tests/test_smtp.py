"""Email through a real mail server that does not announce SMTPUTF8."""

import asyncio
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.errors import HeaderParseError

import pytest
from support.background import AsciiMailServer, BackgroundLoop

from desk.notifier.channels.mime import compose
from desk.notifier.channels.smtp import SmtpChannel
from desk.notifier.domain import ChannelUnavailableError, MessageRefusedError, OutgoingMessage, Trouble


@pytest.fixture
def loop():
    loop = BackgroundLoop()
    yield loop
    loop.close()


@pytest.fixture
def server(loop):
    server = AsciiMailServer(loop)
    yield server
    server.close()


def message(recipient="ali@example.com", **changes):
    values = {"text": "متن پیام", "subject": "درخواست شما ثبت شد", "html": "<p>متن پیام</p>"} | changes
    return OutgoingMessage("r-1", recipient, **values)


@pytest.fixture
async def channel(server):
    channel = SmtpChannel(host="127.0.0.1", port=server.port, tls="none", sender="میز خدمت <desk@example.ir>")
    yield channel
    await channel.close()


def parsed(mail):
    """Return a mail as the server has it after it has removed the dots that SMTP adds."""
    return message_from_bytes(mail.removesuffix(b"\r\n.\r\n").replace(b"\r\n..", b"\r\n."), policy=policy.SMTP)


@pytest.mark.parametrize(
    ("recipient", "expected"),
    [
        ("ali@حج.ایران", "ali@xn--rgbb.xn--mgba3a4f16a"),
        ("ali@xn--rgbb.xn--mgba3a4f16a", "ali@xn--rgbb.xn--mgba3a4f16a"),
        ("ali۱۲۳@example.com", "ali123@example.com"),
    ],
)
async def test_an_email_is_sent_to_the_ascii_form_of_its_address(server, channel, recipient, expected):
    await channel.send(message(recipient))
    assert server.recipients == [expected]
    assert len(server.mails) == 1
    assert f"To: {expected}".encode() in server.mails[0]


async def test_an_address_without_an_ascii_form_is_refused_for_good(server, channel):
    with pytest.raises(MessageRefusedError) as refused:
        await channel.send(message("علی@example.com"))
    assert refused.value.trouble is Trouble.BAD_RECIPIENT
    assert server.mails == []


async def test_an_email_has_all_headers_and_both_texts(server, channel):
    text, subject = "سلام\n\n.یک نقطه\n", f"درخواست {'شما ' * 30}ثبت شد"
    await channel.send(message(text=text, subject=subject, html="<p dir='rtl'>سلام</p>"))
    mail = parsed(server.mails[0])
    assert (mail["From"], mail["To"], mail["Subject"]) == ("میز خدمت <desk@example.ir>", "ali@example.com", subject)
    assert (mail["Message-ID"], mail["Auto-Submitted"]) == ("<r-1@example.ir>", "auto-generated")
    assert abs(mail["Date"].datetime.replace(tzinfo=UTC) - datetime.now(UTC)) < timedelta(minutes=1)
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    plain, html = (part.get_content().replace("\r\n", "\n") for part in mail.iter_parts())
    assert (plain, html) == (text, "<p dir='rtl'>سلام</p>\n")
    assert not mail.defects
    assert max(len(line) for line in server.mails[0].split(b"\r\n")) <= 78


async def test_an_english_email_is_plain_ascii_unless_a_line_is_too_long(server, channel):
    await channel.send(message(text="Hello\n.dot\n", subject="Registered", html=f"<p>{'x' * 1000}</p>"))
    plain, html = parsed(server.mails[0]).iter_parts()
    assert (plain["Content-Transfer-Encoding"], html["Content-Transfer-Encoding"]) == ("7bit", "base64")
    assert plain.get_content() == "Hello\r\n.dot\r\n"
    assert html.get_content() == f"<p>{'x' * 1000}</p>\r\n"


async def test_an_email_without_html_has_one_part(server, channel):
    await channel.send(message(html=None))
    assert parsed(server.mails[0]).get_content() == "متن پیام\r\n"


class FailingMailServer(AsciiMailServer):
    """Counts connections, and gives the replies of ``says`` to a command, once each; None closes the connection."""

    def __init__(self, loop):
        self.commands, self.connections, self.says = [], 0, {}
        super().__init__(loop)

    async def _talk(self, reader, writer):
        self.connections += 1
        try:
            await self._say(writer, "220 mail")
            while line := (await reader.readline()).strip():
                command = line[:4].decode().upper()
                self.commands.append(command)
                if command == "DATA":
                    await self._say(writer, "354 go on")
                    self.mails.append(await reader.readuntil(b"\r\n.\r\n"))
                said = (self.says.get(command) or ["250 fine"]).pop(0)
                if said is None:
                    break
                await self._say(writer, said)
        finally:
            writer.close()

    async def _say(self, writer, line):
        writer.write(f"{line}\r\n".encode())
        await writer.drain()


@pytest.fixture
def failing(loop):
    server = FailingMailServer(loop)
    yield server
    server.close()


@pytest.fixture
async def fragile(failing):
    channel = SmtpChannel(host="127.0.0.1", port=failing.port, tls="none", sender="desk@example.ir")
    yield channel
    await channel.close()


async def test_emails_use_one_connection_after_another_but_not_the_same_at_once(failing, fragile):
    for _ in range(3):
        await fragile.send(message())
    assert (len(failing.mails), failing.connections) == (3, 1)
    await asyncio.gather(*(fragile.send(message()) for _ in range(3)))
    assert (len(failing.mails), failing.connections) == (6, 3)


@pytest.mark.parametrize("command", ["MAIL", "RCPT"])
@pytest.mark.parametrize("reply", [None, "421 too many emails over this connection"])
async def test_an_email_is_sent_over_a_new_connection_if_the_kept_one_was_closed(failing, fragile, command, reply):
    failing.says[command] = ["250 fine", reply]
    await fragile.send(message())
    await fragile.send(message())
    assert (len(failing.mails), failing.connections) == (2, 2)


async def test_an_email_whose_connection_is_lost_after_its_content_is_not_sent_again_at_once(failing, fragile):
    failing.says["DATA"] = ["250 fine", None]
    await fragile.send(message())
    with pytest.raises(ChannelUnavailableError):
        await fragile.send(message())
    assert (len(failing.mails), failing.connections) == (2, 1)
    await fragile.send(message())
    assert failing.connections == 2


@pytest.mark.parametrize(("command", "trouble"), [("RCPT", Trouble.BAD_RECIPIENT), ("DATA", Trouble.BAD_TEXT)])
async def test_a_permanent_refusal_is_final_and_a_temporary_one_is_not(failing, fragile, command, trouble):
    failing.says[command] = ["550 no", "450 later", "250 fine"]
    with pytest.raises(MessageRefusedError) as refused:
        await fragile.send(message())
    assert refused.value.trouble is trouble
    with pytest.raises(ChannelUnavailableError):
        await fragile.send(message())
    await fragile.send(message())
    assert failing.connections == 3, "a connection with an unfinished email is not used again"


@pytest.mark.parametrize(("limit", "value"), [("EMAILS_MAX", 1), ("LIFETIME_SECONDS", 0.0), ("IDLE_SECONDS", 0.0)])
async def test_a_connection_is_ended_when_it_was_used_enough_or_is_idle(failing, fragile, monkeypatch, limit, value):
    monkeypatch.setattr(f"desk.notifier.channels.smtp_connections.{limit}", value)
    await fragile.send(message())
    async with asyncio.timeout(60):
        while "QUIT" not in failing.commands:  # noqa: ASYNC110 - the server is in another thread
            await asyncio.sleep(0.01)
    await fragile.send(message())
    assert failing.connections == 2


async def test_a_mail_server_that_is_not_there_is_unavailable():
    channel = SmtpChannel(host="127.0.0.1", port=1, tls="none", sender="desk@example.ir")
    with pytest.raises(ChannelUnavailableError):
        await channel.send(message())


@pytest.mark.parametrize("field", ["subject", "recipient", "sender"])
def test_a_value_cannot_add_a_header(field):
    values = {"sender": "desk@example.ir", "recipient": "zahra@example.ir", "subject": "s"}
    values[field] += "\r\nBcc: other@example.ir"
    with pytest.raises(HeaderParseError):
        compose(**values, message_id="<1@example.ir>", text="t", html=None)
