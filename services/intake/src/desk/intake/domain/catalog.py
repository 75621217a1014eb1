"""The catalogue: what can be asked for, until when, with which fields and documents, and what the pages announce."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Annotated, Literal, Self, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from desk.intake.domain.errors import (
    DeskClosedError,
    SubSubjectClosedError,
    UnknownSubjectError,
    UnknownSubSubjectError,
)
from desk.iran.digits import fold
from desk.iran.offices import OFFICE_KEYS

TEXT_MIN, TEXT_MAX = 10, 4000
"""Characters of a request's text."""
FILES_MAX = 5
DAYS_MAX = 90
FIELDS_MAX = 12

_FIRST_YEAR, _LAST_YEAR = 2020, 2200


def _moment(at: datetime) -> datetime:
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise ValueError(f"the year must be between {_FIRST_YEAR} and {_LAST_YEAR}")
    return at.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_moment)]
"""A moment that people can choose, in UTC."""
Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
Title = Annotated[str, AfterValidator(fold), Field(min_length=2, max_length=120)]
Sentence = Annotated[str, AfterValidator(fold), Field(min_length=2, max_length=600)]
OptionalSentence = Annotated[str, AfterValidator(fold), Field(max_length=600)]
FieldKind = Literal["text", "number", "date", "choice", "iban", "receipt_number"]
Page = Literal["home", "send", "track"]


class CatalogError(ValueError):
    """A rule of the catalogue that a document breaks; the message says which part, for the person who edits it."""


class Part(BaseModel):
    """A part of the catalogue, which never changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Timed(Part):
    """A part that is valid from ``active_from`` until before ``active_until``; None is no limit."""

    active_from: Moment | None = None
    active_until: Moment | None = None

    @model_validator(mode="after")
    def _check_times(self) -> Self:
        if self.active_from and self.active_until and self.active_until <= self.active_from:
            raise CatalogError("active_until must be later than active_from")
        return self

    def is_active(self, now: datetime) -> bool:
        """Return whether it is valid at a moment."""
        return (self.active_from is None or self.active_from <= now) and (
            self.active_until is None or now < self.active_until
        )


_T = TypeVar("_T", bound=Timed)


class Closure(Timed):
    """A time in which no request is accepted; the sentence is for applicants."""

    text: Sentence
    text_en: Sentence


class Notice(Timed):
    """A sentence on pages of the desk."""

    level: Literal["info", "warning"] = "info"
    text: Sentence
    text_en: Sentence
    pages: Annotated[tuple[Page, ...], Field(min_length=1)]


class Choice(Part):
    """A value of a field of kind ``choice``."""

    key: Key
    title: Title
    title_en: Title


class ExtraField(Part):
    """A further field of the form; ``choices`` are for the kind ``choice`` only."""

    key: Key
    title: Title
    title_en: Title
    kind: FieldKind
    required: bool = True
    choices: tuple[Choice, ...] = ()

    @model_validator(mode="after")
    def _check_choices(self) -> Self:
        if (self.kind == "choice") != bool(self.choices):
            raise CatalogError(f"field {self.key}: the kind choice, and no other kind, has choices")
        require_distinct((each.key for each in self.choices), f"field {self.key}")
        return self


class Document(Part):
    """A document that belongs to a request, as a file."""

    key: Key
    title: Title
    title_en: Title
    required: bool = True


class SubSubject(Timed):
    """A kind of request; ``answer_within_days`` counts working days.

    ``office`` is the key of the office that handles it in place of that of the chosen province.
    """

    key: Key
    title: Title
    title_en: str = ""
    answer_within_days: Annotated[int, Field(ge=1, le=DAYS_MAX)]
    office: str | None = None
    guidance: OptionalSentence = ""
    guidance_en: OptionalSentence = ""
    fields: Annotated[tuple[ExtraField, ...], Field(max_length=FIELDS_MAX)] = ()
    documents: Annotated[tuple[Document, ...], Field(max_length=FILES_MAX)] = ()
    closures: tuple[Closure, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.office is not None and self.office not in OFFICE_KEYS:
            raise CatalogError(f"sub-subject {self.key}: {self.office} is no office")
        require_distinct((each.key for each in self.fields), f"fields of {self.key}")
        require_distinct((each.key for each in self.documents), f"documents of {self.key}")
        return self


class Subject(Part):
    """A main subject."""

    key: Key
    title: Title
    title_en: str = ""
    sub_subjects: Annotated[tuple[SubSubject, ...], Field(min_length=1)]


class Catalog(Part):
    """All main subjects in the order in which they are shown, notices, closures of the desk, and days off.

    ``holidays`` are days that the desk does not count as working days, in addition to those of its calendar.
    """

    subjects: Annotated[tuple[Subject, ...], Field(min_length=1)]
    notices: tuple[Notice, ...] = ()
    closures: tuple[Closure, ...] = ()
    holidays: tuple[date, ...] = ()

    @model_validator(mode="after")
    def _check_keys(self) -> Self:
        require_distinct((each.key for each in self.subjects), "subjects")
        require_distinct((each.key for each in self.sub_subjects()), "sub-subjects")
        return self

    def at(self, now: datetime) -> Self:
        """Return what is valid at a moment; a closure that is over or has not begun is not part of it."""
        subjects = (
            subject.model_copy(
                update={
                    "sub_subjects": tuple(
                        each.model_copy(update={"closures": active(each.closures, now)})
                        for each in active(subject.sub_subjects, now)
                    )
                }
            )
            for subject in self.subjects
        )
        return self.model_copy(
            update={
                "subjects": tuple(each for each in subjects if each.sub_subjects),
                "notices": active(self.notices, now),
                "closures": active(self.closures, now),
            }
        )

    def next_change(self, now: datetime) -> datetime | None:
        """Return when the result of :meth:`at` changes next; None if it stays."""
        moments = (each for part in self._timed() for each in (part.active_from, part.active_until) if each is not None)
        return min((each for each in moments if each > now), default=None)

    def _timed(self) -> Iterator[Timed]:
        yield from self.notices
        yield from self.closures
        for sub_subject in self.sub_subjects():
            yield sub_subject
            yield from sub_subject.closures

    def sub_subjects(self) -> Iterator[SubSubject]:
        """Return the sub-subjects of all subjects."""
        for subject in self.subjects:
            yield from subject.sub_subjects

    def choose(self, subject_key: str, sub_subject_key: str) -> tuple[Subject, SubSubject]:
        """Return a subject and its sub-subject. Raises UnknownSubjectError or UnknownSubSubjectError."""
        for subject in self.subjects:
            if subject.key == subject_key:
                for sub_subject in subject.sub_subjects:
                    if sub_subject.key == sub_subject_key:
                        return subject, sub_subject
                raise UnknownSubSubjectError
        raise UnknownSubjectError

    def choose_open(self, subject_key: str, sub_subject_key: str) -> tuple[Subject, SubSubject]:
        """Return a subject and its sub-subject if they accept requests; used on the result of :meth:`at`.

        Raises DeskClosedError, SubSubjectClosedError, and the errors of :meth:`choose`.
        """
        if self.closures:
            raise DeskClosedError(self.closures[0].text)
        chosen = self.choose(subject_key, sub_subject_key)
        if closures := chosen[1].closures:
            raise SubSubjectClosedError(closures[0].text)
        return chosen

    def with_keys_of(self, later: "Catalog", now: datetime) -> "Catalog":
        """Return this version with what only a later one has, ended now: published keys stay (a way back)."""
        known, mine = {each.key for each in self.sub_subjects()}, {each.key: each for each in self.subjects}
        for subject in later.subjects:
            ended = tuple(
                each.model_copy(update={"active_from": None, "active_until": now})
                for each in subject.sub_subjects
                if each.key not in known
            )
            kept = mine[subject.key].sub_subjects if subject.key in mine else ()
            if ended:
                mine[subject.key] = (mine.get(subject.key) or subject).model_copy(update={"sub_subjects": kept + ended})
        return self.model_copy(update={"subjects": tuple(mine.values())})

    def require_keys_of(self, earlier: "Catalog") -> None:
        """Raise CatalogError if a subject or sub-subject of an earlier version is missing.

        Offices, figures and open requests name them; one that is no longer offered gets an ``active_until``.
        """
        mine = {(subject.key, each.key) for subject in self.subjects for each in subject.sub_subjects}
        theirs = {(subject.key, each.key) for subject in earlier.subjects for each in subject.sub_subjects}
        if missing := sorted(theirs - mine):
            names = ", ".join(f"{subject}/{sub_subject}" for subject, sub_subject in missing)
            raise CatalogError(f"missing: {names}; end a sub-subject by its active_until instead of removing it")


def active(parts: Iterable[_T], now: datetime) -> tuple[_T, ...]:
    """Return the parts that are valid at a moment."""
    return tuple(part for part in parts if part.is_active(now))


def require_distinct(keys: Iterable[str], place: str) -> None:
    """Raise CatalogError if a key is used twice."""
    if twice := [key for key, count in Counter(keys).items() if count > 1]:
        raise CatalogError(f"{place}: the key {twice[0]} is used twice")
