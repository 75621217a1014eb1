"""HTTP in: one public route for pages, one internal route for the services that demand an answer."""

import base64
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from desk.captcha.domain import (
    CaptchaUnavailableError,
    ExpiredError,
    Kind,
    KindUnavailableError,
    Purpose,
    WrongAnswerError,
)
from desk.captcha.service import Captchas
from desk.chassis.app import problems, source_of
from desk.chassis.events import Moment
from desk.chassis.problem import BudgetExhaustedError

router = APIRouter()


class CaptchaWanted(BaseModel):
    """What a challenge is asked for, and how it is to be put."""

    purpose: Purpose
    kind: Kind = Kind.IMAGE


class Captcha(BaseModel):
    """A challenge: exactly one of ``image``, ``sound`` and ``challenge`` is there, according to ``kind``."""

    id: str
    kind: Kind
    expires_at: Moment
    image: str | None = Field(default=None, description="PNG of five Persian digits as a data URL")
    sound: str | None = Field(default=None, description="Path of the spoken digits")
    challenge: dict[str, str | int] | None = Field(default=None, description="A proof of work to be done")


class CaptchaAnswer(BaseModel):
    """An answer, and the claim (opaque to this service) of the request it is given for."""

    purpose: Purpose
    answer: str = Field(max_length=256, description="In Persian, Arabic-Indic or Latin digits")
    claim: str = Field(min_length=1, max_length=128)


async def _captchas(request: Request) -> Captchas:
    captchas: Captchas = request.app.state.captchas
    return captchas


CaptchasOfApp = Annotated[Captchas, Depends(_captchas)]


@router.post(
    "/api/captchas",
    status_code=201,
    summary="Ask for a challenge",
    response_model_exclude_none=True,
    responses=problems(KindUnavailableError, BudgetExhaustedError, CaptchaUnavailableError),
)
async def issue(wanted: CaptchaWanted, request: Request, response: Response, captchas: CaptchasOfApp) -> Captcha:
    """Issue a challenge that is good for one answer within five minutes."""
    issued = await captchas.issue(wanted.kind, wanted.purpose, source_of(request))
    response.headers["Cache-Control"] = "no-store"
    image = f"data:image/png;base64,{base64.b64encode(issued.png).decode()}"
    return Captcha(id=issued.id, kind=issued.kind, expires_at=issued.expires_at, image=image)


@router.post(
    "/internal/captchas/{captcha_id}/answers",
    status_code=204,
    summary="Check an answer",
    responses=problems(WrongAnswerError, ExpiredError, CaptchaUnavailableError),
)
async def check(captcha_id: str, given: CaptchaAnswer, captchas: CaptchasOfApp) -> None:
    """Use the challenge up if the answer is right; the same claim may ask again for ten minutes."""
    await captchas.check(captcha_id, given.purpose, given.answer, given.claim)
