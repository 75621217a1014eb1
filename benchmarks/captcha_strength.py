"""How many pictures programs can read: the desk's, and those of the ``captcha`` package with its defaults.

Two readers, 1,000 new pictures each: Debian's tesseract, and a small network trained here on generated examples.
``--examples``, ``--seconds`` and ``--pictures`` set the amount and time of training, and the number of pictures.
"""

import argparse
import io
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
from benchmarks.reader import Floats, Reader, edges
from captcha.image import ImageCaptcha
from PIL import Image

from desk.captcha.images import draw_digits
from desk.iran.digits import to_ascii

Draw = Callable[[str], bytes]

TESSERACT_MAY = 0.01
PARALLEL = 25


class Way(NamedTuple):
    """Options of tesseract: its language, the allowed characters, one line (7) or one word (8)."""

    language: str
    letters: str
    mode: str


WAYS = [
    Way(language, letters, mode)
    for language, letters in (("fas", "۰۱۲۳۴۵۶۷۸۹"), ("eng", "0123456789"))
    for mode in ("7", "8")
]


def ours(answer: str) -> bytes:
    """Draw as the service does."""
    return draw_digits(answer, random.SystemRandom())


def defaults(answer: str) -> bytes:
    """Draw as the package does by default."""
    return ImageCaptcha().generate(answer).getvalue()


def example(draw_one: Draw) -> tuple[str, Floats, bytes]:
    """Draw a new picture; return its answer, its edges and the picture."""
    answer = f"{random.SystemRandom().randrange(100_000):05}"
    png = draw_one(answer)
    with Image.open(io.BytesIO(png)) as picture:
        return answer, edges(picture), png


def examples(draw_one: Draw, count: int) -> list[tuple[str, Floats, bytes]]:
    """Draw many, on every core."""
    with ProcessPoolExecutor(os.cpu_count()) as cores:
        return list(cores.map(example, [draw_one] * count, chunksize=50))


def learnt_rate(draw_one: Draw, count: int, seconds: float, fresh: Sequence[tuple[str, Floats, bytes]]) -> float:
    """Train a reader; return the share of new pictures that it reads without a mistake."""
    taught = examples(draw_one, count)
    reader = Reader(taught[0][1].size)
    reader.learn(np.stack([seen for _, seen, _ in taught]), _digits(taught), seconds)
    found = reader.read(np.stack([seen for _, seen, _ in fresh]))
    return float((found == _digits(fresh)).all(axis=1).mean())


def tesseract_rate(fresh: Sequence[tuple[str, Floats, bytes]]) -> float:
    """Return the share of pictures that tesseract reads with its best options."""
    answers = [answer for answer, _, _ in fresh]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as threads:
        paths = [Path(folder, f"{number}.png") for number in range(len(fresh))]
        for path, (_, _, png) in zip(paths, fresh, strict=True):
            path.write_bytes(png)
        some = [paths[start : start + PARALLEL] for start in range(0, len(paths), PARALLEL)]
        return max(_right(answers, list(chain(*threads.map(partial(_tesseract, way), some)))) for way in WAYS)


def _tesseract(way: Way, paths: Sequence[Path]) -> list[str]:
    """Let tesseract read some pictures; after a crash the result is empty."""
    listed = paths[0].with_suffix(".txt")
    listed.write_text("\n".join(map(str, paths)))
    command = ["tesseract", str(listed), "-", "-l", way.language, "--psm", way.mode]
    command += ["-c", f"tessedit_char_whitelist={way.letters}"]
    done = subprocess.run(  # noqa: S603 - Debian's own
        command, check=False, capture_output=True, text=True, env=os.environ | {"OMP_THREAD_LIMIT": "1"}
    )
    if done.returncode == 0:
        return [re.sub(r"\D", "", to_ascii(page)) for page in done.stdout.split("\f")][: len(paths)]
    if len(paths) == 1:
        return [""]
    half = len(paths) // 2
    return _tesseract(way, paths[:half]) + _tesseract(way, paths[half:])


def _right(answers: Sequence[str], found: Sequence[str]) -> float:
    return sum(map(str.__eq__, answers, found)) / len(answers)


def _digits(drawn: Sequence[tuple[str, Floats, bytes]]) -> np.ndarray:
    return np.array([[int(digit) for digit in answer] for answer, _, _ in drawn])


def main() -> int:
    """Print the rates of both readers for both kinds of picture; return 1 if the desk's are read too well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=300, help="of learning, for each kind of picture")
    parser.add_argument("--pictures", type=int, default=1_000)
    options = parser.parse_args()
    if shutil.which("tesseract") is None:
        sys.exit("tesseract is missing; apt-get install tesseract-ocr tesseract-ocr-fas")
    rates = {}
    for name, draw_one in (("the captcha package's defaults", defaults), ("ours", ours)):
        fresh = examples(draw_one, options.pictures)
        rates[name] = tesseract_rate(fresh), learnt_rate(draw_one, options.examples, options.seconds, fresh)
        print(f"{name:32} tesseract {rates[name][0]:6.1%}   learnt reader {rates[name][1]:6.1%}", flush=True)
    (_, learnt_defaults), (read, learnt) = rates.values()
    return int(read >= TESSERACT_MAY or learnt >= learnt_defaults / 2)


if __name__ == "__main__":
    sys.exit(main())
