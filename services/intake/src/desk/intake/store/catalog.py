"""The catalogue, read from the JSON file of the package."""

import json
from functools import cache
from importlib.resources import files

from desk.intake.domain import Catalog, Subject, SubSubject


@cache
def load_catalog() -> Catalog:
    """Read the catalogue once."""
    rows = json.loads(files("desk.intake").joinpath("catalog.json").read_text(encoding="utf-8"))["subjects"]
    return Catalog(
        tuple(
            Subject(
                key=row["key"],
                title=row["title"],
                sub_subjects=tuple(
                    SubSubject(sub["key"], sub["title"], sub["answer_within_days"], sub.get("office"))
                    for sub in row["sub_subjects"]
                ),
            )
            for row in rows
        )
    )
