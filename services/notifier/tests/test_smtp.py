"""Email through a real mail server that does not announce SMTPUTF8."""

import pytest
from support.background import AsciiMailServer, BackgroundLoop

from desk.notifier.channels.smtp import SmtpChannel
from desk.notifier.domain import MessageRefusedError, OutgoingMessage, Trouble


@pytest.fixture
def server():
    loop = BackgroundLoop()
    server = AsciiMailServer(loop)
    yield server
    server.close()
    loop.close()


def message(recipient):
    return OutgoingMessage("r-1", recipient, "متن پیام", "درخواست شما ثبت شد", "<p>متن پیام</p>")


@pytest.fixture
def channel(server):
    return SmtpChannel(host="127.0.0.1", port=server.port, tls="none", sender="میز خدمت <desk@example.ir>")


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
