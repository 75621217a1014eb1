import io
import random

import pytest
from PIL import Image

from desk.captcha.domain import choose_answer
from desk.captcha.images import HEIGHT, WIDTH, draw_digits, drawing
from desk.captcha.images.strokes import DIGITS

PALETTE = drawing._PALETTE


def test_the_same_seed_draws_the_same_image():
    assert draw_digits("01234", seeded(7)) == draw_digits("01234", seeded(7))
    assert draw_digits("01234", seeded(7)) != draw_digits("01234", seeded(8))


@pytest.mark.parametrize("seed", range(20))
def test_an_image_is_small_dark_on_light_and_has_no_metadata(seed):
    chance = seeded(seed)

    png = draw_digits(f"{chance.randrange(100_000):05}", chance)

    assert len(png) < 12 * 1024
    with Image.open(io.BytesIO(png)) as picture:
        picture.verify()  # the checksum of each chunk
    with Image.open(io.BytesIO(png)) as picture:
        assert (picture.format, picture.mode, picture.size) == ("PNG", "P", (WIDTH, HEIGHT))
        assert picture.palette.palette[:48] == PALETTE
        assert picture.info == {}
        darkness = picture.convert("L").histogram()
    assert 0.05 < sum(darkness[:60]) / (WIDTH * HEIGHT) < 0.25
    assert sum(darkness[240:]) / (WIDTH * HEIGHT) > 0.7


def test_strokes_are_bent_to_their_place_and_size():
    bend = drawing._bend((240, 80), 100, Middle())

    corners = bend(((0.5, 0.5), (0, 0.5), (1, 0.5), (0.5, 0), (0.5, 1)))

    assert [(round(x, 6), round(y, 6)) for x, y in corners] == [(240, 80), (203, 80), (277, 80), (240, 30), (240, 130)]


class Middle(random.Random):
    """Chooses the middle of every range: no rotation, no slant, the usual width."""

    def uniform(self, a, b):
        return (a + b) / 2


def test_all_ten_digits_are_within_the_unit_square():
    assert sorted(DIGITS) == list("0123456789")
    for strokes in DIGITS.values():
        assert all(0 <= point.x <= 1 and 0 <= point.y <= 1 for stroke in strokes for point in stroke)


def test_answers_are_five_digits_and_differ():
    answers = [choose_answer() for _ in range(1000)]

    assert all(len(answer) == 5 and answer.isascii() and answer.isdecimal() for answer in answers)
    assert len(set(answers)) > 950


def seeded(seed):
    return random.Random(seed)  # noqa: S311 - no person has to guess it
