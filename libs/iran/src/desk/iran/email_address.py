"""Email addresses as people type them, in the form in which every mail server accepts them."""

import re

from email_validator import EmailNotValidError, validate_email

from desk.iran.digits import bare
from desk.iran.errors import IranValueError

LENGTH_MAX = 254
"""Characters of an address (RFC 5321, 4.5.3.1.3)."""


class InvalidEmailError(IranValueError):
    """Not an email address. `reason`: `format` or `local_part`, if the part before @ is not written in ASCII."""


def mask_email(address: str) -> str:
    """Return an address as its owner may see it: the first letter and the domain."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain}"


def parse_email(text: str) -> str:
    """Return an address in ASCII: invisible characters removed, digits folded, the domain in lower-case IDNA form.

    A local part with other letters is refused, since servers without SMTPUTF8 (RFC 6531) do not accept it.
    Raises InvalidEmailError.
    """
    address = bare(text)
    local, at, _ = address.rpartition("@")
    if at and local and not local.isascii():
        raise InvalidEmailError("local_part", "the part before @ has letters that are not ASCII")
    if re.search("[\r\n]", text.strip()) or not address.isprintable() or len(text) > LENGTH_MAX:
        raise InvalidEmailError("format", "this is not an email address")
    try:
        valid = validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        raise InvalidEmailError("format", "this is not an email address") from None
    if valid.ascii_email is None or len(valid.ascii_email) > LENGTH_MAX:
        raise InvalidEmailError("format", "this email address has no ASCII form")
    return valid.ascii_email
