"""The knobs, which make the simulated registry behave as real ones do."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Garbage(StrEnum):
    """What is sent instead of an answer."""

    HTML = "html"
    CUT_OFF = "cut_off"
    ENDLESS = "endless"
    ENTITIES = "entities"
    """A small document that a careless parser expands to gigabytes."""
    ANOTHER_PERSON = "somebody_else"


class Knobs(BaseModel):
    """All knobs."""

    model_config = ConfigDict(extra="forbid")

    delay_seconds: Annotated[float, Field(ge=0, le=120)] = 0
    errors: Annotated[int, Field(ge=-1)] = 0
    """The next calls that are answered with status 500; -1 means all."""
    garbage: Garbage | None = None
    quota: Annotated[int, Field(ge=0)] | None = None
    """Inquiries that are answered before the daily quota is used up."""
    closed: bool = False
    wrong_zeros: bool = True
    """The national ID is sent as a number, without its leading zeros."""
    base64_names: bool = True
    death_in_array: bool = False
    woman: Literal[0, 2] = 2
    message_in_list: bool = True
    code: str | None = None
    """The code that answers every inquiry."""
    codes: dict[str, str] = {}
    """The codes that answer inquiries for certain national IDs."""
