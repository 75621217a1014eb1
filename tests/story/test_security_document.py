"""docs/security.md and docs/attacks.md name tests, arrows and limits that exist."""

import re
import tomllib
from itertools import product
from pathlib import Path

import pytest
from pydantic import AfterValidator

import desk.captcha.settings
import desk.console.settings
import desk.intake.settings
import desk.notifier.settings
import desk.registry_gateway.settings
import desk.tracking.settings
from desk.chassis.rate_limits import require_readable

ROOT = Path(__file__).parents[2]
PAGES = ("docs/security.md", "docs/attacks.md")
TEST = re.compile(r"`([\w./-]+\.(?:py|js))(?:::(\w+))?`")
FOLDER = re.compile(r"`([\w/-]+/tests)`")
ARROW = re.compile(r"`([a-z0-9-]+) → ([a-z0-9-]+)`")
SETTINGS = (
    desk.captcha.settings.Settings,
    desk.registry_gateway.settings.Settings,
    desk.intake.settings.Settings,
    desk.tracking.settings.Settings,
    desk.notifier.settings.Settings,
    desk.console.settings.Settings,
)
BUDGETS = re.compile(r"_budget$")
"""Older settings that are limits too, as a text with a pattern."""


def text_of(page):
    return (ROOT / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_every_test_that_a_page_names_exists(page):
    missing = [
        f"{path}::{test}"
        for line in text_of(page).splitlines()
        for path, test in TEST.findall(line)
        if not any(is_defined(ROOT / folder / path, test) for folder in folders_of(line, path))
    ]
    assert not missing


def folders_of(line, path):
    """Return where a file is: one without a folder is in a folder that its line names, or with the attacks."""
    if "/" in path:
        return {""}
    return {"tests/attacks", *FOLDER.findall(line), *(str(Path(each).parent) for each, _ in TEST.findall(line))}


def is_defined(file, test):
    return file.is_file() and (not test or re.search(rf"^(async )?def {test}\(", file.read_text("utf-8"), re.MULTILINE))


def test_a_missing_test_is_found():
    assert is_defined(Path(__file__), "test_a_missing_test_is_found")
    assert not is_defined(Path(__file__), "test_that_does_not_exist")
    assert not is_defined(ROOT / "tests/story/test_that_does_not_exist.py", "")


def test_the_page_names_many_tests():
    assert len({test for _, test in TEST.findall(text_of("docs/security.md")) if test}) > 100


def limits():
    """Return the variable and the default of each setting that is a rate limit."""
    for settings in SETTINGS:
        prefix = settings.model_config["env_prefix"]
        for name, field in settings.model_fields.items():
            checked = any(isinstance(each, AfterValidator) and each.func is require_readable for each in field.metadata)
            if checked or BUDGETS.search(name):
                yield f"{prefix}{name.upper()}", field.default


def test_there_are_limits_in_every_service_and_the_console():
    names = {name for name, _ in limits()}
    assert len(names) >= 24
    assert {name.split("_")[1] for name in names} == {"CAPTCHA", "REGISTRY", "INTAKE", "TRACKING", "CONSOLE"}


@pytest.mark.parametrize(("name", "default"), list(limits()))
def test_the_table_has_every_rate_limit_with_its_default(name, default):
    assert f"| `{name}` | `{default}` |" in text_of("docs/security.md")


def test_the_table_has_the_rates_of_the_gateway():
    table = tomllib.loads(text_of("gateway/routes.toml"))
    parts = [table["pages"], table["usual"], *table["route"]]
    rates = {(each["rate"], each.get("burst", table["usual"]["burst"])) for each in parts if "rate" in each}
    assert {
        (rate, burst) for rate, burst in rates if f"`{rate}`, burst {burst}" in text_of("docs/security.md")
    } == rates


def secrets_in(model, prefix):
    """Return the name of each setting whose type has a secret."""
    for name, field in model.model_fields.items():
        if "SecretStr" in repr(field.annotation):
            yield f"{prefix}{name.upper()}" if prefix else name


def secrets():
    for settings in SETTINGS:
        yield from secrets_in(settings, settings.model_config["env_prefix"])
    yield from secrets_in(desk.console.settings.ProvinceSettings, "")


@pytest.mark.parametrize("name", list(secrets()))
def test_the_inventory_has_every_secret_of_the_settings(name):
    inventory = text_of("docs/security.md").partition("## Keys and secrets")[2].partition("\n## ")[0]
    assert f"`{name}`" in inventory


def test_the_inventory_names_no_setting_that_does_not_exist():
    inventory = text_of("docs/security.md").partition("## Keys and secrets")[2].partition("\n## ")[0]
    known = {f"{each.model_config['env_prefix']}{name.upper()}" for each in SETTINGS for name in each.model_fields}
    assert set(re.findall(r"`(DESK_[A-Z0-9_]+)`", inventory)) <= known
    assert len(list(secrets())) > 30


def arrows_of_the_diagram():
    diagram = text_of("README.md").partition("```mermaid")[2].partition("```")[0]
    for line in diagram.strip().splitlines()[1:]:
        start, end = re.split(r"<?--.*-->|---|-->", line)
        ends = [[re.match(r"[a-z0-9-]+", node.strip())[0] for node in side.split(" & ")] for side in (start, end)]
        yield from map(frozenset, product(*ends))


def test_every_arrow_of_the_diagram_has_its_threats():
    drawn = set(arrows_of_the_diagram())
    assert len(drawn) > 20
    assert {frozenset(ends) for ends in ARROW.findall(text_of("docs/security.md"))} == drawn
