"""Spoken challenges: their sound, and how they are issued and answered."""

import io
import random
import wave
from importlib.resources import files

import numpy as np
import pytest

from desk.captcha.sounds import RATE, speak_digits


@pytest.fixture
def ask(client):
    async def ask(purpose: str = "track") -> dict:
        issued = await client.post("/api/captchas", json={"purpose": purpose, "kind": "sound"})
        assert issued.status_code == 201, issued.text
        return issued.json()

    return ask


def samples_of(wav: bytes) -> np.ndarray:
    with wave.open(io.BytesIO(wav)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 1, RATE)
        return np.frombuffer(file.readframes(file.getnframes()), np.uint8).astype(float) - 128


async def test_a_spoken_challenge_is_a_wav_that_can_be_downloaded_repeatedly(ask, client):
    asked = await ask()
    assert set(asked) == {"id", "kind", "expires_at", "sound"}
    assert asked["sound"] == f"/api/captchas/{asked['id']}/sound"

    first, again = [await client.get(asked["sound"]) for _ in range(2)]

    assert first.status_code == 200
    assert first.headers["content-type"] == "audio/wav"
    assert first.headers["cache-control"] == "no-store"
    assert 3 < len(samples_of(first.content)) / RATE < 9
    assert first.content == again.content


async def test_a_sound_is_answered_like_an_image(ask, answer):
    asked = await ask("track")

    assert (await answer(asked["id"], "11111", purpose="track")).json()["code"] == "captcha_wrong"
    assert (await answer(asked["id"], "۴۰۹۶۷", purpose="track")).status_code == 200
    assert (await answer(asked["id"], purpose="track", claim="second")).json()["code"] == "captcha_expired"


async def test_an_image_has_no_sound(issue, client):
    gone = await client.get(f"/api/captchas/{await issue()}/sound")

    assert (gone.status_code, gone.json()["code"]) == (404, "captcha_sound_gone")


@pytest.mark.parametrize("captcha", ["AAAAAAAAAAAAAAAAAAAAAA", "x", "*", "%00"])
async def test_an_unknown_sound_is_not_found(client, captcha):
    assert (await client.get(f"/api/captchas/{captcha}/sound")).json()["code"] == "captcha_sound_gone"


async def test_a_sound_expires_with_its_challenge(ask, redis):
    asked = await ask()

    assert 240 < await redis.ttl(f"captcha-sound:{asked['id']}") <= 300


async def test_without_redis_no_sound_is_returned(ask, client, server):
    asked = await ask()
    server.connected = False

    assert (await client.get(asked["sound"])).status_code == 503


def test_no_two_sounds_are_alike():
    chance = random.SystemRandom()

    assert len({speak_digits("12345", chance) for _ in range(20)}) == 20


@pytest.mark.parametrize("answer", ["00000", "44444", "98765"])
@pytest.mark.parametrize("seed", range(5))
def test_a_sound_is_loud_and_hardly_clipped(answer, seed):
    samples = samples_of(speak_digits(answer, random.Random(seed)))  # noqa: S311 - no person has to guess it

    assert np.abs(samples).max() > 80
    assert (np.abs(samples) >= 127).mean() < 0.001


def test_speech_stays_well_above_the_noise_between_the_words():
    chance = random.Random(1)  # noqa: S311
    whole = samples_of(speak_digits("40967", chance))
    lead = whole[: RATE // 3]

    assert np.sqrt((whole**2).mean()) > 2 * np.sqrt((lead**2).mean())


def test_the_clips_are_small_and_complete():
    voices = list(files("desk.captcha").joinpath("clips").iterdir())
    clips = [clip.read_bytes() for voice in voices for clip in voice.iterdir()]

    assert len(voices) >= 5
    assert [sorted(clip.name for clip in voice.iterdir()) for voice in voices] == [
        [f"{digit}.wav" for digit in range(10)]
    ] * len(voices)
    assert sum(map(len, clips)) <= 300 * 1024
    assert len(set(clips)) == len(clips)
