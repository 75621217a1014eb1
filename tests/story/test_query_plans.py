"""No statement of a running service reads a whole table that grows with the number of requests.

The services record each statement that they execute, with its parameters, while a request passes through the desk and
the background tasks run. The plans are of PostgreSQL with some thousands of finished requests and fresh statistics.
There a small table would be scanned in any case, so scans are made as expensive as can be: one that is left has no
index that serves it.
"""

import asyncio
import json
import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.applicant import PDF
from support.embedded_desk import wait_for
from support.figures import read_figures
from support.finished_requests import Connection, fill, superuser
from support.privacy import privacy
from support.real_desk import WITH_DATABASE, RealDesk

ROWS = 3_000
SPAN = timedelta(hours=20)
"""All events are of the last day, so that pruning leaves them."""
GROWING = {
    "registry-gateway": {"lookup"},
    "intake": {
        "request",
        "attachment",
        "answer_file",
        "identity_check",
        "handover",
        "data_key",
        "outbox",
        "inbox",
        "audit_entry",
        "erasure",
        "erased_object",
    },
    "tracking": {
        "case",
        "step",
        "handover",
        "refusal",
        "data_key",
        "outbox",
        "inbox",
        "audit_entry",
        "erasure",
        "erasing_party",
        "roll_up",
    },
    "notifier": {"message", "attempt", "data_key", "outbox", "inbox", "erasure", "audit_entry"},
}
SMALL = {
    "registry-gateway": {"ledger_head"},
    "intake": {"audit_head", "catalog_version", "catalog_draft"},
    "tracking": {"audit_head", "silence", "figure", "probe"},
    "notifier": {"audit_head", "text_version", "text_draft"},
}
"""One row for an office, the head of a chain, a month's cases of one kind, a change by headquarters, or a minute of the
last hour."""
READ_WHOLE = {"intake": {"erased_object"}}
"""Counted as a metric. It has rows only until the object store has deleted the files of an erased request."""

RECORDING = """
import pickle
from sqlalchemy import event
from sqlalchemy.engine import Engine

seen, file = set(), open({file!r}, "ab", buffering=0)

@event.listens_for(Engine, "before_cursor_execute")
def record(connection, cursor, statement, parameters, context, executemany):
    if statement not in seen:
        seen.add(statement)
        file.write(pickle.dumps((statement, parameters[0] if executemany else parameters)))
"""


@dataclass
class Recorded:
    """The statements of each service, with the parameters of their first execution."""

    files: Mapping[str, Path]

    def of(self, service: str) -> dict[str, tuple[Any, ...]]:
        found: dict[str, tuple[Any, ...]] = {}
        with self.files[service].open("rb") as file:
            while file.peek(1):
                statement, parameters = pickle.load(file)  # noqa: S301 - written by our own services
                found[statement] = tuple(parameters)
        return {
            each: values
            for each, values in found.items()
            if each.split()[0] in {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"}
        }


@pytest.fixture
def recorded(clean_desk: RealDesk, tmp_path: Path) -> Recorded:
    """What the services execute while a request passes through the desk, in a desk with thousands of others."""
    fill(clean_desk, ROWS, SPAN)
    files = {name: tmp_path / name for name in WITH_DATABASE}
    for name, file in files.items():
        clean_desk[name].restart(RECORDING.format(file=str(file)))
    wait_for(clean_desk.is_served, 60)
    _use(clean_desk)
    return Recorded(files)


def _use(desk: RealDesk) -> None:
    """Let a request with files pass through everything that an applicant and an office can do, then erase it."""
    applicant, province = desk.applicant(8), desk.province
    code = desk.submit(8, attachments=[applicant.upload("گذرنامه.pdf", PDF)]).code
    wait_for(lambda: province.of(code))
    province.report(code, "case-info-requested", 1, question="شماره فیش شما چیست؟")
    token = applicant.sees(code, "info_requested")["token"]
    [listed] = applicant.own_requests("09120000008").json()["requests"]
    assert applicant.open_request(listed["token"]).status_code == 200
    assert applicant.change_contact(token, "09120000009").status_code == 200
    wait_for(lambda: province.of(code, "request-contact-changed"))
    file = applicant.upload_for_reply(token, "فیش.pdf", PDF).json()["id"]
    assert applicant.reply(token, "پیوست است.", [file]).status_code == 200
    assert applicant.registry_lookups(token)
    wait_for(lambda: province.of(code, "request-replied"))
    province.report(code, "case-answered", 2, text="روادید شما صادر شده است.")
    token = applicant.sees(code, "answered")["token"]
    assert applicant.object_to(token, "پاسخ درست نیست.").status_code == 200
    wait_for(lambda: province.of(code, "request-objected"))
    province.report(code, "case-answered", 2, text="شمارهٔ این گزارش استفاده شده است.")
    wait_for(lambda: desk.rows("tracking", "SELECT 1 FROM refusal WHERE tracking_code = $1", code))
    province.report(code, "case-referred", 3, province="qom", reason="ساکن استان دیگری هستید.")
    wait_for(lambda: desk.rows("intake", "SELECT 1 FROM handover WHERE province = 'qom'"))
    figures = read_figures(desk, "isfahan")
    assert figures["offices"][0]["requests"] >= ROWS
    privacy(desk, "erase", code, "--reason", "applicant")
    wait_for(lambda: desk.rows("intake", "SELECT 1 FROM erasure WHERE done_at IS NOT NULL"))
    wait_for(lambda: desk.rows("notifier", "SELECT 1 FROM erasure"))


@dataclass
class Plans:
    """The plans of one database, and its partial indexes."""

    connection: Connection
    growing: set[str]
    partial: set[str]

    async def reads_whole(self, statement: str, parameters: tuple[Any, ...]) -> list[str]:
        """Return the growing tables that a statement reads as a whole."""
        [plan] = json.loads(await self.connection.fetchval(f"EXPLAIN (FORMAT JSON) {statement}", *parameters))
        return [
            table
            for node in _nodes(plan["Plan"])
            if (table := node.get("Relation Name")) in self.growing and self._is_whole(node)
        ]

    def _is_whole(self, node: Mapping[str, Any]) -> bool:
        if node["Node Type"] == "Seq Scan":
            return True
        by_index = node["Node Type"] in {"Index Scan", "Index Only Scan"}
        return by_index and "Index Cond" not in node and node["Index Name"] not in self.partial


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from _nodes(each)


async def _plans(desk: RealDesk, service: str) -> Plans:
    connection = await superuser(desk, service)
    await connection.execute("SET enable_seqscan = off; SET plan_cache_mode = force_custom_plan")
    partial = await connection.fetch("SELECT indexrelid::regclass::text FROM pg_index WHERE indpred IS NOT NULL")
    return Plans(connection, GROWING[service] - READ_WHOLE.get(service, set()), {row[0] for row in partial})


async def _whole_reads(
    desk: RealDesk, service: str, statements: Mapping[str, tuple[Any, ...]], before: str = ""
) -> dict[str, list[str]]:
    """Return the statements that read a growing table as a whole; ``before`` is executed first, and rolled back."""
    plans = await _plans(desk, service)
    transaction = plans.connection.transaction()
    await transaction.start()
    try:
        if before:
            await plans.connection.execute(before)
        found = {each: await plans.reads_whole(each, values) for each, values in statements.items()}
    finally:
        await transaction.rollback()
        await plans.connection.close()
    return {statement: tables for statement, tables in found.items() if tables}


def test_no_statement_reads_a_growing_table_as_a_whole(clean_desk: RealDesk, recorded: Recorded):
    for service in WITH_DATABASE:
        tables = {
            row[0] for row in clean_desk.rows(service, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        }
        assert tables == GROWING[service] | SMALL[service] | {"alembic_version"}
        statements = recorded.of(service)
        assert asyncio.run(_whole_reads(clean_desk, service, statements)) == {}
        used = {table for table in GROWING[service] if any(table in statement for statement in statements)}
        assert used == GROWING[service], "the flow uses every growing table"

    dropped = "DROP INDEX ix_case_alarm"
    [(statement, found)] = asyncio.run(_whole_reads(clean_desk, "tracking", recorded.of("tracking"), dropped)).items()
    assert "alarm_at" in statement
    assert found == ["case"]
