"""HTTP in: one public route for pages, one internal route for the services that demand an answer."""

import base64
from typing import Annotated, Self

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from desk.captcha.domain import (
    CaptchaUnavailableError,
    ExpiredError,
    Kind,
    KindUnavailableError,
    NoSoundError,
    Purpose,
    WrongAnswerError,
)
from desk.captcha.service import Captchas, Issued
from desk.chassis.app import problems, source_of
from desk.chassis.events import Moment
from desk.chassis.problem import RateLimitExceededError

router = APIRouter()


class CaptchaWanted(BaseModel):
    """What a challenge is asked for, and how it is to be put."""

    purpose: Purpose
    kind: Kind = Kind.IMAGE


class WorkToDo(BaseModel):
    """A proof of work in altcha's terms: find the counter whose key begins with ``keyPrefix``.

    The key is PBKDF2 with SHA-256, ``cost`` rounds, over the bytes of ``nonce`` and the counter as a big-endian uint32,
    salted with ``salt``; the answer is the whole key in hexadecimal.
    """

    model_config = ConfigDict(from_attributes=True, alias_generator=to_camel, populate_by_name=True)

    algorithm: str
    cost: int
    key_length: int = Field(description="Bytes")
    key_prefix: str = Field(description="Hexadecimal")
    nonce: str = Field(description="Hexadecimal")
    salt: str = Field(description="Hexadecimal")
    most: int = Field(description="The counter lies between 0 and this")


class Captcha(BaseModel):
    """A challenge: exactly one of ``image``, ``sound`` and ``challenge`` is there, according to ``kind``."""

    id: str
    kind: Kind
    expires_at: Moment
    image: str | None = Field(default=None, description="PNG of five Persian digits as a data URL")
    sound: str | None = Field(default=None, description="Path of a WAV of five spoken Persian digits")
    challenge: WorkToDo | None = Field(default=None, description="A proof of work to be done")

    @classmethod
    def of(cls, issued: Issued) -> Self:
        """Show what whoever asked may see."""
        image = issued.image and f"data:image/png;base64,{base64.b64encode(issued.image).decode()}"
        sound = f"/api/captchas/{issued.id}/sound" if issued.kind is Kind.SOUND else None
        work = issued.work and WorkToDo.model_validate(issued.work)
        return cls(
            id=issued.id, kind=issued.kind, expires_at=issued.expires_at, image=image, sound=sound, challenge=work
        )


class CaptchaAnswer(BaseModel):
    """An answer, and the claim (opaque to this service) of the request it is given for."""

    purpose: Purpose
    answer: str = Field(
        max_length=256, description="Digits, Persian, Arabic-Indic or Latin; of a proof of work the key"
    )
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
    responses=problems(KindUnavailableError, RateLimitExceededError, CaptchaUnavailableError),
)
async def issue(wanted: CaptchaWanted, request: Request, response: Response, captchas: CaptchasOfApp) -> Captcha:
    """Issue a challenge that is good for one answer within five minutes."""
    issued = await captchas.issue(wanted.kind, wanted.purpose, source_of(request))
    response.headers["Cache-Control"] = "no-store"
    return Captcha.of(issued)


@router.get(
    "/api/captchas/{captcha_id}/sound",
    summary="Hear a spoken challenge",
    response_class=Response,
    responses={200: {"content": {"audio/wav": {}}}, **problems(NoSoundError, CaptchaUnavailableError)},
)
async def hear(captcha_id: str, captchas: CaptchasOfApp) -> Response:
    """Return the spoken digits, as often as they are asked for while the challenge lives."""
    return Response(await captchas.sound(captcha_id), media_type="audio/wav", headers={"Cache-Control": "no-store"})


@router.post(
    "/internal/captchas/{captcha_id}/answers",
    status_code=204,
    summary="Check an answer",
    responses=problems(WrongAnswerError, ExpiredError, CaptchaUnavailableError),
)
async def check(captcha_id: str, given: CaptchaAnswer, captchas: CaptchasOfApp) -> None:
    """Use the challenge up if the answer is right; the same claim may ask again for ten minutes."""
    await captchas.check(captcha_id, given.purpose, given.answer, given.claim)
