"""A console on SQLite, and browsers on its pages."""

import httpx
import pytest
from argon2 import PasswordHasher
from support.console_service import Browser, ConsoleFixture

from desk.console.app import Parts, create_app
from desk.console.encryption import new_key
from desk.console.service import sign_in
from desk.console.settings import Settings
from desk.testing.databases import copy_of, migrated_file


@pytest.fixture(autouse=True)
def _cheap_passwords(monkeypatch):
    """Hash passwords in a millisecond; the production parameters take a hundred, for an unknown user name too."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(sign_in, "hasher", cheap)
    monkeypatch.setattr(sign_in, "_DUMMY_HASH", cheap.hash("of no account"))


@pytest.fixture(scope="session")
def migrated_console(tmp_path_factory):
    """An SQLite database of the console, of which each test gets a copy."""
    return migrated_file(tmp_path_factory.mktemp("migrated"), "desk.console")


@pytest.fixture
async def console(migrated_console, tmp_path):
    console = ConsoleFixture(copy_of(migrated_console, tmp_path / "console.sqlite3"))
    yield console
    await console.database.close()


@pytest.fixture
async def browse(console):
    """Open browsers on the console's pages; without the code of a device unless it is asked for."""
    clients = []

    def begin(*, second_factor=False, **given):
        settings = Settings(keys=new_key(), second_factor=second_factor, **given)
        app = create_app(
            settings, parts=Parts(console.database, console.encryption, console.clients, clock=console.clock)
        )
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="https://console", follow_redirects=True
        )
        clients.append(client)
        return Browser(client, app)

    yield begin
    for client in clients:
        await client.aclose()
