"""The desk in a Kubernetes cluster: the overlay ``sovereign`` in a namespace of its own, reached by port-forwards."""

import base64
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from support.embedded_desk import wait_for

from desk.testing.ports import free_port

ROOT = Path(__file__).parents[2]
NAMESPACE = "service-desk"
OVERLAY = ROOT / "tests" / "k8s" / "desk"
SERVICES = ("gateway", "captcha", "registry-gateway", "intake", "tracking", "notifier")
BUILT = (*SERVICES, "registry-simulator", "topology", "console")
STORES = ("postgres", "rabbitmq", "redis", "s3", "mail", "clamav")
READY_SECONDS = 600
COMMAND_SECONDS = 120.0
FORWARD_SECONDS = 60.0
PUBLISHED = {"gateway": 8080, "rabbitmq": 5672, "mail": 8025}


class Cluster:
    """The desk in the cluster of ``KUBECONFIG``. It removes a namespace of an earlier run, and its own at the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._forwards = ExitStack()
        self._ports: dict[str, int] = {}
        self.secrets: dict[str, dict[str, str]] = {}

    # set-up and removal

    def load_images(self, command: str) -> None:
        """Give the node the images of the sovereign build; ``command`` is followed by the path of a tar file."""
        tar = self._folder / "images.tar"
        names = [f"service-desk/{name}:latest" for name in (*BUILT, *STORES)]
        run("docker", "save", "--output", str(tar), *names, seconds=READY_SECONDS)
        run(*shlex.split(command), str(tar), seconds=READY_SECONDS)
        tar.unlink()

    def up(self) -> float:
        """Apply the overlay and wait for every workload and job; return the seconds from applying it."""
        self.remove()
        made = run(sys.executable, str(ROOT / "deploy" / "k8s" / "make-secrets"), "local")
        self.secrets = {
            each["metadata"]["name"]: {key: base64.b64decode(it).decode() for key, it in each["data"].items()}
            for each in json.loads(made)["items"]
        }
        self.kubectl("apply", "--filename", str(ROOT / "deploy" / "k8s" / "base" / "namespace.yaml"), namespace="")
        self.kubectl("apply", "--filename", "-", typed=made)
        begun = time.monotonic()
        self.kubectl("apply", "--kustomize", str(OVERLAY), namespace="")
        self.wait_ready()
        seconds = time.monotonic() - begun
        for name in PUBLISHED:
            self.forward(name)
        return seconds

    def wait_ready(self) -> None:
        """Wait until every job is complete and every pod of every workload is available."""
        limit = f"--timeout={READY_SECONDS}s"
        try:
            self.kubectl("wait", "--for=condition=Complete", "job", "--all", limit, seconds=READY_SECONDS + 60)
            for kind in ("statefulset", "deployment"):
                for name in self.names(kind):
                    self.kubectl("rollout", "status", f"{kind}/{name}", limit, seconds=READY_SECONDS + 60)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.kubectl('get', 'pods,jobs')}\n{self._events()}") from error

    def _events(self) -> str:
        lines = self.kubectl("get", "events", "--sort-by=.lastTimestamp").splitlines()
        return "\n".join(line for line in lines if " Normal " not in line)[-4000:]

    def remove(self) -> None:
        """Delete the namespace with all that is in it, also volumes."""
        self._forwards.close()
        self._ports.clear()
        deleting = ("delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=300s")
        self.kubectl(*deleting, namespace="", seconds=330)

    # objects

    def kubectl(
        self, *arguments: str, typed: str | None = None, namespace: str = NAMESPACE, seconds: float = COMMAND_SECONDS
    ) -> str:
        """Run kubectl and return its output; an empty namespace is for what is in none."""
        place = ("--namespace", namespace) if namespace else ()
        return run(program("kubectl"), *place, *arguments, typed=typed, seconds=seconds)

    def objects(self, kind: str, *more: str) -> list[dict[str, Any]]:
        """List objects of a kind."""
        found: list[dict[str, Any]] = json.loads(self.kubectl("get", kind, "--output", "json", *more))["items"]
        return found

    def object(self, kind: str, name: str) -> dict[str, Any]:
        """Return one object."""
        found: dict[str, Any] = json.loads(self.kubectl("get", kind, name, "--output", "json"))
        return found

    def names(self, kind: str, *more: str) -> list[str]:
        """List the names of objects of a kind."""
        return [each["metadata"]["name"] for each in self.objects(kind, *more)]

    def pods(self, name: str) -> list[dict[str, Any]]:
        """List the pods of a workload that are not being deleted."""
        pods = self.objects("pods", "--selector", f"app.kubernetes.io/name={name}")
        return [each for each in pods if "deletionTimestamp" not in each["metadata"]]

    # what an operator does

    def restart(self, service: str) -> None:
        """Replace the pods of a service, and wait until that is done."""
        self.kubectl("rollout", "restart", f"deployment/{service}")
        self.kubectl("rollout", "status", f"deployment/{service}", "--timeout=300s", seconds=330)

    def scale(self, services: Sequence[str], replicas: int) -> None:
        """Set the number of replicas of these services, and wait until none is left if that is 0."""
        self.kubectl("scale", f"--replicas={replicas}", *(f"deployment/{each}" for each in services))
        if replicas == 0:
            wait_for(lambda: not any(self.objects("pods", "-l", f"app.kubernetes.io/name={each}") for each in services))

    def change_secret(self, name: str, **values: str) -> None:
        """Set keys of a Secret."""
        self.secrets[name] |= values
        self.kubectl("patch", "secret", name, "--patch", json.dumps({"stringData": values}))

    def run_job_again(self, name: str) -> None:
        """Delete a job and apply the overlay again, as docs/operations.md says."""
        self.kubectl("delete", "job", name)
        self.kubectl("apply", "--kustomize", str(OVERLAY), namespace="")
        wait = ("wait", "--for=condition=Complete", f"job/{name}", f"--timeout={READY_SECONDS}s")
        self.kubectl(*wait, seconds=READY_SECONDS + 60)

    def run_cron_job(self, name: str) -> str:
        """Run a CronJob once, as docs/operations.md does, and return what it printed."""
        job = f"{name}-{uuid.uuid4().hex[:6]}"
        self.kubectl("create", "job", job, f"--from=cronjob/{name}")
        try:
            self.kubectl("wait", "--for=condition=Complete", f"job/{job}", "--timeout=120s", seconds=150)
            return self.kubectl("logs", f"job/{job}")
        finally:
            self.kubectl("delete", "job", job)

    def may(self, account: str, verb: str, kind: str) -> str:
        """Return ``yes`` or ``no``: whether an account may do this to objects of the desk's namespace."""
        command = (program("kubectl"), "auth", "can-i", verb, kind, "--as", account, "--namespace", NAMESPACE)
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False)  # noqa: S603
        return done.stdout.strip()

    # access from outside

    def forward(self, name: str) -> None:
        """Forward a port of a Service to this machine, and again after its pod has ended."""
        self._ports[name] = self._ports.get(name) or free_port()
        self._forwards.enter_context(forwarded(name, self._ports[name], PUBLISHED[name]))
        wait_for(lambda: _is_open(self._ports[name]), FORWARD_SECONDS)

    @property
    def url(self) -> str:
        """The address of the gateway."""
        return f"http://127.0.0.1:{self._ports['gateway']}"

    def province_url(self, key: str) -> str:
        """Return the broker's address for a province."""
        user = f"province.{key}"
        return f"amqp://{user}:{self.secrets['broker-passwords'][user]}@127.0.0.1:{self._ports['rabbitmq']}/%2F"

    def event_keys(self, key: str) -> tuple[str, str]:
        """Return an office's private key for events, and the desk's public one."""
        public = json.loads(self.secrets["intake"]["DESK_INTAKE_EVENT_PUBLIC_KEYS"])
        return self.secrets["office-event-keys"][key], public["tracking"]

    def answer_to(self, captcha_id: str) -> str:
        """Return the digits of a picture from the store of the captcha service."""
        reading = f"REDISCLI_AUTH=$(cat /run/secrets/redis/password) redis-cli --raw HGET captcha:{captcha_id} answer"
        return self.kubectl("exec", "redis-0", "--", "sh", "-c", reading).strip()


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def forwarded(service: str, port: int, target: int, namespace: str = NAMESPACE) -> Iterator[None]:
    """Run ``kubectl port-forward`` in a loop: it ends with the pod that it has chosen."""
    forward = f"{program('kubectl')} --namespace {namespace} port-forward service/{service} {port}:{target}"
    loop = f"while :; do {forward}; sleep 0.2; done"
    process = subprocess.Popen(  # noqa: S603 - our own command
        ["/bin/sh", "-c", loop], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


def program(name: str) -> str:
    """Return the path of a tool: of the machine, or of those that the tests install."""
    found = shutil.which(name) or shutil.which(name, path=str(ROOT / ".cache" / "tools" / "bin"))
    assert found is not None, f"{name} is not installed"
    return found


def run(*command: str, typed: str | None = None, seconds: float = COMMAND_SECONDS) -> str:
    """Run a command from the root of the project and return its output."""
    done = subprocess.run(  # noqa: S603 - our own scripts and the clients of the cluster
        command, input=typed, cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)[:300]} ended with {done.returncode}: {done.stderr[-2000:]}"
    return done.stdout
