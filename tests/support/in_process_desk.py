"""The embedded desk in the process of the test, with a client for each service."""

import asyncio
import contextlib
import ipaddress
import itertools
import os
from pathlib import Path
from unittest.mock import patch

import httpx
from support.background import BackgroundLoop
from support.embedded_desk import CAPTCHA_ANSWER

from desk.chassis.crypto import TokenIssuer, new_key_pair
from desk.chassis.service_tokens import ServiceTokens
from desk.local.app import create_app
from desk.local.keys import ServiceKeys
from desk.local.services import LocalSettings

PROVINCE = "isfahan"


_addresses = (str(ipaddress.IPv4Address("10.0.0.0") + number) for number in itertools.count(1))


class InProcessTransport(httpx.BaseTransport):
    """Passes requests to an app that runs in another thread's event loop. An exception of the app is raised.

    Each request comes from another address, so that the limits of a source do not end a test.
    """

    def __init__(self, app, loop: BackgroundLoop) -> None:
        self._app = app
        self._loop = loop

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._loop.run(self._pass_on(request))

    async def _pass_on(self, request: httpx.Request) -> httpx.Response:
        content = request.read()
        sent = httpx.Request(request.method, request.url, headers=request.headers, content=content)
        transport = httpx.ASGITransport(self._app, client=(next(_addresses), 40_000))
        response = await transport.handle_async_request(sent)
        body = b"".join([part async for part in response.aiter_raw()])  # the caller decodes it
        return httpx.Response(response.status_code, headers=response.headers, stream=httpx.ByteStream(body))


class InProcessDesk:
    """The embedded desk with its lifespan, and the keys with which services and a province sign."""

    def __init__(self, folder: Path) -> None:
        self.loop = BackgroundLoop()
        self.service_keys = ServiceKeys()
        pairs = {office: new_key_pair() for office in (PROVINCE, "headquarters")}
        self._office_keys = {office: private for office, (private, _) in pairs.items()}
        public = {office: public for office, (_, public) in pairs.items()}
        settings = LocalSettings(folder, captcha_answer=CAPTCHA_ANSWER, office_signing_keys=public)
        with patch.dict(os.environ, {"DESK_TRACKING_PUBLISHED_FIGURES": "offices"}):
            self.gateway = create_app(settings, self.service_keys)
        self._stop = asyncio.Event()
        self._running = self.loop.run(self._start())
        self.client = self.client_of(self.gateway)

    def client_of(self, app) -> httpx.Client:
        """Return a client that calls an app of the desk."""
        return httpx.Client(transport=InProcessTransport(app, self.loop), base_url="http://desk")

    def service_token(self, caller: str, callee: str) -> str:
        """Return the token with which a service calls another one."""
        auth = ServiceTokens(self.service_keys.pairs[caller][0], caller).auth_for(callee)
        request = next(auth.auth_flow(httpx.Request("POST", "http://desk")))
        return request.headers["Authorization"].removeprefix("Bearer ")

    def assertion(self, audience: str = "desk.files", *, office: str = PROVINCE, person: str = "") -> str:
        """Return a new assertion of an office, which names a person if there is one."""
        claims = {"act": {"sub": person}} if person else {}
        return TokenIssuer(self._office_keys[office], office).issue(claims, audience=audience, seconds=60)[0]

    async def _start(self) -> asyncio.Task[None]:
        started = asyncio.get_running_loop().create_future()

        async def run() -> None:
            async with self.gateway.lifespan():
                started.set_result(None)
                await self._stop.wait()

        task = asyncio.create_task(run())
        await asyncio.wait({task, started}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        return task

    def close(self) -> None:
        async def stop() -> None:
            self._stop.set()
            await self._running

        with contextlib.closing(self.loop):
            self.loop.run(stop())
