"""The published contracts: the generated files are current, and every consumer can read the examples."""

import json

import pytest
from openapi_spec_validator import validate

from desk.chassis.events import Event
from desk.contracts import documents as contracts
from desk.iran.offices import HEADQUARTERS, OFFICES
from desk.local.app import create_app
from desk.local.gateway_table import load_table
from desk.local.services import LocalSettings
from desk.topology.table import EVENTS, FROM_HEADQUARTERS, TO_HEADQUARTERS, desk_topology, office_queue
from desk.tracking.app import REPORT_QUEUES
from desk.tracking.events import NO_OFFICE, RequestErased

EXAMPLES = {each.event.type(): (each.source, each.event) for each in contracts.examples()}


def test_the_folder_matches_what_the_code_generates():
    assert contracts.differences() == []


def test_every_openapi_document_is_valid():
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in contracts.FOLDER.glob("*.openapi.json")]
    assert len(documents) == 5
    for document in documents:
        validate(document)


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory):
    return create_app(LocalSettings(tmp_path_factory.mktemp("contracts"))).services


@pytest.mark.parametrize("consumer", ["intake", "tracking", "notifier"])
def test_a_consumer_understands_the_published_examples(services, consumer: str):
    consumed: tuple[type[Event], ...] = services[consumer].state.bus.consumed_events
    assert consumed
    for event in consumed:
        published = json.loads((contracts.FOLDER / "events" / f"{event.name}.json").read_text(encoding="utf-8"))
        event.model_validate(published["data"] | {"an_unknown_field": 1})


@pytest.mark.parametrize("consumer", ["intake", "tracking", "notifier"])
def test_a_consumer_handles_exactly_what_its_queue_is_bound_to(services, consumer: str):
    consumed = {event.name for event in services[consumer].state.bus.consumed_events}
    read = {consumer} | (set(REPORT_QUEUES) if consumer == "tracking" else set())
    bound = [pattern for queue in desk_topology().queues if queue.name in read for _, pattern in queue.bindings]
    assert {pattern.partition(".")[0] for pattern in bound} == consumed


@pytest.mark.parametrize("name", [event.name for _, event in EXAMPLES.values() if event.exchange == EVENTS])
def test_an_event_is_encrypted_for_exactly_those_whose_queue_gets_it(name: str):
    (event,) = (each for _, each in EXAMPLES.values() if each.name == name)
    key = HEADQUARTERS.key if name in TO_HEADQUARTERS else "isfahan"
    queues = desk_topology().route(EVENTS, f"{name}.{key}")
    assert {queue.removeprefix("province.") for queue in queues} == set(event.receivers_of(key))


@pytest.mark.parametrize("key", [NO_OFFICE, HEADQUARTERS.key])
def test_the_request_to_erase_reaches_the_services_and_no_office_that_it_is_not_for(key):
    queues = set(desk_topology().route(EVENTS, f"request-erased.{key}"))
    assert queues == {"intake", "notifier", key} - {NO_OFFICE}
    assert set(RequestErased.receivers_of(key)) == queues


def test_every_event_has_a_queue():
    for source, event in EXAMPLES.values():
        key = HEADQUARTERS.key if event.name in {*TO_HEADQUARTERS, *FROM_HEADQUARTERS} else "isfahan"
        assert list(desk_topology().route(event.exchange, f"{event.name}.{key}")), (source, event.name)


def test_every_queue_has_a_consumer_or_is_read_by_others(services):
    of_offices = {office_queue(each.key) for each in OFFICES}
    for queue in desk_topology().queues:
        outside = queue.name in of_offices
        assert queue.name in services or queue.name in REPORT_QUEUES or outside


def test_every_public_route_belongs_to_the_service_the_gateway_sends_it_to(services):
    served = {(name, path) for name, app in services.items() for path in app.openapi()["paths"]}
    served |= {("intake", "/api/probe/requests"), ("tracking", "/api/probe/tracking")}  # in no document
    for route in load_table().routes:
        assert any(name == route.service and route.matches(path) for name, path in served), route.path
    public = {path for _, path in served if path.startswith("/api/")}
    assert all(any(route.matches(path) for route in load_table().routes) for path in public)
