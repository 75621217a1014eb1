"""The cost of the rate limits for a normal applicant, and the result of a sweep, with both services as processes.

Real Redis and PostgreSQL, SOAP between the services. Proof of work is excluded: ``challenges.py`` measures it.
"""

import argparse
import contextlib
import json
import os
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import httpx

from desk.chassis.crypto import new_key_pair, new_secret
from desk.iran.national_id import check_digit
from desk.registry_gateway.adapters.people import people
from desk.testing.ports import free_port
from desk.testing.postgres import open_postgres
from desk.testing.redis import open_redis

PLENTY = "1000000/minute"
WITHOUT_LIMITS = dict.fromkeys(
    (
        "MISMATCHES_PER_SOURCE",
        "MISMATCHES_PER_NUMBER",
        "LOOKUPS_PER_SOURCE",
        "LOOKUPS_OF_SERVICE",
    ),
    PLENTY,
)
ENVELOPE = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:est="http://est"><soapenv:Body>'
    "<est:getEstelam3><arg4><birthDate>{birth_date}</birthDate><nin>{nin}</nin></arg4></est:getEstelam3>"
    "</soapenv:Body></soapenv:Envelope>"
)
LIVING = [person.identity for person in people() if not person.deceased]


NAMED = Path(__file__).with_name("named_lookup.py")


def process(
    service: str, environment: dict[str, str], *commands: str
) -> contextlib.AbstractContextManager[httpx.Client]:
    """Run a service with its command line, after its other commands, and yield a client for it."""
    prefix = f"DESK_{service.upper()}_"
    inherited = os.environ | {f"{prefix}{name}": value for name, value in environment.items()}
    command = [sys.executable, "-c", f"from desk.{service}.main import main; main()"]
    for each in commands:
        subprocess.run([*command, each], env=inherited, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
    return served([*command, "serve"], inherited)


@contextlib.contextmanager
def served(command: Sequence[str], environment: dict[str, str]) -> Iterator[httpx.Client]:
    """Run a server that takes ``--port``, and yield a client for it."""
    port = free_port()
    server = subprocess.Popen([*command, "--port", str(port)], env=environment)  # noqa: S603 - our own
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    client.get("/health/live")
                    break
                time.sleep(0.05)
            yield client
    finally:
        server.terminate()
        server.wait()


def timed(call: Callable[[], httpx.Response], status: int) -> float:
    """Make a call and return its duration in milliseconds."""
    begun = time.perf_counter()
    answer = call()
    took = time.perf_counter() - begun
    if answer.status_code != status:
        raise SystemExit(f"{status} was expected, not {answer.status_code}: {answer.text}")
    return took * 1000


def asked(national_id: str, birth_date: str) -> dict[str, str]:
    """Return the body of a look-up."""
    return {"national_id": national_id, "birth_date": birth_date}


def what_it_adds(
    gateway: httpx.Client, named: httpx.Client, simulator: httpx.Client, password: str, count: int
) -> None:
    """Print the median of a look-up, of the simulated registry alone and of the bare libraries, measured in turn."""
    direct, bare, through = [], [], []
    for turn in range(count + 100):
        person = LIVING[turn % len(LIVING)]
        body = ENVELOPE.format(birth_date=person.birth_date.compact(), nin=person.national_id.value)
        alone = timed(lambda body=body: simulator.post("/soap", content=body, auth=("desk", password)), 200)
        pair = asked(person.national_id.value, person.birth_date.isoformat())
        libraries = timed(lambda pair=pair: named.post("/api/identities", json=pair), 200)
        both = timed(lambda pair=pair: gateway.post("/api/identities", json=pair), 200)
        if turn >= 100:  # noqa: PLR2004 - the first ones warm up
            direct.append(alone)
            bare.append(libraries)
            through.append(both)
    alone, libraries, both = (statistics.median(each) for each in (direct, bare, through))
    print(
        f"a look-up: {both:.2f} ms through the gateway, {alone:.2f} ms the registry alone (p50 of {count}); "
        f"the gateway adds {both - alone:.2f} ms (wanted: 3), the libraries alone {libraries - alone:.2f} ms"
    )


def unknown_beside_mismatch(gateway: httpx.Client, count: int) -> None:
    """Print the difference between the medians of an unknown number and of a wrong birth date."""
    unknown, mismatch = [], []
    for turn, number in zip(range(count), numbers(), strict=False):
        unknown.append(timed(lambda n=number: gateway.post("/api/identities", json=asked(n, "1361-12-05")), 404))
        known = LIVING[turn % len(LIVING)].national_id.value
        mismatch.append(timed(lambda n=known: gateway.post("/api/identities", json=asked(n, "1300-01-01")), 404))
    apart = abs(statistics.median(unknown) - statistics.median(mismatch))
    print(
        f"unknown {statistics.median(unknown):.2f} ms, mismatch {statistics.median(mismatch):.2f} ms "
        f"(p50 of {count} each): {apart:.2f} ms apart (wanted: 10)"
    )


def sweep(gateway: httpx.Client, simulator: httpx.Client, count: int) -> None:
    """Print how many of ``count`` numbers in sequence, all from one source, reach the registry."""
    simulator.put("/control", json={}).raise_for_status()
    begun, statuses = time.perf_counter(), dict[int, int]()
    for _, number in zip(range(count), numbers(), strict=False):
        status = gateway.post("/api/identities", json=asked(number, "1361-12-05")).status_code
        statuses[status] = statuses.get(status, 0) + 1
    reached = simulator.get("/control").json()["inquiries"]
    seconds = time.perf_counter() - begun
    print(f"{count} numbers in sequence: {reached} reached the registry (wanted: 5), {statuses}, {seconds:.0f} s")


def numbers() -> Iterator[str]:
    """Yield well-formed numbers in sequence that no synthetic person has."""
    for place in range(10**6):
        nine = f"{427_000_000 + place}"
        yield nine + check_digit(nine)


def named_command(settings: dict[str, str], password: str) -> Sequence[str]:
    """Return the command of the bare libraries on the same servers."""
    given = {
        "registry": settings["REGISTRY_URL"],
        "password": password,
        "database": settings["DATABASE_URL"],
        "redis_url": settings["BUDGET_URL"].removesuffix("/0") + "/2",
        "envelope": ENVELOPE,
    }
    return [sys.executable, str(NAMED), json.dumps(given)]


def measure(count: int, of_each: int, numbers_swept: int) -> None:
    """Start everything and print the three results."""
    password, (private, _) = secrets.token_urlsafe(12), new_key_pair()
    with open_redis({}) as redis, open_postgres(settings={"fsync": "on"}) as postgres:
        url = postgres.create_database("registry", "registry", "bench")
        settings = {
            "DATABASE_URL": url,
            "VAULT_KEYS": f"k1:{new_secret()}",
            "INDEX_KEY": new_secret(),
            "BUDGET_URL": redis.url,
            "TOKEN_PRIVATE_KEY": private,
            "CAPTCHA_URL": "http://unused",
            "REQUIRE_PROOF": "false",
            "ADAPTER": "soap",
            "REGISTRY_USER": "desk",
            "REGISTRY_PASSWORD": password,
            "OPENS_AT": "00:00",
            "CLOSES_AT": "00:00",
            "MEMORY_SECONDS": "0",
            "LOG_LEVEL": "CRITICAL",
        }
        of_simulator = {"PASSWORD": password, "CONTROL": "true", "LOG_LEVEL": "CRITICAL"}
        with process("registry_simulator", of_simulator) as simulator:
            settings["REGISTRY_URL"] = f"{simulator.base_url}/soap".replace("//soap", "/soap")
            with process("registry_gateway", settings | WITHOUT_LIMITS, "migrate") as gateway:
                with served(named_command(settings, password), dict(os.environ)) as named:
                    what_it_adds(gateway, named, simulator, password, count)
                unknown_beside_mismatch(gateway, of_each)
            settings["BUDGET_URL"] = redis.url.removesuffix("/0") + "/1"  # a database without counters
            with process("registry_gateway", settings) as gateway:
                sweep(gateway, simulator, numbers_swept)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000, help="look-ups with and without the gateway")
    parser.add_argument("--of-each", type=int, default=1_000, help="unknown numbers and wrong birth dates")
    parser.add_argument("--sweep", type=int, default=10_000, help="numbers in sequence")
    options = parser.parse_args()
    measure(options.count, options.of_each, options.sweep)


if __name__ == "__main__":
    main()
