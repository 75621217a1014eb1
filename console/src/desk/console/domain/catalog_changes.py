"""The differences of a draft of the catalogue, as people read them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from desk.console.domain.catalog_forms import FIELD_KINDS, LEVELS, PAGES, Part, show_time

_NAMES: Mapping[str, str] = {
    "title": "عنوان",
    "title_en": "عنوان انگلیسی",
    "answer_within_days": "مهلت پاسخ (روز کاری)",
    "office": "ادارهٔ رسیدگی‌کننده",
    "guidance": "راهنما",
    "guidance_en": "راهنما به انگلیسی",
    "fields": "خانه",
    "documents": "مدرک",
    "closures": "تعطیلی",
    "notices": "اعلان",
    "holidays": "روزهای تعطیل",
    "active_from": "از",
    "active_until": "تا",
    "kind": "نوع",
    "required": "لازم",
    "choices": "گزینه",
    "level": "نوع",
    "pages": "صفحه‌ها",
    "text": "متن",
    "text_en": "متن انگلیسی",
}
_VALUES: Mapping[str, Mapping[str, str]] = {"kind": FIELD_KINDS, "level": LEVELS, "pages": PAGES}
_EMPTY: tuple[object, ...] = (None, "", [])


class Difference(Protocol):
    """A difference as the desk describes it; ``path`` names the part by its keys."""

    @property
    def path(self) -> str: ...
    @property
    def before(self) -> Any: ...
    @property
    def after(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class ReadableChange:
    """A difference: the part by its titles, and both sides."""

    part: str
    before: object
    after: object


def readable(changes: Iterable[Difference], content: Part) -> list[ReadableChange]:
    """Return the differences that people see; keys, and parts that are empty on both sides, are left out."""
    titles = {each["key"]: each["title"] for each in _titled(content)}
    found = []
    for each in changes:
        *places, name = each.path.split(".")
        if name == "key" or (each.before in _EMPTY and each.after in _EMPTY):
            continue
        if isinstance(each.before, list) and isinstance(each.after, list) and name not in {"holidays", "pages"}:
            if sorted(each.before) == sorted(each.after):
                part = [titles.get(place) or _NAMES.get(place, place) for place in places if place not in _LISTS]
                sides = [[titles.get(key, key) for key in side] for side in (each.before, each.after)]
                found.append(ReadableChange(" › ".join((*part, "ترتیب")), *sides))
            continue  # what is new or missing is in the rows of its parts
        part = [titles.get(place) or _NAMES.get(place, place) for place in places if place not in _LISTS]
        before, after = _value(name, each.before), _value(name, each.after)
        found.append(ReadableChange(" › ".join((*part, _NAMES.get(name, name))), before, after))
    return found


_LISTS = frozenset({"subjects", "sub_subjects"})


def _titled(content: Part) -> list[Part]:
    subjects = content["subjects"]
    subs = [each for subject in subjects for each in subject["sub_subjects"]]
    parts = [part for each in subs for name in ("fields", "documents") for part in each[name]]
    return [*subjects, *subs, *parts]


def _value(name: str, value: Any) -> object:
    if name in {"active_from", "active_until"}:
        return show_time(value)
    known = _VALUES.get(name, {})
    if isinstance(value, list):
        return [known.get(each, each) for each in value if isinstance(each, str)]
    return known.get(value, value) if isinstance(value, str) else value
