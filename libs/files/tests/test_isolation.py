"""Files are examined in another process, whose end harms nothing but the file that it examines."""

import io
import os
import signal

import psutil
import pytest

from desk.files.errors import FileError, FileTooComplexError, FileTypeForbiddenError
from desk.files.isolation import IsolatedRecogniser
from desk.testing.hostile_files import bomb_in_object_stream, hostile_files, png_image


@pytest.fixture
def recogniser():
    made = IsolatedRecogniser()
    yield made
    made.close()


def process_of(recogniser):
    return psutil.Process(recogniser.pid)


def test_one_process_recognises_one_file_after_the_other(recogniser):
    assert recogniser.recognise(io.BytesIO(png_image())) == "image/png"
    first = recogniser.pid
    with pytest.raises(FileTypeForbiddenError):
        recogniser.recognise(io.BytesIO(b"MZ"))

    assert recogniser.recognise(io.BytesIO(png_image())) == "image/png"
    assert recogniser.pid == first


def test_a_process_that_was_ended_is_started_again(recogniser):
    recogniser.recognise(io.BytesIO(png_image()))
    process = process_of(recogniser)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)

    assert recogniser.recognise(io.BytesIO(png_image())) == "image/png"


def test_a_file_that_needs_too_much_memory_is_refused_and_the_next_one_is_served(recogniser):
    with pytest.raises(FileTooComplexError):
        recogniser.recognise(io.BytesIO(bomb_in_object_stream()))

    assert recogniser.recognise(io.BytesIO(png_image())) == "image/png"


def test_no_content_stays_in_the_process_as_files_pass(recogniser):
    recogniser.recognise(io.BytesIO(png_image()))
    before = process_of(recogniser).memory_info().rss

    for hostile in hostile_files().values():
        with pytest.raises(FileError):
            recogniser.recognise(io.BytesIO(hostile.content))

    assert process_of(recogniser).memory_info().rss < before + 16 * 1024 * 1024
    assert not process_of(recogniser).children()
