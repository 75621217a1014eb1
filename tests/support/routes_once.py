"""Builds the routes of FastAPI apps once in a process, although each test has an app of its own."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi import routing

_Context = routing._EffectiveRouteContext


@contextmanager
def routes_built_once() -> Iterator[None]:
    """Reuse what FastAPI prepares for a module's routes at the first request of an app: validators, a fifth of a test.

    They are the same in every app that includes the routes in the same way, but for ``app.dependency_overrides``, which
    no test uses. Routes that are defined in a function are prepared for each app.
    """
    built: dict[int, list[tuple[Any, Any]]] = {}  # by the id of a route, which its contexts keep
    build = _Context.from_api_route

    def from_api_route(*, original_route: routing.APIRoute, include_context: Any) -> Any:
        if "<locals>" in original_route.endpoint.__qualname__:
            return build(original_route=original_route, include_context=include_context)
        included = dataclasses.replace(include_context, dependency_overrides_provider=None)
        contexts = built.setdefault(id(original_route), [])
        for known, context in contexts:
            if known == included:
                return context
        contexts.append((included, build(original_route=original_route, include_context=included)))
        return contexts[-1][1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Context, "from_api_route", from_api_route)
        yield
