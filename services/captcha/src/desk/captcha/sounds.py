"""Makes a sound of an answer: spoken Persian digits in several voices, with noise of reversed speech and hiss."""

import io
import random
import wave
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float32]

RATE = 11_025
"""Samples per second, of one byte each: a little more than telephone quality."""

_QUIET_SECONDS = 0.5
_MURMUR, _HISS = 0.12, 0.016
"""Loudness relative to the peak of a digit; speech is about 12 dB above both together."""


@cache
def _voices() -> tuple[tuple[Sound, ...], ...]:
    """Read the clips once: ten digits of each voice, as samples between -1 and 1."""
    folders = sorted((each for each in files("desk.captcha").joinpath("clips").iterdir()), key=lambda each: each.name)
    return tuple(
        tuple(_read(folder.joinpath(f"{digit}.wav").read_bytes()) for digit in range(10)) for folder in folders
    )


def speak_digits(answer: str, chance: random.Random) -> bytes:
    """Return a WAV of ``answer`` (ASCII digits) spoken in Persian. ``chance`` decides voices, speed and noise."""
    parts = [_silence(_QUIET_SECONDS)]
    for digit in answer:
        clip = chance.choice(_voices())[int(digit)]
        parts += [_at_speed(clip, chance.uniform(0.88, 1.14)) * _factor(chance.uniform(0.75, 1))]
        parts += [_silence(chance.uniform(0.35, 0.65))]
    spoken = np.concatenate(parts)
    noise = _murmur(len(spoken), chance) * _factor(_MURMUR) + _hiss(len(spoken), chance) * _factor(_HISS)
    return _wav(spoken * _factor(0.8) + noise)


def _murmur(length: int, chance: random.Random) -> Sound:
    """Mix clips of the same voices, reversed and at other speeds, so that nothing in it can be understood."""
    murmur = np.zeros(length, np.float32)
    for _ in range(length // (RATE // 4)):
        clip = _at_speed(chance.choice(chance.choice(_voices())), chance.uniform(0.7, 1.4))[::-1]
        start = chance.randrange(max(1, length - len(clip)))
        murmur[start : start + len(clip)] += clip[: length - start] * _factor(chance.uniform(0.4, 1))
    return murmur


def _hiss(length: int, chance: random.Random) -> Sound:
    hiss: Sound = np.random.default_rng(chance.getrandbits(64)).standard_normal(length, np.float32)
    return hiss


def _at_speed(clip: Sound, speed: float) -> Sound:
    """Change the speed of a clip, and its pitch with it."""
    positions = np.arange(0, len(clip) - 1, speed)
    stretched: Sound = np.interp(positions, np.arange(len(clip)), clip).astype(np.float32)
    return stretched


def _silence(seconds: float) -> Sound:
    return np.zeros(round(seconds * RATE), np.float32)


def _factor(value: float) -> np.float32:
    return np.float32(value)


def _read(wav: bytes) -> Sound:
    with wave.open(io.BytesIO(wav)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.uint8)
    return ((samples.astype(np.float32) - 128) / 128).astype(np.float32)


def _wav(sound: Sound) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((1, 1, RATE, 0, "NONE", ""))
        out.writeframes(np.clip(np.round(sound * 127 + 128), 0, 255).astype(np.uint8).tobytes())
    return file.getvalue()
