"""The errors of a broker: those of an outage, and those of a wrong setting, which no retry corrects."""

from aio_pika.exceptions import CONNECTION_EXCEPTIONS, AMQPError, ChannelNotFoundEntity, ProbableAuthenticationError
from aiormq.exceptions import ChannelAccessRefused, ChannelPreconditionFailed, InvalidFrameError
from yarl import URL

from desk.expert.errors import BrokerRefusedError

BROKER_ERRORS = (*CONNECTION_EXCEPTIONS, AMQPError, TimeoutError)
"""The errors of a broker that is unavailable or refuses."""
REFUSALS = (
    ChannelAccessRefused,
    ChannelNotFoundEntity,
    ChannelPreconditionFailed,
    InvalidFrameError,
    ProbableAuthenticationError,
)
"""Those of a wrong setting."""


def refusal(error: BaseException, url: URL, province: str) -> BrokerRefusedError:
    """Say which setting is wrong, without the password; ``error`` is one of :data:`REFUSALS`."""
    user, vhost = url.user, url.path.removeprefix("/") or "/"
    match error:
        case ProbableAuthenticationError():
            reason = f"the user {user} or its password is wrong"
        case InvalidFrameError():  # the broker closes the connection where its client expects it to open
            reason = f"there is no virtual host {vhost}, or the user {user} may not use it"
        case ChannelNotFoundEntity():
            reason = f"the virtual host {vhost} has no queue or exchange of the desk for the office {province}"
        case ChannelPreconditionFailed():
            reason = f"the broker does not accept {user} as the sender"
        case _:
            reason = f"the user {user} may not consume or report for the office {province}"
    return BrokerRefusedError(f"{reason}; correct the address or the office's key ({type(error).__name__})")
