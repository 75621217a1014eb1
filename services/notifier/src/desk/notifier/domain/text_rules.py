"""The rules of a text that headquarters writes; each fault has a sentence for its writer."""

import re
from collections.abc import Callable, Iterator

from desk.chassis.problem import FieldError
from desk.iran.digits import to_persian
from desk.notifier.domain.notices import CODES, MAX_SMS_PARTS, ChannelName, Template, sms_parts
from desk.notifier.domain.placeholders import (
    fill,
    paragraph_placeholders,
    placeholders_of,
    sms_placeholders,
    stands_alone,
    subject_placeholders,
    without_placeholders,
)
from desk.notifier.domain.texts import EmailText, Place, SmsText, Texts
from desk.versions.errors import ContentInvalidError

LongestValues = Callable[[Place], dict[str, str]]
"""Returns the longest value of each placeholder of a text."""
_LINK = re.compile(r"://|www\.|[a-z0-9-]\.[a-z]{2,}|\.ایران", re.IGNORECASE)
_KEPT = frozenset({"code", "digits"})


class TextsInvalidError(ContentInvalidError):
    """A text breaks a rule; ``errors`` name the texts."""

    code = "texts_invalid"
    title = "این متن‌ها درست نیست. متن‌های نام‌برده را درست کنید."


def max_parts(template: Template) -> int:
    """Return the largest number of parts of an SMS. A code has one: it must arrive quickly, and in one piece."""
    return 1 if template in CODES else MAX_SMS_PARTS


def kept_placeholders(place: Place, first: Texts) -> list[str]:
    """Return the placeholders that must stay in a text: the code, where the first version has it."""
    if place.channel is not ChannelName.SMS:
        return []
    return sorted(_KEPT & set(placeholders_of(first.sms(place.template, place.language).text)))


def faults_of(texts: Texts, first: Texts, longest: LongestValues) -> list[FieldError]:
    """Return what is wrong with the texts; none if they can be sent."""
    return [fault for place, text in texts.items() for fault in _faults(place, text, first, longest)]


def _faults(place: Place, text: SmsText | EmailText, first: Texts, longest: LongestValues) -> Iterator[FieldError]:
    if isinstance(text, EmailText):
        yield from _email_faults(place, text, len(first.email(place.template, place.language).paragraphs))
        return
    path, allowed = f"{place.path}.text", sms_placeholders(place.template)
    if (fault := _fault_of_words(path, text.text, allowed)) is not None:
        yield fault
        return
    for name in kept_placeholders(place, first):
        if name not in placeholders_of(text.text):
            yield FieldError(path, "code_missing", f"{{{{ {name} }}}} باید در متن این پیامک بماند.")
        elif not stands_alone(text.text, name):
            message = f"پیش و پس از {{{{ {name} }}}} فاصله یا نشانه بگذارید تا کد با نویسهٔ دیگری خوانده نشود."
            yield FieldError(path, "code_joined", message)
    if _LINK.search(without_placeholders(text.text, "x")):
        yield FieldError(
            path, "link_in_sms", "پیامک نباید پیوند یا نشانی اینترنتی داشته باشد؛ اپراتورها آن را نمی‌فرستند."
        )
    parts, most = sms_parts(fill(text.text, longest(place))), max_parts(place.template)
    if parts > most:
        yield FieldError(
            path,
            "sms_too_long",
            f"با بلندترین مقدارها {to_persian(parts)} بخش می‌شود؛ حداکثر {to_persian(most)} بخش مجاز است.",
        )


def _email_faults(place: Place, text: EmailText, paragraphs: int) -> Iterator[FieldError]:
    if len(text.paragraphs) != paragraphs:
        yield FieldError(
            f"{place.path}.paragraphs", "paragraphs_count", f"این ایمیل باید {to_persian(paragraphs)} بند داشته باشد."
        )
        return
    if "\n" in text.subject:
        yield FieldError(f"{place.path}.subject", "subject_lines", "عنوان ایمیل باید یک سطر باشد.")
    parts = [(f"{place.path}.subject", text.subject, subject_placeholders(place.template))]
    for number, paragraph in enumerate(text.paragraphs, 1):
        parts.append((f"{place.path}.paragraphs.{number}", paragraph, paragraph_placeholders(place.template)))
    for path, words, allowed in parts:
        if (fault := _fault_of_words(path, words, allowed)) is not None:
            yield fault


def _fault_of_words(path: str, text: str, allowed: list[str]) -> FieldError | None:
    """Return the fault of an empty text, or of one with anything in braces but placeholders."""
    words = without_placeholders(text)
    names = "، ".join(f"{{{{ {name} }}}}" for name in allowed) or "هیچ"
    if unknown := set(placeholders_of(text)) - set(allowed):
        message = f"{{{{ {min(unknown)} }}}} در این متن به کار نمی‌رود. جانشین‌های مجاز: {names}"
        return FieldError(path, "placeholder_unknown", message)
    if set("{}") & set(words):
        message = f"آکولاد تنها در جانشین‌های مجاز به کار می‌رود: {names}"
        return FieldError(path, "braces", message)
    return None if words.strip() else FieldError(path, "text_empty", "این متن خالی است.")
