"""Lists the cases of a person by the keyed hash of the applicant's number together with the contact's mobile."""

from sqlalchemy import bindparam, update

from desk.chassis.crypto import DecryptionError, Vault
from desk.database import DatabaseSession
from desk.tracking.domain import Case, CaseErasedError, Request
from desk.tracking.store.case_rows import CONTACT, owner_columns, person_of
from desk.tracking.store.cases import SELECT_CASES, CaseStore
from desk.tracking.store.tables import case_table

_OF_PERSON = (
    SELECT_CASES.where(case_table.c.contact_index.in_(bindparam("persons", expanding=True)))
    .order_by(case_table.c.submitted_at.desc(), case_table.c.tracking_code)
    .limit(bindparam("most"))
)


class PersonStore:
    """Finds cases by their applicant and the mobile of their contact."""

    def __init__(self, session: DatabaseSession, vault: Vault) -> None:
        self._session = session
        self._vault = vault

    async def newest(self, national_id: str, mobile: str, limit: int) -> list[tuple[Case, Request]]:
        """Return up to ``limit`` cases of an applicant whose contact has this mobile (E.164), the newest first."""
        values = {"persons": self._vault.indexes(person_of(national_id, mobile), CONTACT), "most": limit}
        rows = (await self._session.execute(_OF_PERSON, values)).all()
        cases = CaseStore(self._session, self._vault)
        return [cases.read(row) for row in rows]

    async def index_older(self, limit: int) -> int:
        """Write the hash of up to ``limit`` cases from before migration 0017, and return their number.

        Locked ones are skipped. A case that cannot be read gets an empty hash: it is in no list, and is not read again.
        """
        query = (
            SELECT_CASES.where(case_table.c.contact_index.is_(None))
            .order_by(case_table.c.submitted_at)
            .limit(limit)
            .with_for_update(skip_locked=True, of=case_table)
        )
        rows, cases = (await self._session.execute(query)).all(), CaseStore(self._session, self._vault)
        for row in rows:
            try:
                values = owner_columns(cases.read(row)[1], self._vault)
            except (CaseErasedError, DecryptionError):
                values = {"contact_index": ""}
            same = case_table.c.tracking_code == row.tracking_code
            await self._session.execute(update(case_table).where(same).values(values))
        return len(rows)
