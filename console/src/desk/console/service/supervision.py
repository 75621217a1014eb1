"""The use cases of supervisors: accounts, templates for answers, and the audit log."""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from desk.console.domain.accounts import Account, Role, validate_name, validate_username
from desk.console.domain.cases import validate_text
from desk.console.domain.errors import FieldError, NotFoundError
from desk.console.domain.passwords import first_password
from desk.console.encryption import Encryption
from desk.console.service.sign_in import hash_password
from desk.console.store.accounts import AccountStore
from desk.console.store.audit import AuditEntry, AuditStore
from desk.console.store.templates import Template, TemplateStore
from desk.database import Database
from desk.iran.digits import fold

MAX_TITLE_LENGTH = 120
SUB_SUBJECT = re.compile(r"[a-z0-9_]{0,40}")
"""A key of the catalogue, or empty for all subjects."""


@dataclass(frozen=True, slots=True)
class Supervision:
    """The supervisors' use cases. The caller checks that the account is a supervisor's."""

    database: Database
    encryption: Encryption
    clock: Callable[[], datetime]

    async def accounts(self, by: Account) -> list[Account]:
        """List the accounts that a supervisor manages."""
        async with self.database.read() as session:
            return await AccountStore(session, self.encryption).list_managed(by)

    async def add_account(
        self, province: str, username: str, name: str, role: Role, *, by: Account | None, password: str | None = None
    ) -> str:
        """Add an account; return its first password, which its owner has to change. Raises FieldError.

        ``by`` is None at the command line. A ``password`` need not be changed: only the demonstration passes one.
        """
        if by is not None and by.province != province and not (by.of_headquarters and role is Role.SUPERVISOR):
            raise FieldError("office", "در اداره‌های دیگر تنها ستاد حساب می‌سازد، و تنها حساب سرپرست.")
        account = Account(
            id=str(uuid.uuid4()),
            province=province,
            username=validate_username(username),
            name=validate_name(name),
            role=role,
            active=True,
            enrolled=False,
            new_password=password is None,
        )
        issued = password or first_password()
        password_hash = await hash_password(issued)
        try:
            async with self.database.transaction() as session:
                await AccountStore(session, self.encryption).add(account, password_hash, self.clock())
                await self._audit(AuditStore(session), province, by, "add_account", account.username)
        except IntegrityError:
            raise FieldError("username", "این نام کاربری پیش‌تر گرفته شده است. نام دیگری بنویسید.") from None
        return issued

    async def set_active(self, by: Account, account_id: str, *, active: bool) -> None:
        """Activate an account, or deactivate it and end its sessions. Raises NotFoundError or FieldError."""
        if by.id == account_id:
            raise FieldError("account", "حساب خودتان را نمی‌توانید غیرفعال کنید. از سرپرست دیگری بخواهید.")
        async with self.database.transaction() as session:
            accounts = AccountStore(session, self.encryption)
            account = await self._require_account(accounts, by, account_id)
            await accounts.change(account.id, active=active)
            if not active:
                await accounts.end_sessions(account.id)
            kind = "activate" if active else "deactivate"
            await self._audit(AuditStore(session), by.province, by, kind, account.username)

    async def set_counter(self, by: Account, account_id: str, *, granted: bool) -> None:
        """Grant or withdraw the right to register requests for applicants. Raises NotFoundError."""
        async with self.database.transaction() as session:
            accounts = AccountStore(session, self.encryption)
            account = await self._require_account(accounts, by, account_id)
            await accounts.change(account.id, counter=granted)
            kind = "grant_counter" if granted else "withdraw_counter"
            await self._audit(AuditStore(session), by.province, by, kind, account.username)

    async def reset(self, by: Account, account_id: str) -> str:
        """Issue a new first password, remove the device and end all sessions; return it. Raises NotFoundError."""
        issued = first_password()
        password_hash = await hash_password(issued)
        async with self.database.transaction() as session:
            accounts = AccountStore(session, self.encryption)
            account = await self._require_account(accounts, by, account_id)
            await accounts.change(account.id, password_hash=password_hash, new_password=True, password_at=self.clock())
            await accounts.set_totp(account.id, None)
            await accounts.replace_recovery_codes(account.id, [])
            await accounts.end_sessions(account.id)
            await self._audit(AuditStore(session), by.province, by, "reset", account.username)
        return issued

    async def templates(self, province: str) -> list[Template]:
        """List the templates of a province."""
        async with self.database.read() as session:
            return await TemplateStore(session).list_templates(province)

    async def save_template(
        self, by: Account, template_id: str | None, sub_subject: str, title: str, text: str
    ) -> None:
        """Add or change a template. Raises FieldError or NotFoundError."""
        title = fold(title)
        if not 2 <= len(title) <= MAX_TITLE_LENGTH:  # noqa: PLR2004 - a title
            raise FieldError("title", "عنوان را بنویسید؛ حداکثر ۱۲۰ نویسه.")
        text = validate_text("text", text)
        if not SUB_SUBJECT.fullmatch(sub_subject):
            raise FieldError("sub_subject", "موضوع را از فهرست انتخاب کنید.")
        async with self.database.transaction() as session:
            templates = TemplateStore(session)
            if template_id is not None and await templates.get(by.province, template_id) is None:
                raise NotFoundError
            new = Template(template_id or str(uuid.uuid4()), by.province, sub_subject, title, text)
            await templates.save(new)
            await self._audit(AuditStore(session), by.province, by, "template", title[:80])

    async def remove_template(self, by: Account, template_id: str) -> None:
        """Remove a template of the supervisor's province."""
        async with self.database.transaction() as session:
            await TemplateStore(session).remove(by.province, template_id)
            await self._audit(AuditStore(session), by.province, by, "remove_template", template_id)

    async def audit_entries(self, province: str, tracking_code: str | None) -> list[AuditEntry]:
        """List the audit log, newest first."""
        async with self.database.read() as session:
            return await AuditStore(session).newest(province, tracking_code)

    @staticmethod
    async def _require_account(accounts: AccountStore, by: Account, account_id: str) -> Account:
        account = await accounts.find_managed(by, account_id)
        if account is None:
            raise NotFoundError
        return account

    async def _audit(self, log: AuditStore, province: str, by: Account | None, kind: str, about: str) -> None:
        await log.add(self.clock(), province, by.id if by else None, kind, about=about)
