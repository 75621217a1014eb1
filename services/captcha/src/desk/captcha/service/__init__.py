"""The use cases of the captcha service."""

from desk.captcha.service.challenges import Challenges, Issued
from desk.captcha.service.pool import Pool, Recipe
from desk.captcha.service.work import Work, create_work

__all__ = ["Challenges", "Issued", "Pool", "Recipe", "Work", "create_work"]
