"""Errors of editing a document that is kept in versions; the sentences are for headquarters and its programs."""

from desk.chassis.problem import DomainError, FieldError


class NotHeadquartersError(DomainError):
    """The caller is an office that may not read or change versions."""

    status, code = 403, "office_not_permitted"
    title = "فقط ستاد می‌تواند نسخه‌ها را ببیند و تغییر دهد."


class PersonMissingError(DomainError):
    """The assertion does not name the person who acts."""

    status, code = 403, "person_missing"
    title = "گواهی باید در act.sub نام کسی را داشته باشد که این کار را می‌کند."


class ContentInvalidError(DomainError):
    """The content breaks a rule of its kind; ``errors`` name the parts. Each kind has a subclass with its code."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__(errors=errors)


class DraftNotFoundError(DomainError):
    """There is no such draft: it was approved or discarded."""

    status, code = 404, "draft_not_found"
    title = "این پیش‌نویس وجود ندارد؛ شاید تصویب یا دور انداخته شده باشد."


class VersionNotFoundError(DomainError):
    """There is no such version."""

    status, code = 404, "version_not_found"
    title = "این نسخه وجود ندارد."


class DraftChangedError(DomainError):
    """The draft was changed since the caller read it."""

    status, code = 409, "draft_changed"
    title = "این پیش‌نویس پس از خواندن شما تغییر کرده است. آن را دوباره بخوانید."


class DraftOutdatedError(DomainError):
    """A version was approved since the draft began, which the draft would undo."""

    status, code = 409, "draft_outdated"
    title = "پس از آغاز این پیش‌نویس نسخهٔ دیگری تصویب شده است. پیش‌نویس تازه‌ای از آن نسخه بسازید."


class DraftUnchangedError(DomainError):
    """The draft equals the version it began with."""

    status, code = 409, "draft_unchanged"
    title = "این پیش‌نویس با نسخهٔ پایهٔ خود تفاوتی ندارد."


class DraftNotProposedError(DomainError):
    """The draft has not been proposed for approval since its last change."""

    status, code = 409, "draft_not_proposed"
    title = "این پیش‌نویس هنوز برای تصویب پیشنهاد نشده است."


class SecondPersonNeededError(DomainError):
    """The person who approves has edited the draft."""

    status, code = 403, "second_person_needed"
    title = "تصویب با کسی است که در این پیش‌نویس دست نبرده باشد."


class InForceTimeError(DomainError):
    """The version would be in force before one that is approved already."""

    code, field = "in_force_at_too_early", "in_force_at"
    title = "زمان اجرا باید در آینده و پس از زمان اجرای نسخهٔ تصویب‌شدهٔ پیشین باشد."


class VersionInForceError(DomainError):
    """The version is in force, or was, or a later one is approved, so it cannot be cancelled."""

    status, code = 409, "version_in_force"
    title = "فقط آخرین نسخه، و تا پیش از زمان اجرای آن، لغوشدنی است."


class VersionHasDraftsError(DomainError):
    """A draft contains the changes of the version, so its cancellation would not undo them."""

    status, code = 409, "version_has_drafts"
    title = "پیش‌نویسی بر پایهٔ این نسخه در دست است. نخست آن پیش‌نویس را دور بیندازید."
