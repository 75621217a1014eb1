"""The search of headquarters by tracking code over all offices: the desk knows every case, the console only some."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from desk.console.clients import DeskClients
from desk.console.domain.accounts import Account
from desk.console.domain.errors import FieldError
from desk.console.service.headquarters import valid_code
from desk.console.store.audit import AuditStore
from desk.database import Database
from desk.expert import CaseRefusedError, CaseStatus

NOT_FOUND = "case_not_found"
_CAN_BE_TAKEN_OVER = frozenset({"registered", "received", "in_progress", "info_requested", "objected"})
_WITHOUT_OFFICE = frozenset({"identity_pending", "identity_rejected", "erased"})


@dataclass(frozen=True, slots=True)
class FoundCase:
    """A case of any office, and what headquarters may do with it."""

    status: CaseStatus
    own: bool

    @property
    def can_be_taken_over(self) -> bool:
        """Whether its office has yet to decide, and is not headquarters."""
        return not self.own and self.status.state in _CAN_BE_TAKEN_OVER

    @property
    def can_be_commented_on(self) -> bool:
        """Whether another office has it."""
        return not self.own and self.status.state not in _WITHOUT_OFFICE


@dataclass(frozen=True, slots=True)
class CaseSearch:
    """Asks the desk for cases. The caller checks that the account belongs to headquarters."""

    database: Database
    clients: DeskClients
    clock: Callable[[], datetime]

    async def find(self, account: Account, text: str) -> FoundCase:
        """Return the case with the tracking code ``text``; the search is in the audit log before its result is known.

        Raises FieldError for a mistyped or unknown code, or CaseRefusedError.
        """
        code = valid_code(text)
        async with self.database.transaction() as session:
            await AuditStore(session).add(self.clock(), account.province, account.id, "find_case", tracking_code=code)
        client = self.clients.get(account.province)
        if client is None:
            raise CaseRefusedError("no_client", f"{account.province} is no office of this console")
        try:
            status = await client.find_case(code)
        except CaseRefusedError as error:
            if error.code == NOT_FOUND:
                raise FieldError("code", "میز خدمت درخواستی با این کد پیگیری ندارد. رقم‌ها را بررسی کنید.") from error
            raise
        return FoundCase(status, status.office.key == account.province)
