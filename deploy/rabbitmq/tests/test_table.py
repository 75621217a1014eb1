"""The table of queues, as brokers are set up from it."""

import pytest

from desk.iran.offices import OFFICES
from desk.topology.table import (
    CASES,
    EVENTS,
    FROM_HEADQUARTERS,
    FROM_OFFICES,
    TO_HEADQUARTERS,
    TO_OFFICES,
    desk_topology,
    office_queue,
    report_queue,
)
from desk.tracking.app import REPORT_QUEUES

TOPOLOGY = desk_topology()


def test_every_office_has_a_queue_and_names_are_unique():
    names = [queue.name for queue in TOPOLOGY.queues]
    assert len(names) == len(set(names))
    assert {office_queue(each.key) for each in OFFICES} <= set(names)


def test_every_queue_belongs_to_a_service_or_to_an_office():
    others = {"intake", "tracking", "notifier"}
    own = {name(each.key) for each in OFFICES for name in (office_queue, report_queue)}
    assert {queue.name for queue in TOPOLOGY.queues} == others | own


def test_a_submission_reaches_tracking_the_notifier_and_its_province_alone():
    assert set(TOPOLOGY.route(EVENTS, "request-submitted.isfahan")) == {"tracking", "notifier", "province.isfahan"}


@pytest.mark.parametrize(
    ("name", "hearing"), [("request-pending", ["tracking", "notifier"]), ("request-identity-rejected", ["tracking"])]
)
def test_no_province_receives_a_request_before_its_identity_check(name, hearing):
    assert list(TOPOLOGY.route(EVENTS, f"{name}.isfahan")) == hearing


def test_a_synthetic_request_reaches_tracking_alone():
    assert list(TOPOLOGY.route(EVENTS, "request-probed.probe")) == ["tracking"]


@pytest.mark.parametrize("office", ["fars", "headquarters"])
@pytest.mark.parametrize("name", FROM_OFFICES)
def test_a_report_reaches_the_queue_for_the_reports_of_its_office_alone(name, office):
    assert list(TOPOLOGY.route(CASES, f"{name}.{office}")) == [f"reports.{office}"]


@pytest.mark.parametrize("name", FROM_HEADQUARTERS)
def test_what_headquarters_may_report_is_unroutable_for_a_province(name):
    assert list(TOPOLOGY.route(CASES, f"{name}.headquarters")) == ["reports.headquarters"]
    assert list(TOPOLOGY.route(CASES, f"{name}.fars")) == []


def test_only_the_queues_with_reports_are_untrusted_and_tracking_reads_them_all():
    untrusted = {queue.name for queue in TOPOLOGY.queues if queue.untrusted}
    assert untrusted == set(REPORT_QUEUES) == {report_queue(each.key) for each in OFFICES}


@pytest.mark.parametrize("name", TO_OFFICES)
def test_headquarters_receives_events_about_its_own_requests(name):
    assert "headquarters" in TOPOLOGY.route(EVENTS, f"{name}.headquarters")
    assert "headquarters" not in TOPOLOGY.route(EVENTS, f"{name}.qom")


@pytest.mark.parametrize("name", TO_OFFICES)
def test_a_province_receives_events_about_its_own_requests_only(name):
    hearing = set(TOPOLOGY.route(EVENTS, f"{name}.qom"))
    assert "province.qom" in hearing
    assert not any(queue.startswith("province.") and queue != "province.qom" for queue in hearing)


@pytest.mark.parametrize("name", TO_HEADQUARTERS)
def test_only_headquarters_receives_its_events(name):
    assert list(TOPOLOGY.route(EVENTS, f"{name}.headquarters")) == ["headquarters"]
    assert list(TOPOLOGY.route(EVENTS, f"{name}.qom")) == []


def test_an_unknown_key_is_unroutable():
    assert list(TOPOLOGY.route(EVENTS, "request-vanished.qom")) == []
    assert list(TOPOLOGY.route(EVENTS, "request-submitted.atlantis")) == ["tracking", "notifier"]
