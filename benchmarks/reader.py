"""A small neural network that reads five-digit pictures: oriented edges and one hidden layer."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]
Digits = NDArray[np.int64]

WIDTH, HEIGHT = 120, 40
CELL, DIRECTIONS = 5, 8
PLACES = 5
HIDDEN = 640
BATCH = 128
DROPPED = 0.35


def edges(picture: Image.Image) -> Floats:
    """Reduce a picture to the strength of its edges in eight directions, cell by cell."""
    grey = picture.convert("L").resize((WIDTH, HEIGHT), Image.Resampling.BOX)
    rise, run = np.gradient(np.asarray(grey, np.float32) / 255)
    strength = np.hypot(rise, run)
    direction = ((np.arctan2(rise, run) % np.pi) / np.pi * DIRECTIONS).astype(int) % DIRECTIONS
    planes = (np.arange(DIRECTIONS)[:, None, None] == direction) * strength
    cells = planes.reshape(DIRECTIONS, HEIGHT // CELL, CELL, WIDTH // CELL, CELL).sum(axis=(2, 4))
    found: Floats = (cells / (np.sqrt((cells**2).sum(axis=0)) + 0.1)).ravel().astype(np.float32)
    return found


@dataclass(slots=True)
class _Slope:
    """The state of Adam for one layer."""

    first: Floats
    second: Floats


class Reader:
    """Two layers: edges → hidden → ten digits for each of five places."""

    def __init__(self, size: int, seed: int = 1) -> None:
        self._chance = np.random.default_rng(seed)
        self._layers = [self._layer(size, HIDDEN), self._layer(HIDDEN, PLACES * 10)]
        self._slopes = [_Slope(np.zeros_like(layer), np.zeros_like(layer)) for layer in self._layers]
        self._steps = 0

    def learn(self, seen: Floats, answers: Digits, seconds: float, rounds: int = 60) -> int:
        """Train for ``rounds`` over all examples or for ``seconds``; return the number of rounds."""
        end = time.monotonic() + seconds
        for done in range(rounds):
            if time.monotonic() > end:
                return done
            rate = 1e-3 * (1 - done / rounds)
            for some in self._batches(len(seen)):
                self._step(seen[some], answers[some], rate)
        return rounds

    def read(self, seen: Floats) -> Digits:
        """Return five digits for each picture."""
        hidden = np.maximum(_with_one(seen) @ self._layers[0], 0)
        found: Digits = (_with_one(hidden) @ self._layers[1]).reshape(-1, PLACES, 10).argmax(axis=2)
        return found

    def _layer(self, inputs: int, outputs: int) -> Floats:
        layer: Floats = self._chance.normal(0, np.sqrt(2 / inputs), (inputs + 1, outputs)).astype(np.float32)
        return layer

    def _batches(self, count: int) -> Iterator[NDArray[np.int64]]:
        order = self._chance.permutation(count)
        for start in range(0, count, BATCH):
            yield order[start : start + BATCH]

    def _step(self, seen: Floats, answers: Digits, rate: float) -> None:
        inputs = _with_one(seen)
        raw = np.maximum(inputs @ self._layers[0], 0)
        kept = (self._chance.random(raw.shape, np.float32) > DROPPED) / np.float32(1 - DROPPED)
        hidden = _with_one(raw * kept)
        scores = (hidden @ self._layers[1]).reshape(-1, PLACES, 10)
        likely = np.exp(scores - scores.max(axis=2, keepdims=True))
        likely /= likely.sum(axis=2, keepdims=True)
        np.put_along_axis(likely, answers[..., None], np.take_along_axis(likely, answers[..., None], 2) - 1, 2)
        fault = likely.reshape(len(seen), -1) / len(seen)
        back = (fault @ self._layers[1][:-1].T) * kept * (raw > 0)
        self._steps += 1
        for place, slope in ((1, hidden.T @ fault), (0, inputs.T @ back)):
            self._move(place, slope, rate)

    def _move(self, place: int, slope: Floats, rate: float) -> None:
        memory = self._slopes[place]
        memory.first += (slope - memory.first) * np.float32(0.1)
        memory.second += (slope**2 - memory.second) * np.float32(0.001)
        first = memory.first / (1 - 0.9**self._steps)
        second = memory.second / (1 - 0.999**self._steps)
        self._layers[place] -= np.float32(rate) * (first / (np.sqrt(second) + 1e-8)).astype(np.float32)


def _with_one(values: Floats) -> Floats:
    return np.concatenate([values, np.ones((len(values), 1), np.float32)], axis=1)
