"""The bodies of requests."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from desk.chassis.moments import Moment
from desk.notifier.domain import Language


class CodeToSend(BaseModel):
    """A code for a mobile."""

    model_config = ConfigDict(hide_input_in_errors=True)

    mobile: str = Field(pattern=r"^\+989[0-9]{9}$", description="An Iranian mobile in E.164", repr=False)
    code: str = Field(pattern="^[0-9]{5}$", repr=False)
    language: Language = Language.FA
    purpose: Literal["mobile", "requests", "contact"] = Field(
        "mobile", description="What the code is valid for; captchas of older desks do not send it"
    )
    expires_at: Moment = Field(description="The code is not sent after this moment")
