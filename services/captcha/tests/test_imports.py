"""captcha has no database and no broker, so a process of it has none of their libraries in memory."""

import subprocess
import sys

PROGRAM = "import sys, desk.captcha.main; print(*{'sqlalchemy', 'asyncpg', 'aio_pika'} & sys.modules.keys())"


def test_captcha_imports_no_library_of_a_database_or_a_broker():
    found = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)  # noqa: S603 - our own text
    assert found.stdout.split() == []
