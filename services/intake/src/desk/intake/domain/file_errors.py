"""The errors of files, one class per case."""

from desk.chassis.problem import DomainError, ServiceUnavailableError
from desk.files import errors as file_errors


class UnknownAttachmentError(DomainError):
    """The attachment does not exist, is another person's or belongs to a request already."""

    code, field = "attachment_unknown", "attachments"
    title = "یکی از فایل‌های پیوست پیدا نشد. لطفاً آن را حذف و دوباره بارگذاری کنید."


class AttachmentNotFoundError(DomainError):
    """The applicant has no such unclaimed attachment."""

    status, code = 404, "attachment_unknown"
    title = "این فایل پیوست پیدا نشد."


class FileNotFoundHereError(DomainError):
    """The file does not exist, or the caller may not see it."""

    status, code = 404, "file_unknown"
    title = "این فایل پیدا نشد."


class FileUnreadableError(DomainError):
    """The stored file is missing or was changed, so it cannot be decrypted."""

    status, code = 500, "file_unreadable"
    title = "این فایل در سامانه خوانده نمی‌شود. لطفاً با پشتیبانی میز خدمت تماس بگیرید و کد پیگیری خود را بگویید."


class FilePendingError(DomainError):
    """The malware scanner has not examined the file yet."""

    status, code = 409, "file_pending"
    title = "این فایل هنوز از نظر بدافزار بررسی نشده است. چند دقیقهٔ دیگر دوباره تلاش کنید."

    def __init__(self) -> None:
        super().__init__(retry_after=60)


class FileRemovedError(DomainError):
    """The malware scanner has found something in the file after it was accepted; its content was deleted."""

    status, code = 410, "file_removed"
    title = "در این فایل بدافزار پیدا شد و محتوای آن از میز خدمت پاک شده است."


class TooManyAnswerFilesError(DomainError):
    """A province has uploaded too many files for one case."""

    status, code, field = 409, "too_many_files", "file"
    title = "برای این پرونده بیش از اندازه فایل فرستاده شده است."


class TooManyFilesError(DomainError):
    """The upload session already has as many files as a request may have."""

    status, code, field = 409, "too_many_files", "attachments"
    title = "حداکثر ۵ فایل می‌توان پیوست کرد. برای افزودن فایل تازه، یکی را حذف کنید."


class FileEmptyError(DomainError):
    """The file is empty."""

    code, field = "file_empty", "file"
    title = file_errors.FileEmptyError.title


class FileMissingError(DomainError):
    """The form has no file in a part named ``file``."""

    code, field = "file_missing", "file"
    title = "فایلی فرستاده نشده است. لطفاً یک فایل انتخاب کنید."


class FormUnreadableError(DomainError):
    """The form is incomplete, is not a form, or contains more than one file."""

    status, code, field = 400, "form_unreadable", "file"
    title = "فایل به‌درستی فرستاده نشد. لطفاً یک فایل انتخاب کنید و دوباره بفرستید."


class FileTooLargeError(DomainError):
    """The file is larger than allowed."""

    status, code, field = 413, "file_too_large", "file"
    title = file_errors.FileTooLargeError.title


class FileTypeForbiddenError(DomainError):
    """The media type of the content is not accepted."""

    status, code, field = 415, "file_type_forbidden", "file"
    title = file_errors.FileTypeForbiddenError.title


class FileDamagedError(DomainError):
    """The content is incomplete or cannot be opened."""

    code, field = "file_damaged", "file"
    title = file_errors.FileDamagedError.title


class FileEncryptedError(DomainError):
    """The content can only be opened with a password."""

    code, field = "file_encrypted", "file"
    title = file_errors.FileEncryptedError.title


class ImageTooLargeError(DomainError):
    """The image has more pixels than are decoded."""

    code, field = "image_too_large", "file"
    title = file_errors.ImageTooLargeError.title


class FileActiveError(DomainError):
    """The file contains scripts, macros, embedded files, or parts loaded from elsewhere."""

    status, code, field = 422, "file_active", "file"
    title = file_errors.FileActiveError.title


class FileMixedError(DomainError):
    """The file contains data of another type before or after its own content."""

    status, code, field = 422, "file_mixed", "file"
    title = file_errors.FileMixedError.title


class FileTooComplexError(DomainError):
    """The file needs too much memory or time to open."""

    status, code, field = 422, "file_too_complex", "file"
    title = file_errors.FileTooComplexError.title


class FileInfectedError(DomainError):
    """The malware scanner has found something in the file."""

    status, code, field = 422, "file_infected", "file"
    title = file_errors.FileInfectedError.title


class FileTypeMismatchError(DomainError):
    """The file name's extension belongs to another media type than the content."""

    status, code, field = 415, "file_type_mismatch", "file"
    title = file_errors.FileTypeMismatchError.title


class StorageUnavailableError(ServiceUnavailableError):
    """The object store is unavailable; requests without files can still be submitted."""

    code = "storage_unavailable"
    title = "در این لحظه نمی‌توان فایل دریافت کرد. می‌توانید کمی بعد دوباره تلاش کنید یا درخواست را بدون پیوست بفرستید."
