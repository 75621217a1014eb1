"""The routes of challenges: issue one, download its sound, and check an answer for another service."""

from fastapi import APIRouter, Request, Response

from desk.captcha.domain import (
    CaptchaUnavailableError,
    CodesExhaustedError,
    ExpiredError,
    Kind,
    KindUnavailableError,
    MobileNotIranianError,
    NoSoundError,
    NotYetUsableError,
    WrongAnswerError,
)
from desk.captcha.forms import Captcha, CaptchaAnswer, CaptchaWanted, MobileCodeWanted, RightAnswer
from desk.captcha.routes.dependencies import ServicesDep
from desk.chassis.app import problems, source_of
from desk.chassis.problem import ProofExpiredError, ProofRequiredError, ProofWrongError, RateLimitExceededError
from desk.chassis.service_tokens import CallerUnknownError, called_by

router = APIRouter()


@router.post(
    "/api/captchas",
    status_code=201,
    summary="Issue a challenge",
    response_model_exclude_none=True,
    responses=problems(
        KindUnavailableError,
        MobileNotIranianError,
        ProofWrongError,
        ProofExpiredError,
        RateLimitExceededError,
        ProofRequiredError,
        CodesExhaustedError,
        CaptchaUnavailableError,
    ),
)
async def issue(wanted: CaptchaWanted, request: Request, response: Response, services: ServicesDep) -> Captcha:
    """Issue a challenge that is valid for one right answer within five minutes; kind `sms` sends its code."""
    if wanted.kind is Kind.SMS:
        issued = await services.sms_codes.issue(wanted.code_request(source_of(request)))
    else:
        issued = await services.challenges.issue(wanted.kind, wanted.purpose, source_of(request), wanted.level)
    response.headers["Cache-Control"] = "no-store"
    return Captcha.of(issued)


@router.get(
    "/api/captchas/{captcha_id}/sound",
    summary="Download a spoken challenge",
    response_class=Response,
    responses={200: {"content": {"audio/wav": {}}}, **problems(NoSoundError, CaptchaUnavailableError)},
)
async def hear(captcha_id: str, services: ServicesDep) -> Response:
    """Return the spoken digits; may be repeated until the challenge expires."""
    return Response(
        await services.challenges.find_sound(captcha_id), media_type="audio/wav", headers={"Cache-Control": "no-store"}
    )


@router.post(
    "/internal/captchas/{captcha_id}/answers",
    summary="Check an answer",
    dependencies=[called_by("registry-gateway", "intake", "tracking")],
    responses=problems(CallerUnknownError, WrongAnswerError, ExpiredError, NotYetUsableError, CaptchaUnavailableError),
)
async def check(captcha_id: str, given: CaptchaAnswer, services: ServicesDep) -> RightAnswer:
    """Use the challenge up if the answer is right; the same claim may repeat the call for ten minutes."""
    level = await services.challenges.check_answer(captcha_id, given.purpose, given.answer, given.claim, given.mobile)
    return RightAnswer(level=level)


@router.post(
    "/internal/mobile-codes",
    status_code=201,
    summary="Send a code by SMS for another service",
    response_model_exclude_none=True,
    dependencies=[called_by("intake")],
    responses=problems(
        CallerUnknownError, KindUnavailableError, MobileNotIranianError, CodesExhaustedError, CaptchaUnavailableError
    ),
)
async def send_code(wanted: MobileCodeWanted, services: ServicesDep) -> Captcha:
    """Send a code without a proof of work: the calling service has authenticated and counted the office."""
    return Captcha.of(await services.sms_codes.issue_for_service(wanted.mobile, wanted.language))
