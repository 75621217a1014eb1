"""Images of digits that people can read and programs cannot."""

from desk.captcha.images.drawing import HEIGHT, WIDTH, draw_digits

__all__ = ["HEIGHT", "WIDTH", "draw_digits"]
