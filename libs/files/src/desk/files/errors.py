"""Why a file is refused. ``title`` is a Persian sentence that says what to do."""

from desk.files.types import FILE_MEGABYTES_MAX
from desk.iran.digits import to_persian


class FileError(Exception):
    """Base class."""

    code = "file_invalid"
    title = ""


class FileEmptyError(FileError):
    """The file is empty."""

    code = "file_empty"
    title = "این فایل خالی است. لطفاً فایل دیگری انتخاب کنید."


class FileTooLargeError(FileError):
    """The file is larger than allowed."""

    code = "file_too_large"
    title = f"حجم این فایل بیش از {to_persian(FILE_MEGABYTES_MAX)} مگابایت است. لطفاً فایل کوچک‌تری انتخاب کنید."


class FileTypeForbiddenError(FileError):
    """The media type of the content is not accepted."""

    code = "file_type_forbidden"
    title = "این نوع فایل پذیرفته نمی‌شود. فایل PDF، JPEG، PNG، HEIC یا DOCX بفرستید."


class FileDamagedError(FileError):
    """The content is incomplete or cannot be opened."""

    code = "file_damaged"
    title = "این فایل خراب یا ناقص است و باز نمی‌شود. آن را روی دستگاه خود باز کنید، دوباره ذخیره کنید و بفرستید."


class FileEncryptedError(FileError):
    """The content can only be opened with a password."""

    code = "file_encrypted"
    title = "این فایل رمز دارد و کارشناس نمی‌تواند آن را باز کند. نسخه‌ای بدون رمز ذخیره کنید و بفرستید."


class ImageTooLargeError(FileError):
    """The image has more pixels than are decoded."""

    code = "image_too_large"
    title = "ابعاد این تصویر بیش از اندازه بزرگ است. تصویر کوچک‌تری بفرستید."


class FileTypeMismatchError(FileError):
    """The file name's extension belongs to another media type than the content."""

    code = "file_type_mismatch"
    title = "نوع این فایل با پسوند نامش یکی نیست. لطفاً آن را با قالب درست ذخیره کنید و دوباره بفرستید."


class FileActiveError(FileError):
    """The content can act when it is opened: scripts, macros, embedded files, or parts loaded from elsewhere."""

    code = "file_active"
    title = (
        "این فایل بخشی دارد که هنگام باز شدن اجرا می‌شود، مانند اسکریپت، ماکرو یا فایلی درون آن. "
        "نسخه‌ای ساده از آن، مثلاً چاپ به PDF، ذخیره کنید و بفرستید."
    )


class FileMixedError(FileError):
    """The file contains data of another type before or after its own content."""

    code = "file_mixed"
    title = "این فایل افزون بر محتوای خود، دادهٔ دیگری هم دارد. آن را باز کنید، دوباره ذخیره کنید و بفرستید."


class FileTooComplexError(FileError):
    """The content needs too much memory or time to open: too many parts, or far larger when unpacked."""

    code = "file_too_complex"
    title = "این فایل هنگام باز شدن بیش از اندازه بزرگ یا پیچیده است. نسخه‌ای ساده‌تر، مثلاً PDF، از آن بفرستید."


class FileInfectedError(FileError):
    """The malware scanner has found something in the file."""

    code = "file_infected"
    title = "در این فایل بدافزار پیدا شد. دستگاه خود را با ضدبدافزار بررسی کنید و فایل دیگری بفرستید."
