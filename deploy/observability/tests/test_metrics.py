"""Rules, dashboards and runbook name metrics that the code defines, and the labels of these have few values."""

import ast
import json
import math
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from support.metrics import calls_in, metrics_of, name_of, names_in

from desk.captcha.domain import challenges
from desk.chassis.app import middleware
from desk.intake.domain.identity_checks import Outcome as IdentityOutcome
from desk.iran.offices import OFFICES
from desk.notifier.app import SMS_DISPATCHERS
from desk.notifier.domain import ChannelName
from desk.notifier.domain.messages import State as MessageState
from desk.notifier.domain.messages import Trouble
from desk.registry_gateway.domain import answers
from desk.security.rate_limits import MAX_LEVEL
from desk.topology.table import desk_topology
from desk.tracking.domain import State
from desk.tracking.service import Kind as Difference

ROOT = Path(__file__).parents[3]
DASHBOARDS = sorted((ROOT / "deploy" / "observability" / "dashboards").glob("*.json"))
OF_RABBITMQ = {"rabbitmq_detailed_queue_messages", "rabbitmq_detailed_queue_messages_ready"}
"""Of its plugin `rabbitmq_prometheus`; `tests/compose` reads them."""
FROM_OUTSIDE = {"up", "ALERTS"} | OF_RABBITMQ
"""Series that Prometheus itself or the broker makes."""
NOT_OF_THE_CODE = {"endpoint", "namespace", "service", "le", "alertname", "alertstate", "severity"}
"""Labels that Prometheus adds when it reads the services, that a histogram has, and of alarms."""
MOST_SERIES = 50_000
"""Of one metric at one replica, if every combination of labels occurred; far fewer do."""


def expressions_of(dashboard):
    return [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]


@pytest.fixture(scope="module")
def metrics(root):
    found = metrics_of(root)
    assert len(found) > 40
    return found


@pytest.fixture(scope="module")
def expressions(rules):
    """Every expression by where it is."""
    of_rules = {
        f"{file}: {rule.get('alert') or rule['record']}": rule["expr"] for file in rules for rule in rules[file]
    }
    of_dashboards = {
        f"{file.name}: {number}": expression
        for file in DASHBOARDS
        for number, expression in enumerate(expressions_of(json.loads(file.read_text())))
    }
    assert len(of_rules) > 30
    assert len(of_dashboards) > 30
    return of_rules | of_dashboards


def test_the_generated_files_are_up_to_date(root):
    command = [sys.executable, str(root / "deploy" / "observability" / "generate"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own script
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rule_of_kubernetes_has_the_groups_of_the_rule_files(root):
    rule = yaml.safe_load((root / "deploy/k8s/overlays/production/rules.yaml").read_text())
    files = sorted((root / "deploy/observability/rules").glob("*.yaml"))
    assert rule["spec"]["groups"] == [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]


def test_expressions_use_metrics_that_the_code_or_a_rule_defines(expressions, metrics, rules):
    recorded = {rule["record"] for of_file in rules.values() for rule in of_file if "record" in rule}
    known = FROM_OUTSIDE | recorded | {name for metric in metrics for name in metric.series}
    for place, expression in expressions.items():
        used = names_in(expression)
        assert used, place
        assert used <= known, place


def test_expressions_use_labels_that_the_code_defines(expressions, metrics):
    known = NOT_OF_THE_CODE | {label for metric in metrics for label in metric.labels}
    for place, expression in expressions.items():
        grouped = {label.strip() for found in re.findall(r"\bby \(([^)]*)\)", expression) for label in found.split(",")}
        matched = set(re.findall(r"[{,]\s*([a-z_]+)\s*[=!]", expression))
        assert grouped | matched <= known, place


def test_every_recorded_series_is_used(expressions, rules):
    used = {name for expression in expressions.values() for name in names_in(expression)}
    assert {rule["record"] for of_file in rules.values() for rule in of_file if "record" in rule} <= used


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_promtool_parses_every_expression_of_a_dashboard(file, promtool, tmp_path):
    expressions = expressions_of(json.loads(file.read_text()))
    records = [{"record": f"dashboard:panel{number}", "expr": each} for number, each in enumerate(expressions)]
    rules = tmp_path / "rules.yaml"
    rules.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": records}]}))
    done = promtool("check", "rules", str(rules))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_a_dashboard_has_panels_that_do_not_overlap(file):
    taken = set()
    for panel in json.loads(file.read_text())["panels"]:
        place = panel["gridPos"]
        cells = {
            (place["x"] + x, place["y"] + y)
            for x in range(place["w"])
            for y in range(place["h"])  # of 24 columns
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_the_runbook_names_metrics_that_the_code_defines(metrics, root):
    known = {name for metric in metrics for name in (*metric.series, metric.name)}
    for name in re.findall(r"`(desk_[a-z_]+)", (root / "docs" / "operations.md").read_text(encoding="utf-8")):
        assert name in known, name


# --- cardinality


def limit_names():
    """Return the names of all rate limits in the code of the services."""
    found = set()
    for call in calls_in(ROOT):
        place = 1 if name_of(call) in {"Attempt", "reserve", "_reserve", "require_available"} else None
        if place and len(call.args) >= 3 and isinstance(call.args[place], ast.Constant):
            found.add(call.args[place].value)
    return found | {"requests_of_identity", "requests_of_foreigner"}


def worker_names():
    named = [call.args[0] for call in calls_in(ROOT) if name_of(call) == "Worker" and call.args]
    dispatchers = {f"dispatcher-{channel}-{number}" for channel in ChannelName for number in range(SMS_DISPATCHERS)}
    constant = {name.value for name in named if isinstance(name, ast.Constant)}
    return constant | dispatchers | {"failures", "codes", "reports"}


def routes():
    """Return the templates of the paths of all services: each label is one of them, or ``unmatched``."""
    documents = [json.loads(file.read_text()) for file in (ROOT / "contracts").glob("*.openapi.json")]
    return {path for document in documents for path in document["paths"]} | {"unmatched"}


def services():
    return [tomllib.loads(file.read_text())["project"]["name"] for file in ROOT.glob("services/*/pyproject.toml")]


def event_types():
    return [file.stem for file in (ROOT / "contracts" / "events").glob("*.json")]


VALUES = {
    "province": [each.key for each in OFFICES],
    "queue": [queue.name for queue in desk_topology().queues],
    "route": routes(),
    "method": {*middleware._METHODS, "other"},
    "status": range(60),  # the statuses of HTTP that are defined
    "type": event_types(),
    "service": services(),
    "version": ["the one that runs"],
    "limit": limit_names(),
    "level": range(MAX_LEVEL + 1),
    "worker": worker_names(),
    "kind": {*challenges.Kind, *Difference},
    "purpose": {*challenges.Purpose, *answers.Purpose},
    "outcome": {
        *challenges.Outcome,
        *answers.Outcome,
        *answers.Reason,
        *IdentityOutcome,
        *MessageState,
        *("published", "unsent", "handled", "repeated", "failed", "lapsed", "lease_expired"),
    },
    "state": State,
    "result": ["clean", "infected", "unreadable", "unavailable"],
    "link": ["publish", "consume"],
    "registry": ["civil", "mobile"],
    "klass": answers.FailureKind,
    "budget": limit_names(),
    "channel": ChannelName,
    "provider": ["kavenegar", "smsir", "generic", "shown", ""],
    "trouble": Trouble,
}
"""What each label may be. A label of another name needs an entry, so that none is free text or a person's number."""


def test_offices_are_32():
    assert len(VALUES["province"]) == 32


def test_every_label_has_few_values(metrics):
    for metric in metrics:
        assert set(metric.labels) <= VALUES.keys(), f"{metric.name}: what are the values of its labels?"
        assert math.prod(len(VALUES[label]) for label in metric.labels) <= MOST_SERIES, metric.name


def test_each_set_of_values_is_small_and_known():
    for label, values in VALUES.items():
        assert 0 < len(values) <= 150, label
    assert {"misses", "requests_of_source", "codes"} <= limit_names()
    assert {"relay", "deadlines"} <= worker_names()
