"""The errors of a public route."""

from typing import Any

import httpx


def problem_of(answer: httpx.Response, status: int) -> dict[str, Any]:
    """Check that a response is a problem with Persian texts, and return it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    assert problem["type"] == f"/problems/{problem['code']}"
    for sentence in (problem["title"], *(error["message"] for error in problem["errors"])):
        assert any("\u0600" <= letter <= "\u06ff" for letter in sentence)
    return problem
