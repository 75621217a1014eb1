"""What the apps and databases of a test run share (``tests/support``) changes nothing for the tests."""

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from sqlalchemy import column, insert, select, table
from sqlalchemy.sql.compiler import SQLCompiler

from desk.database import Database

router = APIRouter()
notes = table("note", column("words"))


@router.get("/name/{number}")
async def name(request: Request, number: int) -> str:
    return f"{request.app.state.name} {number}"


async def answer(app, path):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app") as client:
        return await client.get(path)


async def test_apps_that_share_routes_keep_their_own_state_and_prefix():
    for called, prefix in (("first", ""), ("second", ""), ("third", "/api")):
        app = FastAPI()
        app.state.name = called
        app.include_router(router, prefix=prefix)

        assert (await answer(app, f"{prefix}/name/7")).json() == f"{called} 7"
        assert (await answer(app, f"{prefix}/name/x")).status_code == 422
        assert (await answer(app, f"{prefix or '/api'}/name")).status_code == 404


@pytest.fixture
def compiled(monkeypatch):
    """The statements that were compiled."""
    seen, compile_statement = [], SQLCompiler.__init__

    def noting(self, dialect, statement, *given, **named):
        seen.append(str(type(statement).__name__))
        compile_statement(self, dialect, statement, *given, **named)

    monkeypatch.setattr(SQLCompiler, "__init__", noting)
    return seen


async def test_databases_that_share_statements_keep_their_own_rows(tmp_path, compiled):
    for words in ("first", "second"):
        database = Database(f"sqlite+aiosqlite:///{tmp_path / words}.db")
        async with database.engine.begin() as connection:
            await connection.exec_driver_sql("CREATE TABLE note (words TEXT)")
        async with database.transaction() as session:
            await session.execute(insert(notes).values(words=words))
            assert (await session.execute(select(notes.c.words))).scalars().all() == [words]
        await database.close()
    assert (compiled.count("Insert"), compiled.count("Select")) == (1, 1)
