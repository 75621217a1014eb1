"""The recording and alerting rules: each alert fires when it should, alone, and is explained in the runbook."""

import re
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).parent
RULES = HERE.parent / "rules"
CASES = yaml.safe_load((HERE / "cases.yaml").read_text())
SERVICES = ("captcha", "registry-gateway", "intake", "tracking", "notifier")
GROUPS = ["desk-objectives", "desk-objectives-long"]
"""The second reads what the first records; otherwise promtool evaluates groups in a random order."""
FIRING = 'group by (alertname) (ALERTS{alertstate="firing"})'


def series_of(given, at):
    """Return the series of a case, with one that says that the service is up for each service it does not mention."""
    up = {service: f'up{{namespace="service-desk", endpoint="health", service="{service}"}}' for service in SERVICES}
    mentioned = {service for service in SERVICES for name in given if name.startswith("up{") and f'"{service}"' in name}
    minutes = {"m": 1, "h": 60}[at[-1]] * int(at[:-1])
    given = given | {name: f"1x{minutes}" for service, name in up.items() if service not in mentioned}
    return [{"series": name, "values": str(values)} for name, values in given.items()]


def both_tests(case, alert, name):
    """Return the two tests of a case as promtool reads them."""
    at = case["at"]
    labels = case["labels"] | alert["labels"]
    fires = {
        "name": f"{name} fires",
        "interval": "1m",
        "input_series": series_of(case["fires"], at),
        "alert_rule_test": [
            {
                "eval_time": at,
                "alertname": alert["alert"],
                "exp_alerts": [
                    {"exp_labels": labels, "exp_annotations": alert["annotations"] | {"summary": case["says"]}}
                ],
            }
        ],
        "promql_expr_test": [expect_firing(at, {alert["alert"], *case.get("with", [])})],
    }
    quiet = {
        "name": f"{name} is quiet",
        "interval": "1m",
        "input_series": series_of(case["quiet"], at),
        "promql_expr_test": [expect_firing(at, set(case.get("quiet_with", [])))],
    }
    return [fires, quiet]


def expect_firing(at, alerts):
    samples = [{"labels": f'{{alertname="{alert}"}}', "value": 1} for alert in sorted(alerts)]
    return {"expr": FIRING, "eval_time": at, "exp_samples": samples}


def alert_of(case):
    return case.partition(" ")[0]


def test_promtool_accepts_the_rules(promtool):
    done = promtool("check", "rules", *(str(file) for file in sorted(RULES.glob("*.yaml"))))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_test(alerts):
    assert {alert_of(case) for case in CASES} == alerts.keys()


@pytest.mark.parametrize("case", CASES)
def test_an_alert_fires_alone_and_is_quiet_otherwise(case, alerts, promtool, tmp_path):
    file = tmp_path / "rules-test.yaml"
    tests = {
        "rule_files": [str(each) for each in sorted(RULES.glob("*.yaml"))],
        "evaluation_interval": CASES[case].get("every", "1m"),
        "group_eval_order": GROUPS,
        "tests": both_tests(CASES[case], alerts[alert_of(case)], case),
    }
    file.write_text(yaml.safe_dump(tests))
    done = promtool("test", "rules", str(file))
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_alert_that_does_not_fire_is_noticed(alerts, promtool, tmp_path):
    case = CASES["DeskAuditBroken"]
    file = tmp_path / "rules-test.yaml"
    tests = both_tests(case | {"fires": case["quiet"]}, alerts["DeskAuditBroken"], "DeskAuditBroken")
    rules = [str(each) for each in sorted(RULES.glob("*.yaml"))]
    file.write_text(yaml.safe_dump({"rule_files": rules, "evaluation_interval": "1m", "tests": tests}))
    assert promtool("test", "rules", str(file)).returncode == 1


def test_every_alert_has_a_severity_and_a_heading_in_the_runbook(alerts, root):
    runbook = (root / "docs" / "operations.md").read_text(encoding="utf-8")
    headings = set(re.findall(r"^### (Desk[A-Za-z]+)$", runbook, re.MULTILINE))
    assert headings == alerts.keys()
    for name, alert in alerts.items():
        assert alert["labels"]["severity"] in {"critical", "warning"}, name
        assert alert["annotations"].keys() == {"summary", "runbook"}, name
        assert alert["annotations"]["runbook"] == f"docs/operations.md#{name.lower()}", name
