"""Versions of a document, drafts of the next one, and the differences between two contents."""

from dataclasses import dataclass
from datetime import datetime

FIRST_VERSION = 1
"""The number of the version that the package contains."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version, without its content. It never changes, but it can be cancelled until it is in force.

    ``author`` and ``approved_by`` are the names of two people of headquarters, empty for the first version.
    """

    number: int
    in_force_at: datetime
    note: str
    author: str
    approved_by: str
    approved_at: datetime
    cancelled_at: datetime | None = None
    cancelled_by: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft of the next version; ``revision`` counts its changes, ``editors`` are all who made one.

    ``based_on`` is the number of the version it began with. It can be approved while ``proposed_by`` is set, by a
    person who is no editor.
    """

    id: str
    revision: int
    based_on: int
    note: str
    editors: tuple[str, ...]
    proposed_by: str | None
    changed_at: datetime
    preview: str = ""
    """A random value, with which pages show the draft before it is in force; empty if the document has no pages."""


@dataclass(frozen=True, slots=True)
class Change:
    """A difference of two contents: ``path`` names the part by its keys; a side is None if the part is missing."""

    path: str
    before: object
    after: object


def changes_between(before: object, after: object) -> list[Change]:
    """List what differs between two JSON documents, in the order of the earlier one and then of the later one."""
    old, new = dict(_leaves("", before)), dict(_leaves("", after))
    paths = dict.fromkeys((*old, *new))
    return [Change(path, old.get(path), new.get(path)) for path in paths if old.get(path) != new.get(path)]


def _leaves(path: str, value: object) -> list[tuple[str, object]]:
    """List the values of a document; an element of a list is named by its key, or else by its place.

    The list itself has the names of its elements, so that a new order is a difference.
    """
    if isinstance(value, dict):
        return [leaf for name, each in value.items() for leaf in _leaves(f"{path}.{name}".lstrip("."), each)]
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        named = [(each.get("key", str(place)), each) for place, each in enumerate(value, 1) if isinstance(each, dict)]
        return [(path, [name for name, _ in named])] + [
            leaf for name, each in named for leaf in _leaves(f"{path}.{name}", each)
        ]
    return [(path, value)]
