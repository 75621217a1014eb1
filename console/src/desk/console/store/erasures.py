"""Erases everything that is stored of a case, except its code."""

from sqlalchemy import Table, delete, select

from desk.console.domain.cases import Case
from desk.console.encryption import Encryption
from desk.console.store.case_keys import CaseKeys
from desk.console.store.tables import case_document, case_word, draft, entry, outgoing_file, report
from desk.database import DatabaseSession

_TABLES: tuple[Table, ...] = (case_document, case_word, entry, report)


class ErasureStore:
    """Erases cases in one session."""

    def __init__(self, session: DatabaseSession, encryption: Encryption) -> None:
        self._session, self._keys = session, CaseKeys(session, encryption)

    async def erase(self, case: Case) -> None:
        """Destroy the key of a locked case; delete its request, history, reports, files, drafts and search index."""
        await self._keys.destroy(case.province, case.tracking_code)
        reports = select(report.c.id).where(
            report.c.province == case.province, report.c.tracking_code == case.tracking_code
        )
        await self._session.execute(delete(outgoing_file).where(outgoing_file.c.report.in_(reports)))
        for table in _TABLES:
            of_case = table.c.province == case.province, table.c.tracking_code == case.tracking_code
            await self._session.execute(delete(table).where(*of_case))
        await self._session.execute(delete(draft).where(draft.c.subject == case.tracking_code))
