"""The rules of challenges, and the errors."""

from desk.captcha.domain.challenges import (
    ATTEMPTS,
    CLAIM_LIFE,
    LIFE,
    Challenge,
    Difficulty,
    Kind,
    Outcome,
    Purpose,
    choose_answer,
    is_id,
    new_id,
    normalize_answer,
    require_offered,
)
from desk.captcha.domain.errors import (
    CaptchaUnavailableError,
    ExpiredError,
    KindUnavailableError,
    NoneReadyError,
    NoSoundError,
    WrongAnswerError,
)

__all__ = [
    "ATTEMPTS",
    "CLAIM_LIFE",
    "LIFE",
    "CaptchaUnavailableError",
    "Challenge",
    "Difficulty",
    "ExpiredError",
    "Kind",
    "KindUnavailableError",
    "NoSoundError",
    "NoneReadyError",
    "Outcome",
    "Purpose",
    "WrongAnswerError",
    "choose_answer",
    "is_id",
    "new_id",
    "normalize_answer",
    "require_offered",
]
