"""A console to test, and browsers at its pages."""

import httpx
import pytest
from support.console_service import Browser, House

from desk.console.app import Parts, create_app
from desk.console.seal import new_key
from desk.console.settings import Settings
from desk.database import migrate


@pytest.fixture
async def house(tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path / 'console.sqlite3'}"
    await migrate("desk.console", url)
    house = House(url)
    yield house
    await house.database.close()


@pytest.fixture
async def browse(house):
    """Open browsers on the house's pages; without the code of a device unless it is asked for."""
    clients = []

    def begin(*, second_factor=False, metrics_token=None):
        settings = Settings(keys=new_key(), second_factor=second_factor, metrics_token=metrics_token)
        app = create_app(settings, parts=Parts(house.database, house.seal, house.lines, clock=house.clock))
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="https://console", follow_redirects=True
        )
        clients.append(client)
        return Browser(client, app)

    yield begin
    for client in clients:
        await client.aclose()
