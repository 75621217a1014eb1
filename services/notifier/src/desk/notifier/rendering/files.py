"""The template files of the package: the texts of the first version, and the layout around those of an email.

The path of a file is ``templates/<language>/<notice>.<channel>.v<number>.txt``; the highest number is used. A file that
was in use is never changed: a new text gets the next number, so that a message's row states which text was sent. An SMS
is its whole file. Of an email, headquarters may change the subject and the paragraphs; the rest is its layout.
"""

import re
from collections.abc import Mapping
from functools import cache

from jinja2 import Environment, FunctionLoader, PackageLoader, StrictUndefined

from desk.iran.written import isolate_numbers, pieces
from desk.notifier.domain import PLACES, ChannelName, EmailText, Language, Place, SmsText, Template, Texts

_NAME = re.compile(r"(?P<language>[a-z]+)/(?P<template>[a-z_]+)\.(?P<channel>[a-z]+)\.v(?P<number>[1-9][0-9]*)\.txt")
_COMMENT = re.compile(r"\{#.*?#\}\n?", re.DOTALL)
_SUBJECT = re.compile(r"\{% block subject %\}(.*?)\{% endblock %\}")
_PARAGRAPH = re.compile(r"\{% call say\.paragraph\(\) %\}\n(.*?)\n\{% endcall %\}\n", re.DOTALL)
_PACKAGE = PackageLoader("desk.notifier")
_PLAIN = Environment(loader=_PACKAGE, autoescape=False)  # noqa: S701  # nosec B701 - only the sources of files are read


@cache
def first_texts() -> Texts:
    """Return the texts of the newest files. Raises ValueError if a notice has no file."""
    return Texts.of({place: _text(place, number) for place, number in _newest().items()})


def layout_environment(*, html: bool) -> Environment:
    """Return the layouts of emails. HTML is escaped, and a missing value is an error, not an empty string."""
    environment = Environment(
        loader=FunctionLoader(_layout),
        auto_reload=False,  # the files do not change while the service runs
        autoescape=html,  # noqa: S701  # nosec B701 - plain text has no markup to escape
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"pieces": pieces, "isolate_numbers": isolate_numbers}
    return environment


@cache
def _newest() -> Mapping[Place, int]:
    found: dict[Place, int] = {}
    for name in _PLAIN.list_templates():
        if match := _NAME.fullmatch(name):
            place = Place(Language(match["language"]), Template(match["template"]), ChannelName(match["channel"]))
            found[place] = max(int(match["number"]), found.get(place, 0))
    return required(found)


def required(numbers: Mapping[Place, int]) -> Mapping[Place, int]:
    """Return the numbers of the newest files. Raises ValueError if a notice has no file."""
    if missing := [place for place in PLACES if place not in numbers]:
        raise ValueError(f"no template for {', '.join('/'.join(place) for place in missing)}")
    return numbers


def _text(place: Place, number: int) -> SmsText | EmailText:
    source = _source(f"{place.language}/{place.template}.{place.channel}.v{number}.txt")
    if place.channel is ChannelName.SMS:
        return SmsText(number=number, text=_COMMENT.sub("", source).strip())
    subject = _SUBJECT.findall(source)[0]
    return EmailText(number=number, subject=subject, paragraphs=tuple(_PARAGRAPH.findall(source)))


def _layout(name: str) -> str:
    """Return the source of a layout: ``<language>/<notice>``, or a file that layouts include."""
    if "." in name:
        return _source(name)
    language, template = name.split("/")
    place = Place(Language(language), Template(template), ChannelName.EMAIL)
    source = _source(f"{name}.email.v{_newest()[place]}.txt")
    numbers = iter(range(len(_PARAGRAPH.findall(source))))
    source = _PARAGRAPH.sub(lambda _: f"{{{{ say.paragraphs(paragraphs[{next(numbers)}]) -}}}}\n", source)
    return _SUBJECT.sub("{% block subject %}{{ subject_line }}{% endblock %}", source)


def _source(name: str) -> str:
    return _PACKAGE.get_source(_PLAIN, name)[0]
