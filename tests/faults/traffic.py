"""Applicants at the real gateway: a steady rate of requests of every kind, and the responses to them."""

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
from support.public_gateway import RealApplicant
from support.real_desk import RealDesk
from support.sent import Sent

from desk.testing.gateway import GatewayServer

PEOPLE = 40
REQUESTS_PER_TURN = 7
"""What :meth:`Traffic._turn` sends in all."""


class Traffic:
    """Mixed traffic at a steady rate, or as fast as it is answered if that is slower, until `stop`."""

    def __init__(self, desk: RealDesk, gateway: GatewayServer, per_second: float, parallel: int) -> None:
        self.desk = desk
        self.answers: Counter[tuple[str, int]] = Counter()
        self.broken: list[str] = []
        """Requests without a response, or with an unexpected one."""
        self._parallel = parallel
        self._pause = REQUESTS_PER_TURN / per_second
        self._noting = threading.Lock()
        self._stop = threading.Event()
        self._people = [self._new_applicant(place, gateway) for place in range(PEOPLE)]
        self._thread = threading.Thread(target=self._run, name="traffic")

    def _new_applicant(self, place: int, gateway: GatewayServer) -> RealApplicant:
        person = RealApplicant(self.desk, place)
        person.client = httpx.Client(
            base_url=gateway.url,
            headers={"X-Forwarded-For": f"10.1.0.{place + 1}"},
            timeout=60,
            trust_env=False,
            event_hooks={"response": [self._note]},
        )
        return person

    def _note(self, response: httpx.Response) -> None:
        with self._noting:
            self.answers[response.request.url.path, response.status_code] += 1

    @property
    def number(self) -> int:
        """The number of responses."""
        with self._noting:
            return sum(self.answers.values())

    def start(self) -> None:
        """Identify every applicant, and begin."""
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda person: person.identify(), self._people))
        self.desk.applicants |= {person.place: (time.monotonic(), person) for person in self._people}
        self._thread.start()

    def stop(self) -> None:
        """Wait for requests in progress, and connect the applicants to the desk directly again."""
        self._stop.set()
        self._thread.join()
        for person in self._people:
            person.client.close()
            person.client = self.desk.client

    def _run(self) -> None:
        begun, turn = time.monotonic(), 0
        with ThreadPoolExecutor(self._parallel) as threads:
            free = threading.Semaphore(self._parallel)
            while not self._stop.is_set():
                free.acquire()
                threads.submit(self._turn, turn).add_done_callback(lambda _: free.release())
                turn += 1
                late = time.monotonic() - begun - turn * self._pause
                begun += max(0.0, late)  # requests that could not be sent in time are skipped
                self._stop.wait(max(0.0, -late))

    def _turn(self, number: int) -> None:
        """One turn of an applicant: read the catalog, identify again, send a request and track it."""
        person = self._people[number % PEOPLE]
        steps: tuple[Callable[[RealApplicant], object], ...] = (_read_catalog, _identify_again, self._send_and_track)
        for step in steps:
            try:
                step(person)
            except (AssertionError, httpx.TransportError) as fault:
                with self._noting:
                    self.broken.append(f"{step.__name__}: {type(fault).__name__}: {fault}"[:300])

    def _send_and_track(self, person: RealApplicant) -> None:
        key = str(uuid.uuid4())
        answer = person.send(person.form(), key)
        assert answer.status_code == httpx.codes.CREATED, answer.text
        code = answer.json()["tracking_code"]
        with self._noting:
            self.desk.ledger.append(Sent(code, key, with_email=True, statuses=[answer.status_code]))
        view = person.track(code)
        assert view.status_code == httpx.codes.OK, view.text


def _read_catalog(person: RealApplicant) -> None:
    answer = person.client.get("/api/catalog")
    assert answer.status_code == httpx.codes.OK, answer.text


def _identify_again(person: RealApplicant) -> None:
    person.identify()
