"""A program that recognises files, each in a process of its own with little memory and time.

The parsers read hostile input in C and C++. A file that makes them crash or fill the memory ends only that process.
Standard input: for each file 8 bytes of its length (big endian) and its content. Standard output: a line of JSON each,
``{"media_type"}`` or ``{"error", "detail"}`` with the name of a class of :mod:`desk.files.errors`.
"""

import io
import json
import os
import resource
import sys
from pathlib import Path

from desk.files.errors import FileDamagedError, FileError, FileTooComplexError
from desk.files.recognition import recognise

LENGTH_BYTES = 8
_MEMORY_BYTES = 80 * 1024 * 1024
"""Address space that checking one file may add."""
_CPU_SECONDS = 20


def main() -> None:
    """Recognise files until standard input ends."""
    while header := sys.stdin.buffer.read(LENGTH_BYTES):
        content = sys.stdin.buffer.read(int.from_bytes(header, "big"))
        sys.stdout.buffer.write(_in_own_process(content) + b"\n")
        sys.stdout.buffer.flush()


def _in_own_process(content: bytes) -> bytes:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            os.write(writing, _verdict(content))
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as results:
        verdict = results.read()
    os.waitpid(child, 0)
    return verdict or _error(FileTooComplexError("the check needs too much memory or time, or crashes"))


def _verdict(content: bytes) -> bytes:
    _limit_resources()
    try:
        media_type = recognise(io.BytesIO(content))
    except FileError as error:
        return _error(error)
    except (MemoryError, RecursionError) as error:
        return _error(FileTooComplexError(type(error).__name__))
    except Exception as error:  # noqa: BLE001 - a fault of a parser; its text may hold content
        return _error(FileDamagedError(type(error).__name__))
    return json.dumps({"media_type": media_type}).encode()


def _error(error: FileError) -> bytes:
    return json.dumps({"error": type(error).__name__, "detail": str(error)}).encode()


def _limit_resources() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sizes = Path("/proc/self/statm")
    if sizes.exists():  # Linux: elsewhere the present size is unknown
        present = int(sizes.read_text(encoding="ascii").split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (present + _MEMORY_BYTES, present + _MEMORY_BYTES))


if __name__ == "__main__":
    main()
