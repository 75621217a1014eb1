"""The contract in the package: its examples, with new ids for each use, and its schemas."""

import json
import secrets
import uuid
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator

from desk.expert.events import TYPE_PREFIX, TYPE_SUFFIX
from desk.expert.reports import HEADQUARTERS

CASES, EVENTS = "desk.cases", "desk.events"
_DAMM = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)

Envelope = dict[str, Any]


def new_code() -> str:
    """Return a new tracking code: twelve digits, the last by Damm's algorithm."""
    digits, interim = f"{secrets.randbelow(10**11):011}", 0
    for digit in digits:
        interim = _DAMM[interim][int(digit)]
    return f"{digits}{interim}"


class Contract:
    """The contract between the desk and one office: of a province, or headquarters."""

    def __init__(self, province: str) -> None:
        self.province = province
        self._user = HEADQUARTERS if province == HEADQUARTERS else "province.{province}"
        text = files("desk.expert_kit").joinpath("desk.asyncapi.json").read_text(encoding="utf-8")
        self._document: dict[str, Any] = json.loads(text)
        queues = self._document["x-queues"]
        self.queue, self.dead_queue = (
            json.loads(json.dumps(queues[name]).replace("{province}", province))
            for name in (self._user, f"{self._user}.dead")
        )

    @property
    def queue_name(self) -> str:
        """The name of the office's queue, which is also its user."""
        return self._user.replace("{province}", self.province)

    @property
    def provinces(self) -> list[str]:
        """List the keys of all offices."""
        user: str = self._document["components"]["schemas"]["ReportProperties"]["properties"]["user_id"]["pattern"]
        return sorted(user.removeprefix("^(").removesuffix("))$").replace("province\\.(", "").split("|"))

    @property
    def to_province(self) -> list[str]:
        """List the events that a province consumes, a new request first."""
        keys = [each["routingKey"] for each in self.queue["bindings"]]
        return [key.removesuffix(f".{self.province}") for key in keys]

    @property
    def reports(self) -> list[str]:
        """List the events that a province may publish."""
        return [key.rpartition(".")[0] for key in self._document["x-users"][self._user]["publishes"][CASES]]

    def event(self, name: str, code: str, seq: int) -> Envelope:
        """Return a new event about a request, made from the contract's example."""
        envelope: Envelope = deepcopy(self._document["components"]["messages"][name]["x-decrypted"]["example"])
        data = envelope["data"]
        envelope |= {"id": str(uuid.uuid4()), "seq": seq, "time": _now()}
        if "tracking_code" in data:
            envelope["subject"] = data["tracking_code"] = code
        for part in {"province", "office"} & data.keys():
            if self.province != HEADQUARTERS or part == "office":
                data[part]["key"] = self.province
        for file in _files_of(envelope["data"]):
            file["id"] = str(uuid.uuid4())
        return envelope

    def faults(self, envelope: object, data: object, properties: dict[str, Any], routing_key: str) -> Iterator[str]:
        """Yield the errors of a report: of its key, its properties, its envelope and its decrypted data."""
        name, _, province = routing_key.rpartition(".")
        if name not in self.reports or province != self.province:
            yield f"routing key {routing_key!r} is not <report>.{self.province}; reports are {', '.join(self.reports)}"
            return
        messages = self._document["components"]["messages"]
        for schema, value in (
            (messages[name]["payload"], envelope),
            (messages[name]["x-decrypted"]["data"], data),
            (messages[name]["x-amqp-properties"], properties),
        ):
            whole = {"components": self._document["components"], **schema}
            for error in Draft202012Validator(whole).iter_errors(value):
                if list(error.absolute_path) != ["user_id"]:  # a test broker has other users
                    yield f"{name}: {error.json_path.removeprefix('$.')}: {error.message[:160]}"
        if isinstance(envelope, dict):
            yield from self._mismatches(name, envelope, data, properties)

    def _mismatches(self, name: str, envelope: Envelope, data: object, properties: dict[str, Any]) -> Iterator[str]:
        for what, actual, wanted in (
            ("message_id", properties.get("message_id"), envelope.get("id")),
            ("source", envelope.get("source"), f"/office/{self.province}"),
            (
                "data.tracking_code",
                data.get("tracking_code") if isinstance(data, dict) else None,
                envelope.get("subject"),
            ),
        ):
            if actual != wanted:
                yield f"{name}: {what} is {actual!r} and should be {wanted!r}"


def event_type(name: str) -> str:
    """Return the type of an event by its name."""
    return f"{TYPE_PREFIX}{name}{TYPE_SUFFIX}"


def _files_of(data: dict[str, Any]) -> list[dict[str, Any]]:
    past = (file for step in data.get("history", []) for file in step.get("files", []))
    return [*data.get("attachments", []), *data.get("files", []), *past]


def use_files(data: dict[str, Any], content: bytes, sha256: str) -> list[str]:
    """Replace the files of an event by the kit's file; return their ids."""
    named = _files_of(data)
    for file in named:
        file |= {"size": len(content), "sha256": sha256}
    return [file["id"] for file in named]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
