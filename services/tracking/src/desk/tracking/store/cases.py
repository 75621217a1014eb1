"""Cases, their history, who had them before, and refused reports."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from desk.chassis.crypto import Vault
from desk.database import insert_into
from desk.tracking.domain import Action, Case, State
from desk.tracking.events import AnswerData, FileReference, RequestSubmitted
from desk.tracking.store.history import Step
from desk.tracking.store.tables import case_table, handover_table, refusal_table, step_table


@dataclass(frozen=True, slots=True)
class Handover:
    """How a province gave a case away: in which turn, and by which of its reports."""

    turn: int
    report_seq: int


class CaseStore:
    """Reads and writes cases and their history."""

    def __init__(self, session: AsyncSession, vault: Vault) -> None:
        self._session = session
        self._vault = vault

    async def add(self, case: Case, request: RequestSubmitted) -> None:
        """Write a new case with the whole request it is about."""
        await self._session.execute(
            insert(case_table).values(
                **_columns(case),
                tracking_code=case.tracking_code,
                owner_index=self._vault.index(request.applicant.national_id, "national_id"),
                submitted_at=case.submitted_at,
                request=self._seal(request),
            )
        )

    async def save(self, case: Case) -> None:
        """Write what has changed of a case."""
        await self._session.execute(
            update(case_table).where(case_table.c.tracking_code == case.tracking_code).values(**_columns(case))
        )

    async def release(self, case: Case, request: RequestSubmitted) -> None:
        """Write what has changed of a case and its request: the registry's names, or the subject it is referred to."""
        await self._session.execute(
            update(case_table)
            .where(case_table.c.tracking_code == case.tracking_code)
            .values(**_columns(case), request=self._seal(request))
        )

    def _seal(self, request: RequestSubmitted) -> bytes:
        return self._vault.seal(request.model_dump_json().encode(), f"case.request:{request.tracking_code}")

    async def get(self, tracking_code: str) -> tuple[Case, RequestSubmitted] | None:
        """Find a case and its request, locked against other reports until the transaction ends."""
        query = select(case_table).where(case_table.c.tracking_code == tracking_code).with_for_update()
        row = (await self._session.execute(query)).first()
        return self._found(row) if row else None

    async def run_out(self, now: datetime, limit: int) -> list[tuple[Case, RequestSubmitted]]:
        """Lock up to ``limit`` cases whose time has run out, the oldest first; those another holds are passed over."""
        query = (
            select(case_table)
            .where(case_table.c.alarm_at < now)
            .order_by(case_table.c.alarm_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return [self._found(row) for row in (await self._session.execute(query)).all()]

    async def of_person(self, national_id: str, tracking_code: str) -> tuple[Case, RequestSubmitted] | None:
        """Find a person's case by its code."""
        query = select(case_table).where(
            case_table.c.tracking_code == tracking_code,
            case_table.c.owner_index == self._vault.index(national_id, "national_id"),
        )
        row = (await self._session.execute(query)).first()
        return self._found(row) if row else None

    async def add_step(self, tracking_code: str, step: Step) -> None:
        """Add to a case's history."""
        words = {
            "note": step.note,
            "answer": step.answer.model_dump(mode="json") if step.answer else None,
            "rating": step.rating,
            "files": [file.model_dump(mode="json") for file in step.files],
        }
        sealed = self._vault.seal(json.dumps(words).encode(), f"step.words:{step.event_id}")
        await self._session.execute(
            insert(step_table).values(
                event_id=step.event_id,
                tracking_code=tracking_code,
                at=step.at,
                recorded_at=datetime.now(UTC),
                turn=step.turn,
                seq=step.seq,
                state=step.state.value,
                action=step.action.value if step.action else None,
                words=sealed if any(words.values()) else None,
            )
        )

    async def history(self, tracking_code: str) -> list[Step]:
        """Give a case's steps in the order they happened.

        A province's own numbers say so, not the clocks: times are whole seconds, and 31 clocks differ. What the
        applicant did comes after the report it followed.
        """
        query = (
            select(step_table)
            .where(step_table.c.tracking_code == tracking_code)
            .order_by(
                step_table.c.turn,
                step_table.c.seq,
                step_table.c.action.is_not(None),
                step_table.c.at,
                step_table.c.recorded_at,
            )
        )
        return [self._step(row) for row in (await self._session.execute(query)).all()]

    async def add_handover(self, tracking_code: str, province: str, handover: Handover) -> None:
        """Record how a province gave the case away, in place of any earlier time."""
        row = {"tracking_code": tracking_code, "province": province, **asdict(handover)}
        await self._session.execute(
            insert_into(self._session.get_bind().dialect.name, handover_table)
            .values(row)
            .on_conflict_do_update(index_elements=["tracking_code", "province"], set_=row)
        )

    async def handover(self, tracking_code: str, province: str) -> Handover | None:
        """Tell how a province gave the case away last, if it did."""
        query = select(handover_table.c.turn, handover_table.c.report_seq).where(
            handover_table.c.tracking_code == tracking_code, handover_table.c.province == province
        )
        row = (await self._session.execute(query)).first()
        return Handover(row.turn, row.report_seq) if row else None

    async def add_refusal(self, event_id: str, tracking_code: str, province: str, report: str, reason: str) -> None:
        """Record a report that did not fit."""
        await self._session.execute(
            insert(refusal_table).values(
                event_id=event_id,
                tracking_code=tracking_code,
                province=province,
                report=report,
                reason=reason,
                at=datetime.now(UTC),
            )
        )

    def _found(self, row: Row[Any]) -> tuple[Case, RequestSubmitted]:
        request = self._vault.open(row.request, f"case.request:{row.tracking_code}")
        case = Case(
            tracking_code=row.tracking_code,
            province=row.province,
            state=State(row.state),
            seq=row.seq,
            report_seq=row.report_seq,
            turn=row.turn,
            submitted_at=row.submitted_at,
            due_at=row.due_at,
            since=row.since or row.submitted_at,
            answer_days=row.answer_days,
            overdue=row.overdue,
            alarm_at=row.alarm_at,
        )
        return case, RequestSubmitted.model_validate_json(request)

    def _step(self, row: Row[Any]) -> Step:
        words = json.loads(self._vault.open(row.words, f"step.words:{row.event_id}")) if row.words else {}
        answer = words.get("answer")
        return Step(
            event_id=row.event_id,
            at=row.at,
            state=State(row.state),
            note=words.get("note"),
            answer=AnswerData.model_validate(answer) if answer else None,
            turn=row.turn,
            seq=row.seq,
            action=Action(row.action) if row.action else None,
            rating=words.get("rating"),
            files=[FileReference.model_validate(file) for file in words.get("files", [])],
        )


def _columns(case: Case) -> dict[str, object]:
    return {
        "province": case.province,
        "state": case.state.value,
        "seq": case.seq,
        "report_seq": case.report_seq,
        "turn": case.turn,
        "due_at": case.due_at,
        "since": case.since,
        "answer_days": case.answer_days,
        "overdue": case.overdue,
        "alarm_at": case.alarm_at,
    }
