"""The routes: public ones for the pages, an internal one for services that require an answer."""

from desk.captcha.routes.challenges import router
from desk.captcha.routes.dependencies import Services

__all__ = ["Services", "router"]
