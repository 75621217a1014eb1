"""The named limit: what FastAPI, joserfc, httpx and SQLAlchemy need for a submission, without code of the desk.

It verifies a token, parses a form with the same fields, asks a peer about the security code, and makes the two inserts
of ``bare.py`` in one transaction. Everything else in intake (rules, encryption, blind indexes, events, log, metrics,
relay) is code that the desk can make faster; the time of this app is the cost of the libraries.
"""

import uuid
from typing import Annotated

import httpx
from fastapi import FastAPI, Header
from joserfc import jwt
from joserfc.jwk import OKPKey
from pydantic import BaseModel
from sqlalchemy import Column, LargeBinary, MetaData, String, Table, insert
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine

_metadata = MetaData()
_TABLES = [
    Table(name, _metadata, Column("id", String, primary_key=True), Column("body", LargeBinary))
    for name in ("named_request", "named_outbox")
]
_INSERTS = [insert(table) for table in _TABLES]


class _Captcha(BaseModel):
    id: str
    answer: str


class _Form(BaseModel):
    province: str
    mobile: str
    email: str | None = None
    subject: str
    sub_subject: str
    text: str
    attachments: list[str] = []
    captcha: _Captcha


class Named:
    """The app and its open resources."""

    def __init__(self, engine: AsyncEngine, public_key: str, captcha: httpx.AsyncClient) -> None:
        self._engine = engine
        self.app = FastAPI()
        key, sessions = OKPKey.import_key(public_key), async_sessionmaker(engine, expire_on_commit=False)

        @self.app.post("/api/requests", status_code=201)
        async def submit(form: _Form, authorization: Annotated[str, Header()]) -> dict[str, str]:
            claims = jwt.decode(authorization.removeprefix("Bearer "), key, algorithms=["Ed25519"]).claims
            answer = {"answer": form.captcha.answer, "claim": claims["jti"]}
            (await captcha.post(f"/internal/captchas/{form.captcha.id}/answers", json=answer)).raise_for_status()
            request_id = str(uuid.uuid4())
            row = {"id": request_id, "body": form.model_dump_json().encode()}
            async with sessions() as session, session.begin():
                for statement in _INSERTS:
                    await session.execute(statement, row)
            return {"id": request_id}

    async def close(self) -> None:
        """Close the store."""
        await self._engine.dispose()


async def on_store(url: str, public_key: str, captcha: httpx.AsyncClient) -> Named:
    """Use the store at ``url``, with as many connections as intake."""
    engine = create_async_engine(url, pool_size=10, max_overflow=0)
    async with engine.begin() as connection:
        await connection.run_sync(_metadata.create_all)
    return Named(engine, public_key, captcha)
