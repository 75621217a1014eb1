"""Requires a code by SMS, so that nothing is sent to an office or a person in the name of a mobile's owner."""

from dataclasses import dataclass

from desk.chassis.captcha import CaptchaClient
from desk.intake.domain import IdentityState, MobileCodeMissingError, MobileNotIranianError, MobileProofMode, Request
from desk.intake.forms import CaptchaAnswer


@dataclass(frozen=True, slots=True)
class MobileProof:
    """Decides which submissions need a code by SMS, and checks it.

    With ``pending`` those whose identity the registry has not confirmed need one; with ``always`` also all others with
    an Iranian mobile.
    """

    codes: CaptchaClient
    mode: MobileProofMode

    def required_code(self, request: Request, code: CaptchaAnswer | None) -> CaptchaAnswer | None:
        """Return the code of a submission that needs one, and None for any other.

        Raises MobileCodeMissingError, or MobileNotIranianError if no code could be sent.
        """
        if not self._is_required(request):
            return None
        if code is None:
            raise MobileCodeMissingError
        return code

    def required_consent(self, mobile: str, code: CaptchaAnswer | None) -> CaptchaAnswer | None:
        """Return the code of a request that an office registers, and None without a mobile or if no codes are sent.

        Raises MobileCodeMissingError.
        """
        if self.mode == "off" or not mobile:
            return None
        if code is None:
            raise MobileCodeMissingError
        return code

    def _is_required(self, request: Request) -> bool:
        if self.mode == "off":
            return False
        is_iranian = request.contact.mobile.startswith("+98")
        if request.identity is IdentityState.KNOWN:
            return self.mode == "always" and is_iranian
        if not is_iranian:
            raise MobileNotIranianError
        return True

    async def check(self, code: CaptchaAnswer, mobile: str, claim: str) -> None:
        """Use a code up for ``claim``. Raises MobileCodeWrongError or MobileCodeExpiredError."""
        await self.codes.check_answer(code.id, code.answer, claim, mobile=mobile)
