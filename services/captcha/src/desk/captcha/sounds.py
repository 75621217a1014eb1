"""Makes a sound of an answer: spoken Persian digits in several voices, with noise of reversed speech and hiss."""

import audioop
import io
import random
import wave
from functools import cache
from importlib.resources import files

RATE = 11_025
"""Samples per second, of one byte each: a little more than telephone quality."""

_WIDTH = 2
"""Bytes of a sample while a sound is mixed. ``bytes`` of this module are signed samples of this width."""
_QUIET_SECONDS = 0.5
_MURMUR, _HISS = 0.12, 0.028
"""Peaks relative to that of a digit; speech is about 12 dB above both together."""


@cache
def _voices() -> tuple[tuple[bytes, ...], ...]:
    """Read the clips once: ten digits of each voice."""
    folders = sorted((each for each in files("desk.captcha").joinpath("clips").iterdir()), key=lambda each: each.name)
    return tuple(
        tuple(_read(folder.joinpath(f"{digit}.wav").read_bytes()) for digit in range(10)) for folder in folders
    )


def speak_digits(answer: str, chance: random.Random) -> bytes:
    """Return a WAV of ``answer`` (ASCII digits) spoken in Persian. ``chance`` decides voices, speed and noise."""
    parts = [_silence(_QUIET_SECONDS)]
    for digit in answer:
        clip = chance.choice(_voices())[int(digit)]
        parts += [_scale(_at_speed(clip, chance.uniform(0.88, 1.14)), chance.uniform(0.75, 1))]
        parts += [_silence(chance.uniform(0.35, 0.65))]
    spoken = b"".join(parts)
    noise = _add(_scale(_murmur(len(spoken), chance), _MURMUR), _scale(chance.randbytes(len(spoken)), _HISS))
    return _wav(_add(_scale(spoken, 0.8), noise))


def _murmur(length: int, chance: random.Random) -> bytes:
    """Mix clips of the same voices, reversed and at other speeds, so that nothing in it can be understood."""
    murmur = bytearray(length)
    for _ in range(length // (_WIDTH * RATE // 4)):
        clip = _at_speed(chance.choice(chance.choice(_voices())), chance.uniform(0.7, 1.4))
        clip = _scale(audioop.reverse(clip, _WIDTH), chance.uniform(0.4, 1))
        start = chance.randrange(0, max(_WIDTH, length - len(clip)), _WIDTH)
        part = slice(start, start + len(clip))
        murmur[part] = _add(bytes(murmur[part]), clip[: length - start])
    return bytes(murmur)


def _at_speed(clip: bytes, speed: float) -> bytes:
    """Change the speed of a clip, and its pitch with it."""
    return audioop.ratecv(clip, _WIDTH, 1, round(RATE * speed), RATE, None)[0]


def _silence(seconds: float) -> bytes:
    return bytes(_WIDTH * round(seconds * RATE))


def _scale(sound: bytes, factor: float) -> bytes:
    return audioop.mul(sound, _WIDTH, factor)


def _add(one: bytes, other: bytes) -> bytes:
    """Mix two sounds of the same length. A sum outside of the range is clipped."""
    return audioop.add(one, other, _WIDTH)


def _read(wav: bytes) -> bytes:
    with wave.open(io.BytesIO(wav)) as file:
        unsigned = file.readframes(file.getnframes())
    return audioop.lin2lin(audioop.bias(unsigned, 1, 128), 1, _WIDTH)


def _wav(sound: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((1, 1, RATE, 0, "NONE", ""))
        out.writeframes(audioop.bias(audioop.lin2lin(sound, _WIDTH, 1), 1, 128))
    return file.getvalue()
