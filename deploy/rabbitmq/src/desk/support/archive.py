"""The archive, and its summary, which is enough for most questions."""

import io
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from desk.chassis.bus.rabbit.layout import dead_queue
from desk.support.collect import Queues, Replica
from desk.topology.table import desk_topology

FOLDER = "support"


def archive(made_at: datetime, replicas: Sequence[Replica], queues: Queues) -> bytes:
    """Return the bundle as tar.gz: ``summary.txt``, ``queues.json``, and a folder for each replica."""
    files = {
        "summary.txt": "\n".join(summary(made_at, replicas, queues)) + "\n",
        "queues.json": json.dumps(
            {"error": queues.error, "missing": queues.missing, "queues": [each.model_dump() for each in queues.queues]},
            indent=1,
        ),
        **{name: text for place, each in enumerate(replicas, 1) for name, text in _files_of(place, each)},
    }
    return _packed(made_at, files)


def _files_of(place: int, replica: Replica) -> Iterator[tuple[str, str]]:
    if replica.state is not None:
        folder = f"{replica.service}-{place}"
        yield f"{folder}/state.json", replica.state.model_dump_json(indent=1, exclude={"recent_errors"})
        yield f"{folder}/errors.jsonl", "".join(f"{line}\n" for line in replica.state.recent_errors)
        yield f"{folder}/metrics.txt", replica.metrics


def _packed(made_at: datetime, files: Mapping[str, str]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in files.items():
            content = text.encode()
            entry = tarfile.TarInfo(f"{FOLDER}/{name}")
            entry.size, entry.mtime, entry.mode = len(content), int(made_at.timestamp()), 0o600
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def summary(made_at: datetime, replicas: Sequence[Replica], queues: Queues) -> list[str]:
    """Return a line for each replica, and one for each queue with something to look at."""
    lines = [f"made at {made_at.isoformat(timespec='seconds')}", "", "services"]
    lines += [f"  {each.service} at {each.place}: {_state(each)}" for each in replicas]
    return [*lines, "", "queues", *(f"  {line}" for line in _about(queues))]


def _state(replica: Replica) -> str:
    state = replica.state
    if state is None:
        return f"DOWN: {replica.error}"
    ready = "ready" if state.ready else f"NOT READY: {state.reason}"
    migration = f"migration {state.migration_found} of {state.migration_needed}" if state.migration_needed else ""
    errors = f"{len(state.recent_errors)} recent warnings and errors"
    started = f"started {state.started_at.isoformat(timespec='seconds')}"
    return ", ".join(filter(None, (ready, f"version {state.version}", migration, started, errors)))


def _about(queues: Queues) -> Iterator[str]:
    if queues.error:
        yield f"DOWN: {queues.error}"
        return
    yield f"{len(queues.queues)} queues, {sum(each.messages for each in queues.queues)} messages"
    yield from (f"{name}: MISSING; run desk-topology apply" for name in queues.missing)
    dead = {dead_queue(each.name) for each in desk_topology().queues}
    for each in queues.queues:
        if each.messages:
            what = "dead letters" if each.name in dead else f"messages, {each.consumers} consumers"
            yield f"{each.name}: {each.messages} {what}"
