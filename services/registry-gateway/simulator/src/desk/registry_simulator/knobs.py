"""How the simulated registry behaves, and misbehaves."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Garbage(StrEnum):
    """What comes in place of an answer."""

    HTML = "html"
    CUT_OFF = "cut_off"
    ENDLESS = "endless"
    ENTITIES = "entities"
    """Few bytes that a careless parser makes gigabytes of."""
    SOMEBODY_ELSE = "somebody_else"


class Knobs(BaseModel):
    """Everything that can be turned."""

    model_config = ConfigDict(extra="forbid")

    delay_seconds: Annotated[float, Field(ge=0, le=120)] = 0
    errors: Annotated[int, Field(ge=-1)] = 0
    """So many next calls are answered with status 500; -1 means all."""
    garbage: Garbage | None = None
    quota: Annotated[int, Field(ge=0)] | None = None
    """Inquiries that are answered before the day's quota is said to be used up."""
    closed: bool = False
    wrong_zeros: bool = True
    """The national ID comes as a number, without its leading zeros."""
    base64_names: bool = True
    death_in_array: bool = False
    woman: Literal[0, 2] = 2
    message_in_list: bool = True
    code: str | None = None
    """The one code that every inquiry is answered with."""
    codes: dict[str, str] = {}
    """The code that the inquiry for a national ID is answered with."""
