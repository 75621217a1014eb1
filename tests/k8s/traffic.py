"""Requests at a steady rate from a pod of its own, because a port-forward ends with the gateway's pod."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from k8s.cluster import Cluster
from support.embedded_desk import wait_for

NAMESPACE = "service-desk-traffic"
PROGRAM = (Path(__file__).parent / "requests_at_a_rate.py").read_text(encoding="utf-8")
PER_SECOND = 20
START_SECONDS = 180.0


class Traffic:
    """A pod that reads public resources through the gateway's Service and counts the responses by status."""

    def __init__(self, cluster: Cluster, paths: tuple[str, ...], *, threads: int = 0) -> None:
        """``threads`` requests at a time without a pause; 0 is 20 requests a second in all."""
        self._cluster = cluster
        command = ["python3", "-c", PROGRAM, "http://gateway.service-desk:8080", str(threads or PER_SECOND)]
        command += ["load" if threads else "rate", *paths]
        container = {
            "name": "main",
            "image": "service-desk/intake",
            "imagePullPolicy": "IfNotPresent",
            "command": command,
        }
        self._pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "traffic", "namespace": NAMESPACE},
            "spec": {"containers": [container], "terminationGracePeriodSeconds": 1, "restartPolicy": "Never"},
        }

    def counted(self) -> Counter[str]:
        """Return how many responses there were by status, or by the name of an error."""
        printed = self._cluster.kubectl("logs", "traffic", "--tail=1", namespace=NAMESPACE).strip()
        return Counter(json.loads(printed)) if printed else Counter()

    def start(self) -> None:
        """Start the pod, and wait for its first responses."""
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        self._cluster.kubectl("apply", "--filename", "-", typed=json.dumps(namespace), namespace="")
        self._cluster.kubectl("apply", "--filename", "-", typed=json.dumps(self._pod), namespace=NAMESPACE)
        ready = ("wait", "--for=condition=Ready", "pod/traffic", f"--timeout={START_SECONDS:.0f}s")
        self._cluster.kubectl(*ready, namespace=NAMESPACE, seconds=START_SECONDS + 30)
        self.wait_for_more()

    def wait_for_more(self) -> None:
        """Wait for two seconds' worth of further responses."""
        reached = self.counted().total()
        wait_for(lambda: self.counted().total() > reached + 2 * PER_SECOND, START_SECONDS, pause=1)

    def stop(self) -> None:
        """End the pod."""
        self._cluster.kubectl("delete", "pod", "traffic", "--ignore-not-found", "--wait=true", namespace=NAMESPACE)


@contextmanager
def traffic(cluster: Cluster, *paths: str, threads: int = 0) -> Iterator[Traffic]:
    """Run traffic for these paths while the block runs."""
    running = Traffic(cluster, paths, threads=threads)
    try:
        running.start()
        yield running
    finally:
        running.stop()
