"""The first version of the catalogue, which is the JSON file of the package."""

from functools import cache
from importlib.resources import files

from desk.intake.domain import Catalog


@cache
def load_catalog() -> Catalog:
    """Read the first version once."""
    text = files("desk.intake").joinpath("catalog.json").read_text(encoding="utf-8")
    return Catalog.model_validate_json(text)
