"""FastAPI runs a dependency that is no coroutine in a thread, which costs more CPU than the dependency itself."""

import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from desk.local.app import create_app
from desk.local.services import LocalSettings

SERVICES = ("intake", "tracking", "registry-gateway", "notifier", "captcha")


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FastAPI]:
    return create_app(LocalSettings(Path(tmp_path_factory.mktemp("desk")))).services


def routes_of(app: FastAPI | APIRouter) -> Iterator[APIRoute]:
    for each in app.routes:
        if isinstance(each, APIRoute):
            yield each
        elif isinstance(included := getattr(each, "original_router", None), APIRouter):
            yield from routes_of(included)


def calls_of(dependant: Dependant) -> Iterator[object]:
    for each in dependant.dependencies:
        yield each.call
        yield from calls_of(each)


def is_async(call: object) -> bool:
    functions = (call, getattr(call, "__call__", None))  # noqa: B004 - an object with an async __call__
    return any(inspect.iscoroutinefunction(each) or inspect.isasyncgenfunction(each) for each in functions)


@pytest.mark.parametrize("service", SERVICES)
def test_no_dependency_runs_in_a_thread(apps: dict[str, FastAPI], service: str):
    routes = list(routes_of(apps[service]))
    calls = {call for route in routes for call in calls_of(route.dependant)}

    assert calls, "no dependency was found"
    assert [call for call in calls if not is_async(call)] == []
    assert [route.path for route in routes if not is_async(route.endpoint)] == []
