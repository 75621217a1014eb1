"""Runs :mod:`desk.files.checker` and asks it what files are."""

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from typing import IO, BinaryIO, cast

from desk.files import errors
from desk.files.checker import LENGTH_BYTES
from desk.files.errors import FileError, FileTooComplexError

_CHUNK_BYTES = 64 * 1024


class IsolatedRecogniser:
    """Recognises files in another process, one at a time; starts it for the first file, and again if it has ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process, if one was started."""
        return self._process.pid if self._process is not None else None

    def close(self) -> None:
        """End the process; it ends with this one in any case."""
        with self._lock:
            self._end()

    def recognise(self, content: BinaryIO) -> str:
        """Return the media type of a complete file. Raises the errors of :func:`desk.files.recognition.recognise`."""
        with self._lock:
            try:
                line = self._ask(content)
            except BrokenPipeError:  # it was ended from outside since the last file
                line = self._ask(content)
        if not line:
            self.close()
            raise FileTooComplexError("the process that checks files has ended")
        verdict = json.loads(line)
        if "error" in verdict:
            raise _error(verdict["error"], verdict["detail"])
        return str(verdict["media_type"])

    def _ask(self, content: BinaryIO) -> bytes:
        process = self._running()
        to_process, from_process = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        try:
            to_process.write(content.seek(0, os.SEEK_END).to_bytes(LENGTH_BYTES, "big"))
            content.seek(0)
            while chunk := content.read(_CHUNK_BYTES):
                to_process.write(chunk)
            to_process.flush()
            return from_process.readline()
        except BaseException:  # it may wait for the rest of this file
            self._end()
            raise

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self._end()
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "desk.files.checker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):  # what it has not read is discarded
                    pipe.close()
        process.wait()


def _error(name: str, detail: str) -> FileError:
    kind = getattr(errors, name, None)
    if isinstance(kind, type) and issubclass(kind, FileError):
        return kind(detail)
    return FileTooComplexError(detail)
