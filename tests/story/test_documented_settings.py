"""Every setting is documented: all of them in docs/settings.md, and those without a default in docs/operations.md."""

import re
from pathlib import Path

import pytest

from desk.contracts.settings import PAGE, PROGRAMS
from desk.security.settings import REQUIRE_TLS

ROOT = Path(__file__).parents[2]
OPERATIONS = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
OF_SERVICES = [name for name in PROGRAMS if name not in {"desk-topology", "desk-probe", "registry-simulator"}]


def variables(settings, *, required):
    prefix = settings.model_config.get("env_prefix", "")
    fields = settings.model_fields.items()
    return [f"{prefix}{name.upper()}" for name, field in fields if field.is_required() or not required]


def documented():
    """Read the names in the first column. ``_BUCKET`` replaces some of the last words of the name before it."""
    names, parts = set(), []
    for line in OPERATIONS.splitlines():
        for name in re.findall(r"`((?:DESK)?_[A-Z0-9_<>]+)`", line.split("|")[1] if line.startswith("|") else ""):
            if name.startswith("DESK_"):
                names.add(name)
                parts = name.split("_")
            else:
                names |= {"_".join(parts[:end]) + name for end in range(2, len(parts))}
    return names


def test_the_page_has_every_settings_class_of_the_tree():
    found = {
        path.parent.name.replace("_", "-")
        for path in ROOT.glob("*/**/src/desk/*/settings.py")
        if re.search(r"^class Settings\(", path.read_text(encoding="utf-8"), re.MULTILINE)
    }

    assert found == {name.removeprefix("desk-") for name in PROGRAMS}


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_page_has_every_setting(program):
    page = PAGE.read_text(encoding="utf-8")

    assert [each for each in variables(PROGRAMS[program], required=False) if f"| `{each}` |" not in page] == []
    assert f"`{REQUIRE_TLS}=1`" in page


@pytest.mark.parametrize("program", OF_SERVICES)
def test_operators_read_of_every_setting_without_a_default(program):
    service = program.upper().replace("-", "_")
    names = documented()

    assert [
        each
        for each in variables(PROGRAMS[program], required=True)
        if each not in names and each.replace(f"DESK_{service}_", "DESK_<SERVICE>_") not in names
    ] == []


@pytest.mark.parametrize("name", [REQUIRE_TLS, "DESK_<SERVICE>_OWNER_DATABASE_URL"])
def test_operators_read_of_settings_that_production_needs(name):
    assert name in documented()


def test_the_example_of_the_consoles_provinces_has_every_required_key():
    from desk.console.settings import ProvinceSettings

    example = re.search(r"`DESK_CONSOLE_PROVINCES` \| `(\{.*?\}\})`", OPERATIONS)

    assert [name for name in ProvinceSettings.model_fields if f'"{name}"' not in example[1]] == []


def test_every_part_of_the_deployment_is_in_the_table_of_folders():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    folders = {path.relative_to(ROOT).parts[1] for path in ROOT.glob("deploy/*/*")} - {"mail"}

    assert [name for name in sorted(folders) if f"`deploy/{name}`" not in readme] == []
