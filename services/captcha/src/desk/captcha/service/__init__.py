"""The use cases of the captcha service."""

from desk.captcha.service.challenges import Challenges, Issued
from desk.captcha.service.pool import Pool, Recipe
from desk.captcha.service.sms_codes import CodeRequest, Proof, SmsCodes
from desk.captcha.service.work import Work, create_work

__all__ = ["Challenges", "CodeRequest", "Issued", "Pool", "Proof", "Recipe", "SmsCodes", "Work", "create_work"]
