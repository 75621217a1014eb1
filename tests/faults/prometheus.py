"""A Prometheus with the rules of ``deploy/observability``, in which a minute is a second."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml
from support.embedded_desk import answers, wait_for
from support.real_desk import RealDesk

from desk.testing.ports import free_port
from desk.testing.process import LocalProcess, find_program

RULES = Path(__file__).parents[2] / "deploy" / "observability" / "rules"
SERVICES = ("captcha", "registry-gateway", "intake", "tracking", "notifier")
SECONDS = {"m": 1, "h": 60, "d": 1440}
"""What these units of the rules become. Ages in seconds, which metrics have, stay as they are."""
_DURATION = re.compile(r"\b(\d+)(m|h|d)\b")


def shortened(duration: str) -> str:
    """Return the text with its durations, for example ``[5m]``, in the time of the test."""
    return _DURATION.sub(lambda found: f"{int(found[1]) * SECONDS[found[2]]}s", duration)


def rules(text: str) -> dict[str, Any]:
    """Return a file of rules in the time of the test."""
    document: dict[str, Any] = yaml.safe_load(text)
    for group in document["groups"]:
        group["interval"] = "1s"
        for rule in group["rules"]:
            rule["expr"] = shortened(rule["expr"])
            if "for" in rule:
                rule["for"] = shortened(rule["for"])
    return document


class Prometheus:
    """Reads the metrics of every service of a desk, and of its queues, each second."""

    def __init__(self, url: str) -> None:
        self._url = url

    def alarms(self) -> set[str]:
        """Return the names of the alarms that fire."""
        found = httpx.get(f"{self._url}/api/v1/alerts", timeout=30).raise_for_status().json()["data"]["alerts"]
        return {each["labels"]["alertname"] for each in found if each["state"] == "firing"}

    def reads(self, services: int) -> bool:
        """Return whether so many services are read."""
        query = {"query": "sum(up)"}
        found = httpx.get(f"{self._url}/api/v1/query", params=query, timeout=30).raise_for_status().json()
        return any(float(each["value"][1]) == services for each in found["data"]["result"])


@contextmanager
def prometheus(desk: RealDesk, folder: Path) -> Iterator[Prometheus]:
    """Run a Prometheus for this desk, and wait until it reads every service. It removes the folder."""
    for file in RULES.glob("*.yaml"):
        (folder / file.name).write_text(yaml.safe_dump(rules(file.read_text(encoding="utf-8"))), encoding="utf-8")
    labels = {"namespace": "service-desk", "endpoint": "health"}
    targets = [
        {"targets": [desk[name].health_url.removeprefix("http://")], "labels": labels | {"service": name}}
        for name in SERVICES
    ]
    settings = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(folder / "*.yaml")],
        "scrape_configs": [
            {"job_name": "service-desk", "static_configs": targets},
            {"job_name": "queues", **desk.broker.queue_metrics},
        ],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    port = free_port()
    command = [find_program("prometheus"), f"--config.file={folder / 'prometheus.yml'}"]
    command += [f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}"]
    process = LocalProcess(command, folder=folder)
    process.start()
    try:
        running = Prometheus(f"http://127.0.0.1:{port}")
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/-/ready"))
        wait_for(lambda: running.reads(len(SERVICES) + 1))
        wait_for(
            lambda: "DeskServiceDown" not in running.alarms()
        )  # which fires while the first target is not read yet
        yield running
    finally:
        process.close()
