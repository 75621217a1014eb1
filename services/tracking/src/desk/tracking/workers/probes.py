"""Exports the success of the last probe, for the alarm when there has been none for some minutes."""

from prometheus_client import CollectorRegistry, Gauge

from desk.chassis.app import PeriodicTask
from desk.tracking.service import Probes

PAUSE_SECONDS = 15.0


class ProbeTask(PeriodicTask):
    """Sets the metrics of the last synthetic request that was submitted and found, whichever replica did so."""

    def __init__(self, probes: Probes, registry: CollectorRegistry, *, exported: bool) -> None:
        """Without ``exported``, because there is no probe, there are no metrics and so no alarm."""
        super().__init__(self.run_once, PAUSE_SECONDS)
        self._probes = probes
        into = registry if exported else None
        self._succeeded = Gauge(
            "desk_probe_success_time_seconds", "When a synthetic request was last found, Unix time", registry=into
        )
        self._seconds = Gauge(
            "desk_probe_seconds",
            "Time from the submission of the last synthetic request until it was found",
            registry=into,
        )

    async def run_once(self) -> None:
        """Read the last success and set the metrics. Without one within an hour they stay as they are."""
        last = await self._probes.last_found()
        if last is not None and last.found_at is not None:
            self._succeeded.set(last.found_at.timestamp())
            self._seconds.set((last.found_at - last.submitted_at).total_seconds())
