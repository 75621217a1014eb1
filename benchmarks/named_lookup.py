"""The named limit of a look-up: the cost of FastAPI, redis, httpx, SQLAlchemy and joserfc, without code of the desk.

It counts the look-up in Redis, asks the registry, writes one row in its own transaction, and signs a token. Everything
else in registry-gateway (rate limits, quota, sharing of equal look-ups, breaker, chained ledger, log, metrics) is
code of the desk.
"""

import argparse
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from xml.etree.ElementTree import Element

import httpx
import uvicorn
from defusedxml.ElementTree import fromstring
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import OKPKey
from pydantic import BaseModel
from redis.asyncio import Redis
from sqlalchemy import Column, MetaData, String, Table, insert
from sqlalchemy.ext.asyncio import create_async_engine

_metadata = MetaData()
_LOOKUP = Table(
    "named_lookup", _metadata, Column("id", String, primary_key=True), Column("outcome", String, nullable=False)
)


class _Query(BaseModel):
    national_id: str
    birth_date: str


class _Answer(BaseModel):
    name: str
    token: str


def create_app(registry: str, password: str, database: str, redis_url: str, envelope: str) -> FastAPI:
    """Build the app for the registry at this address. ``envelope`` is the SOAP call with two placeholders."""
    engine, redis, key = create_async_engine(database), Redis.from_url(redis_url), OKPKey.generate_key("Ed25519")

    @asynccontextmanager
    async def open_and_close(app: FastAPI) -> AsyncIterator[None]:
        async with engine.begin() as connection:
            await connection.run_sync(_metadata.create_all)
        async with httpx.AsyncClient(auth=("desk", password), trust_env=False) as app.state.http:
            yield
        await engine.dispose()
        await redis.aclose()

    app = FastAPI(lifespan=open_and_close)

    @app.post("/api/identities")
    async def identify(query: _Query) -> _Answer:
        await redis.incr("named:asked")
        body = envelope.format(birth_date=query.birth_date.replace("-", ""), nin=query.national_id)
        answer = await app.state.http.post(registry, content=body.encode(), headers={"Content-Type": "text/xml"})
        root: Element = fromstring(answer.raise_for_status().content)
        name = next(element.text for element in root.iter() if element.tag.endswith("name")) or ""
        async with engine.begin() as connection:
            await connection.execute(insert(_LOOKUP), {"id": str(uuid.uuid4()), "outcome": "matched"})
        return _Answer(name=name, token=jwt.encode({"alg": "Ed25519"}, {"sub": query.national_id}, key, ["Ed25519"]))

    return app


def main() -> None:
    """Serve the app."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("settings", help="the arguments of create_app as JSON")
    options = parser.parse_args()
    app = create_app(**json.loads(options.settings))
    uvicorn.run(app, port=options.port, log_level="critical", access_log=False)


if __name__ == "__main__":
    main()
