"""Requests that schemathesis generates from each service's OpenAPI document get what the document promises, never 5xx.

Each operation is called without a valid authentication, and with the one that its security scheme requires. Some of the
generated values are replaced by ones that the desk knows, so that requests also get beyond the first check.
"""

import io
import os
import uuid
from enum import Enum

import pytest
import requests
import schemathesis
import urllib3
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from support.contract_callers import Caller
from support.contract_values import KNOWN
from support.in_process_desk import InProcessDesk

SERVICES = ("captcha", "registry-gateway", "intake", "tracking", "notifier")
EXAMPLES = 1000 if os.environ.get("FULL") else 12
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
Replaced = Enum("Replaced", ["NONE", "SOME", "ALL"])


class DeskAdapter(requests.adapters.HTTPAdapter):
    """Passes the requests of schemathesis on to an app of the embedded desk."""

    def __init__(self, client):
        super().__init__()
        self._client = client

    def send(self, request, **_):
        headers = [(name.encode("latin-1"), as_bytes(value)) for name, value in request.headers.items()]
        with self._client.stream(request.method, request.url, headers=headers, content=request.body) as found:
            body = io.BytesIO(b"".join(found.iter_raw()))  # requests decodes it
        answered = urllib3.HTTPHeaderDict(found.headers)
        raw = urllib3.HTTPResponse(body, answered, found.status_code, preload_content=False)
        return self.build_response(request, raw)


def as_bytes(value):
    return value if isinstance(value, bytes) else value.encode("latin-1")


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    running = InProcessDesk(tmp_path_factory.mktemp("desk"))
    yield running
    running.close()


def operations_of(app):
    generation = GenerationConfig(with_security_parameters=False)
    config = SchemathesisConfig(projects=ProjectsConfig(default=ProjectConfig(generation=generation)))
    return [each.ok() for each in schemathesis.openapi.from_dict(app.openapi(), config=config).get_all_operations()]


def cases_of(operation):
    takes_input = operation.body or operation.path_parameters or operation.headers
    modes = list(GenerationMode) if takes_input else [GenerationMode.POSITIVE]
    return st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes))


def no_values(_caller):
    return {}


def replace(case, known):
    """Replace fields of the body and parameters of the path by known values."""
    of_path = known.keys() & case.path_parameters.keys()
    case.path_parameters.update({name: known[name] for name in of_path})
    if isinstance(case.body, dict):
        case.body.update({name: known[name] for name in known.keys() - of_path})


def chosen(known, replaced, places):
    """Return all known values, or those at some places."""
    return {n: v for i, (n, v) in enumerate(sorted(known.items())) if replaced is Replaced.ALL or i in places}


def call(app_client, operation, caller=None):
    """Call the operation with generated requests, and return the statuses. Raises the failures of checks."""
    session, statuses = requests.Session(), []
    session.mount("http://desk", DeskAdapter(app_client))

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases_of(operation), replaced=st.sampled_from(Replaced), places=st.sets(st.integers(0, 11)))
    def run(case, replaced, places):
        headers = {}
        if caller is not None and replaced is not Replaced.NONE:
            replace(case, chosen(KNOWN.get(operation.label, no_values)(caller), replaced, places))
            headers["Idempotency-Key"] = str(uuid.uuid4())
        if caller is not None and (token := caller.token()) is not None:
            headers["Authorization"] = f"Bearer {token}"
        response = case.call(base_url="http://desk", session=session, headers=headers)
        statuses.append(response.status_code)
        case.validate_response(response, checks=CHECKS)

    run()
    return statuses


@pytest.mark.timeout(3600)  # with FULL=1
@pytest.mark.parametrize("service", SERVICES)
def test_generated_requests_with_authentication_get_what_the_document_promises(service, desk, subtests):
    app = desk.gateway.services[service]
    for operation in operations_of(app):
        with subtests.test(operation.label):
            statuses = call(desk.client_of(app), operation, Caller(desk, service, operation))
            assert 401 not in statuses
            assert min(statuses) < 300


@pytest.mark.timeout(3600)  # with FULL=1
@pytest.mark.parametrize("service", SERVICES)
def test_generated_requests_without_authentication_get_what_the_document_promises(service, desk, subtests):
    app = desk.gateway.services[service]
    for operation in operations_of(app):
        with subtests.test(operation.label):
            statuses = call(desk.client_of(app), operation)
            assert not operation.definition.raw.get("security") or min(statuses) >= 400
