"""What supervisors do: accounts, templates of answers, and a look at who did what."""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from desk.console.domain.accounts import Account, Role, first_password, name_of, username_of
from desk.console.domain.cases import written
from desk.console.domain.errors import FieldError, NotFoundError
from desk.console.seal import Seal
from desk.console.service.sign_in import hash_password
from desk.console.store.accounts import AccountStore
from desk.console.store.desk import Deed, DeedStore, Template, TemplateStore
from desk.database import Database
from desk.iran.digits import fold

TITLE_MAX = 120
SUB_SUBJECT = re.compile(r"[a-z0-9_]{0,40}")
"""A key of the catalogue, or none for all subjects."""


@dataclass(frozen=True, slots=True)
class Supervising:
    """The supervisors' part. Whoever calls has made sure that a supervisor asks."""

    database: Database
    seal: Seal
    clock: Callable[[], datetime]

    async def accounts(self, province: str) -> list[Account]:
        """List the accounts of a province."""
        async with self.database.read() as session:
            return await AccountStore(session, self.seal).of_province(province)

    async def add_account(
        self, province: str, username: str, name: str, role: Role, *, by: Account | None, password: str | None = None
    ) -> str:
        """Add an account; return its first password, which its owner has to change. Raises FieldError.

        ``by`` is None at the command line. A ``password`` that is given is kept: only the demonstration gives one.
        """
        account = Account(
            id=str(uuid.uuid4()),
            province=province,
            username=username_of(username),
            name=name_of(name),
            role=role,
            active=True,
            enrolled=False,
            new_password=password is None,
        )
        given = password or first_password()
        password_hash = await hash_password(given)
        try:
            async with self.database.transaction() as session:
                await AccountStore(session, self.seal).add(account, password_hash, self.clock())
                await self._note(DeedStore(session), province, by, "add_account", account.username)
        except IntegrityError:
            raise FieldError("username", "این نام کاربری پیش‌تر گرفته شده است. نام دیگری بنویسید.") from None
        return given

    async def set_active(self, by: Account, account_id: str, *, active: bool) -> None:
        """Let somebody in again, or no more. Raises NotFoundError or FieldError."""
        if by.id == account_id:
            raise FieldError("account", "حساب خودتان را نمی‌توانید غیرفعال کنید. از سرپرست دیگری بخواهید.")
        async with self.database.transaction() as session:
            accounts = AccountStore(session, self.seal)
            account = await self._demanded(accounts, by, account_id)
            await accounts.change(account.id, active=active)
            if not active:
                await accounts.end_visits(account.id)
            kind = "activate" if active else "deactivate"
            await self._note(DeedStore(session), by.province, by, kind, account.username)

    async def reset(self, by: Account, account_id: str) -> str:
        """Give somebody a new first password, and let them enrol a device anew; return it. Raises NotFoundError."""
        given = first_password()
        password_hash = await hash_password(given)
        async with self.database.transaction() as session:
            accounts = AccountStore(session, self.seal)
            account = await self._demanded(accounts, by, account_id)
            await accounts.change(account.id, password_hash=password_hash, new_password=True)
            await accounts.keep_totp(account.id, None)
            await accounts.keep_recovery_codes(account.id, [])
            await accounts.end_visits(account.id)
            await self._note(DeedStore(session), by.province, by, "reset", account.username)
        return given

    async def templates(self, province: str) -> list[Template]:
        """List the templates of a province."""
        async with self.database.read() as session:
            return await TemplateStore(session).of_province(province)

    async def save_template(
        self, by: Account, template_id: str | None, sub_subject: str, title: str, text: str
    ) -> None:
        """Write a template, new or changed. Raises FieldError or NotFoundError."""
        title = fold(title)
        if not 2 <= len(title) <= TITLE_MAX:  # noqa: PLR2004 - a title
            raise FieldError("title", "عنوان را بنویسید؛ حداکثر ۱۲۰ نویسه.")
        text = written("text", text)
        if not SUB_SUBJECT.fullmatch(sub_subject):
            raise FieldError("sub_subject", "موضوع را از فهرست انتخاب کنید.")
        async with self.database.transaction() as session:
            templates = TemplateStore(session)
            if template_id is not None and await templates.get(by.province, template_id) is None:
                raise NotFoundError
            new = Template(template_id or str(uuid.uuid4()), by.province, sub_subject, title, text)
            await templates.save(new)
            await self._note(DeedStore(session), by.province, by, "template", title[:80])

    async def remove_template(self, by: Account, template_id: str) -> None:
        """Remove a template."""
        async with self.database.transaction() as session:
            await TemplateStore(session).remove(by.province, template_id)
            await self._note(DeedStore(session), by.province, by, "remove_template", template_id)

    async def deeds(self, province: str, tracking_code: str | None) -> list[Deed]:
        """List who did what, the newest first."""
        async with self.database.read() as session:
            return await DeedStore(session).newest(province, tracking_code)

    @staticmethod
    async def _demanded(accounts: AccountStore, by: Account, account_id: str) -> Account:
        account = await accounts.get(by.province, account_id)
        if account is None:
            raise NotFoundError
        return account

    async def _note(self, deeds: DeedStore, province: str, by: Account | None, kind: str, about: str) -> None:
        await deeds.add(self.clock(), province, by.id if by else None, kind, about=about)
