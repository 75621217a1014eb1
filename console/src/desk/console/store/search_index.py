"""The search index: keyed hashes of the words that find a case."""

from sqlalchemy import delete, insert, select, update

from desk.console.domain import search
from desk.console.domain.cases import Case
from desk.console.encryption import Encryption
from desk.console.store.cases import CaseStore
from desk.console.store.tables import case as cases
from desk.console.store.tables import case_word, sub_subject
from desk.database import DatabaseSession, insert_into
from desk.expert import Request


class SearchIndex:
    """The search index in one session."""

    def __init__(self, session: DatabaseSession, encryption: Encryption, case_store: CaseStore) -> None:
        self._session, self._encryption, self._cases = session, encryption, case_store
        self._dialect = session.dialect

    async def index(self, case: Case, request: Request) -> None:
        """Replace the words that find a case, and record the titles of its subject."""
        same = (case_word.c.province == case.province, case_word.c.tracking_code == case.tracking_code)
        await self._session.execute(delete(case_word).where(*same))
        numbers = sorted({self._encryption.index_word(word, case.province) for word in request_words(request)})
        rows = [{"province": case.province, "word": word, "tracking_code": case.tracking_code} for word in numbers]
        await self._session.execute(insert(case_word), rows)
        await self._session.execute(
            update(cases)
            .where(cases.c.province == case.province, cases.c.tracking_code == case.tracking_code)
            .values(index_version=search.INDEX_VERSION, index_key=self._encryption.index_key_id)
        )
        title = {"title": request.sub_subject.title, "subject_title": request.subject.title}
        await self._session.execute(
            insert_into(self._dialect, sub_subject)
            .values(province=case.province, key=request.sub_subject.key, **title)
            .on_conflict_do_update(index_elements=("province", "key"), set_=title)
        )

    async def index_outdated(self, limit: int) -> int:
        """Index cases again whose index has an earlier version; return their number, at most ``limit``."""
        query = (
            select(cases)
            .where(cases.c.index_version < search.INDEX_VERSION, cases.c.submitted_at.is_not(None))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        rows = (await self._session.execute(query)).all()
        for record in await self._cases.with_requests(rows):
            if record.request is not None:
                await self.index(record.case, record.request)
        return len(rows)


def request_words(request: Request) -> set[str]:
    """Return the words that find a request."""
    return search.case_words(
        f"{request.applicant.first_name} {request.applicant.last_name}",
        request.subject.title,
        request.sub_subject.title,
        request.text,
        national_id=request.applicant.national_id,
        mobile=request.contact.mobile,
    )
