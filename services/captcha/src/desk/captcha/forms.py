"""The bodies of requests and responses."""

import base64
from typing import Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from desk.captcha.clients import Language
from desk.captcha.domain import MAX_LEVEL, Kind, Purpose
from desk.captcha.service import CodeRequest, Issued, Proof, Work
from desk.chassis.moments import Moment


class SolvedProof(BaseModel):
    """A solved proof of work."""

    id: str = Field(max_length=64)
    solution: str = Field(max_length=256)


class CaptchaWanted(BaseModel):
    """The purpose and the kind of a challenge."""

    model_config = ConfigDict(hide_input_in_errors=True)

    purpose: Purpose
    kind: Kind = Kind.IMAGE
    level: int = Field(
        default=0,
        ge=0,
        le=MAX_LEVEL,
        description="For kind `work`: each level doubles the work; the `level` of a problem `proof_required`",
    )
    mobile: str = Field(default="", max_length=64, description="For kind `sms`: the Iranian mobile, in any digits")
    language: Language = Field(default="fa", description="For kind `sms`: the language of the message")
    proof: SolvedProof | None = Field(
        default=None,
        description="For kind `sms`: a proof of work of purpose `mobile`; see `proof_required`",
    )

    def code_request(self, source: str) -> CodeRequest:
        """Return the fields of a code by SMS, for a caller at the address ``source``."""
        proof = None if self.proof is None else Proof(self.proof.id, self.proof.solution)
        return CodeRequest(self.purpose, self.mobile, self.language, proof, source)


class MobileCodeWanted(BaseModel):
    """The mobile that gets a code for another service of the desk."""

    model_config = ConfigDict(hide_input_in_errors=True)

    mobile: str = Field(max_length=64)
    language: Language = "fa"


class WorkToDo(BaseModel):
    """A proof of work in altcha's format: find the counter whose key begins with ``keyPrefix``.

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
    usable_at: Moment | None = Field(
        default=None, alias="usable_at", description="The answer is accepted from then on; absent: at once"
    )

    @classmethod
    def of(cls, work: Work, usable_at: Moment | None) -> Self:
        """Return the work without its answer."""
        return cls.model_validate(work).model_copy(update={"usable_at": usable_at})


class Captcha(BaseModel):
    """A challenge: according to ``kind`` it has an ``image``, a ``sound``, a ``challenge`` or, for an SMS, none."""

    id: str
    kind: Kind
    expires_at: Moment
    image: str | None = Field(default=None, description="PNG of five Persian digits as a data URL")
    sound: str | None = Field(default=None, description="Path of a WAV of five spoken Persian digits")
    challenge: WorkToDo | None = Field(default=None, description="A proof of work to do")

    @classmethod
    def of(cls, issued: Issued) -> Self:
        """Return the part of a challenge that the caller may see."""
        image = issued.image and f"data:image/png;base64,{base64.b64encode(issued.image).decode()}"
        sound = f"/api/captchas/{issued.id}/sound" if issued.kind is Kind.SOUND else None
        work = issued.work and WorkToDo.of(issued.work, issued.usable_at)
        return cls(
            id=issued.id, kind=issued.kind, expires_at=issued.expires_at, image=image, sound=sound, challenge=work
        )


class CaptchaAnswer(BaseModel):
    """An answer, and the claim (opaque to this service) of the request that it belongs to."""

    purpose: Purpose
    answer: str = Field(
        max_length=256, description="Persian, Arabic-Indic or Latin digits; for a proof of work the key"
    )
    claim: str = Field(min_length=1, max_length=128)
    mobile: str | None = Field(
        default=None, max_length=16, description="For a code by SMS: the mobile (E.164) that must have got it"
    )


class RightAnswer(BaseModel):
    """The answer is right."""

    level: int = Field(description="The level of a proof of work; 0 for other kinds")
