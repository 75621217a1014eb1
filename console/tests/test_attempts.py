"""Wrong passwords and codes: counted before they are evaluated, and never a lock-out of the right one."""

import asyncio
import hashlib
import itertools
import struct
from datetime import timedelta

import pyotp
import pytest
from redis.asyncio import Redis
from support.console_service import PASSWORD

from desk.console.domain.callers import Caller
from desk.console.domain.errors import (
    CountersUnavailableError,
    FieldError,
    ProofRequiredError,
    SecondFactorError,
    SignInError,
)
from desk.console.service import proofs, sign_in
from desk.console.service.attempts import Attempts
from desk.console.service.proofs import Proof, Proofs
from desk.console.service.sign_in import SignIn
from desk.security.rate_limits import RateLimits

ADDRESS = "192.0.2.1"
CALLER = Caller(ADDRESS)


@pytest.fixture(autouse=True)
def _little_work(monkeypatch):
    monkeypatch.setattr(proofs, "COST", 1)
    monkeypatch.setattr(proofs, "COUNTER_MAX", 3)


@pytest.fixture(params=["process", "redis"])
async def replicas(request, console, monkeypatch):
    """Two replicas of the console, or one that counts in its process."""
    monkeypatch.setattr("desk.security.rate_limits.CALL_SECONDS", 60.0)  # a busy machine may be slower than two seconds
    if request.param == "process":
        yield [console.sign_in]
        return
    url = request.getfixturevalue("redis_server").url
    clients = [Redis.from_url(url) for _ in range(2)]
    await clients[0].flushdb()

    def replica(client):
        attempts = console.attempts_in(RateLimits(client))
        return SignIn(console.database, console.encryption, console.clock, attempts, second_factor=True)

    yield [replica(client) for client in clients]
    for client in clients:
        await client.aclose()


@pytest.fixture
async def expert(console):
    return await console.account("expert")


@pytest.fixture
def evaluated(monkeypatch):
    """Record the passwords that are compared with a hash."""
    seen = []

    async def verify(_hash, password):
        seen.append(password)
        return password == PASSWORD

    monkeypatch.setattr(sign_in, "_verify", verify)
    return seen


def solve(challenge):
    """Search the counter as the browser does."""
    work = challenge.work
    nonce, salt = bytes.fromhex(work["nonce"]), bytes.fromhex(work["salt"])
    for counter in range(work["most"] + 1):
        key = hashlib.pbkdf2_hmac("sha256", nonce + struct.pack(">I", counter), salt, work["cost"], work["keyLength"])
        if key.startswith(bytes.fromhex(work["keyPrefix"])):
            return Proof(challenge.token, key.hex())
    raise AssertionError("no counter fits")


async def proof_for(console, replica, form="sign-in", account="expert", address=ADDRESS):
    """Solve the proof that the next attempt needs, and wait until it is valid."""
    challenge = await replica.challenge(form, account, address)
    console.now += proofs.delay(challenge.level)
    return solve(challenge)


async def fail(replica, times, username="expert", caller=CALLER):
    for _ in range(times):
        with pytest.raises(SignInError):
            await replica.check_password(username, "wrong", caller)


async def test_of_50_parallel_wrong_passwords_five_are_evaluated(replicas, expert, evaluated):
    turns = itertools.cycle(replicas)
    outcomes = await asyncio.gather(
        *(next(turns).check_password("expert", f"wrong {number}", CALLER) for number in range(50)),
        return_exceptions=True,
    )
    assert len(evaluated) == 5
    assert sum(isinstance(each, SignInError) for each in outcomes) == 5
    assert sum(isinstance(each, ProofRequiredError) for each in outcomes) == 45


@pytest.mark.parametrize("address", [ADDRESS, "198.51.100.7"])
async def test_the_right_password_passes_after_its_proof_of_work(console, replicas, expert, address):
    await fail(replicas[0], 5)
    caller = Caller(address)
    with pytest.raises(ProofRequiredError) as required:
        await replicas[-1].check_password("expert", PASSWORD, caller)
    assert required.value.level == 1
    proof = await proof_for(console, replicas[-1], address=address)
    assert await replicas[0].check_password("expert", PASSWORD, caller, proof)


async def test_each_further_attempt_needs_a_harder_proof_up_to_level_5(console, replicas, expert):
    await fail(replicas[0], 5)
    levels, counters = [], []
    for _ in range(7):
        challenge = await replicas[0].challenge("sign-in", "expert", ADDRESS)
        levels.append(challenge.level)
        counters.append(challenge.work["most"])
        console.now += proofs.delay(challenge.level)
        with pytest.raises(SignInError):
            await replicas[0].check_password("expert", "wrong", CALLER, solve(challenge))
    assert levels == [1, 2, 3, 4, 5, 5, 5]
    assert counters[:5] == [6, 12, 24, 48, 96]
    proof = await proof_for(console, replicas[0])
    assert await replicas[0].check_password("expert", PASSWORD, CALLER, proof)


async def test_a_proof_is_valid_once_also_at_another_replica(console, replicas, expert):
    await fail(replicas[0], 5)
    proof = await proof_for(console, replicas[0])
    outcomes = await asyncio.gather(
        *(replica.check_password("expert", "wrong", CALLER, proof) for replica in replicas * 10), return_exceptions=True
    )
    assert sum(isinstance(each, SignInError) for each in outcomes) == 1
    assert sum(isinstance(each, ProofRequiredError) for each in outcomes) == len(outcomes) - 1


async def test_a_proof_is_refused_early_late_for_another_form_and_with_a_wrong_solution(console, expert):
    await fail(console.sign_in, 5)
    early = solve(await console.sign_in.challenge("sign-in", "expert", ADDRESS))
    late = solve(await console.sign_in.challenge("sign-in", "expert", ADDRESS))
    other_form = solve(console.sign_in.attempts.proofs.create("code", 5))
    wrong = Proof((await console.sign_in.challenge("sign-in", "expert", ADDRESS)).token, "00")
    nonsense = Proof("no.token", "ff")

    async def refused(proof):
        with pytest.raises(ProofRequiredError):
            await console.sign_in.check_password("expert", PASSWORD, CALLER, proof)

    await refused(early)
    console.now += timedelta(seconds=20)
    for each in (other_form, wrong, nonsense):
        await refused(each)
    console.now += proofs.VALID
    await refused(late)


async def test_an_address_with_many_failed_attempts_needs_a_proof_for_every_account(console, replicas, expert):
    for number in range(30):
        await fail(replicas[0], 1, f"name{number}", Caller("203.0.113.9"))
    assert await replicas[0].check_password("expert", PASSWORD, CALLER)
    with pytest.raises(ProofRequiredError):
        await replicas[0].check_password("expert", PASSWORD, Caller("203.0.113.9"))
    proof = await proof_for(console, replicas[0], address="203.0.113.9")
    assert await replicas[0].check_password("expert", PASSWORD, Caller("203.0.113.9"), proof)


async def test_the_addresses_of_one_ipv6_network_are_one_source(replicas, expert):
    for number in range(30):
        await fail(replicas[0], 1, f"name{number}", Caller(f"2001:db8:0:{number:x}::1"))
    with pytest.raises(ProofRequiredError):
        await replicas[0].check_password("expert", PASSWORD, Caller("2001:db8:0:ff::7"))


async def test_right_passwords_are_not_counted(replicas, expert):
    for _ in range(40):
        await replicas[0].check_password("expert", PASSWORD, CALLER)
    await fail(replicas[0], 5)


async def test_of_50_parallel_wrong_codes_five_are_evaluated_and_the_right_one_passes(console, replicas, expert):
    replica = replicas[0]
    session = await replica.find_session(await replica.check_password("expert", PASSWORD, CALLER))
    device = pyotp.parse_uri(await replica.enrolment_uri(session))
    await replica.confirm_enrolment(session, device.at(console.now), ADDRESS)
    console.now += timedelta(seconds=90)
    session = await replica.find_session(await replica.check_password("expert", PASSWORD, CALLER))
    turns = itertools.cycle(replicas)
    outcomes = await asyncio.gather(
        *(next(turns).check_code(session, "00000", ADDRESS) for _ in range(50)), return_exceptions=True
    )
    assert sum(isinstance(each, SecondFactorError) for each in outcomes) == 5
    assert sum(isinstance(each, ProofRequiredError) for each in outcomes) == 45
    proof = await proof_for(console, replica, form="code")
    assert await replica.check_code(session, device.at(console.now), ADDRESS, proof)


async def test_wrong_codes_of_an_enrolment_need_a_proof_after_five(console, replicas, expert):
    replica = replicas[0]
    session = await replica.find_session(await replica.check_password("expert", PASSWORD, CALLER))
    device = pyotp.parse_uri(await replica.enrolment_uri(session))
    for _ in range(5):
        with pytest.raises(SecondFactorError):
            await replica.confirm_enrolment(session, "00000", ADDRESS)
    with pytest.raises(ProofRequiredError):
        await replica.confirm_enrolment(session, device.at(console.now), ADDRESS)
    proof = await proof_for(console, replica, form="enrol")
    assert await replica.confirm_enrolment(session, device.at(console.now), ADDRESS, proof)


async def test_of_25_wrong_old_passwords_five_are_evaluated_and_the_right_one_passes(console, replicas, expert):
    replica, new = replicas[0], "a new word of mine"
    session = await replica.find_session(await replica.check_password("expert", PASSWORD, CALLER))
    outcomes = await asyncio.gather(
        *(replica.change_password(session, f"wrong {number}", new, new, address=ADDRESS) for number in range(25)),
        return_exceptions=True,
    )
    assert sum(isinstance(each, FieldError) for each in outcomes) == 5
    assert sum(isinstance(each, ProofRequiredError) for each in outcomes) == 20
    proof = await proof_for(console, replica, form="password")
    assert await replica.change_password(session, PASSWORD, new, new, address=ADDRESS, proof=proof)


async def test_no_password_is_evaluated_while_redis_is_unavailable(console, expert, evaluated):
    unreachable = Redis(host="127.0.0.1", port=1, socket_connect_timeout=1)
    limits = RateLimits(unreachable)
    attempts = Attempts(limits, Proofs(limits, b"key", console.clock), b"key")
    replica = SignIn(console.database, console.encryption, console.clock, attempts, second_factor=True)
    with pytest.raises(CountersUnavailableError):
        await replica.check_password("expert", PASSWORD, CALLER)
    assert evaluated == []
    assert await replica.challenge("sign-in", "expert", ADDRESS) is None
    await unreachable.aclose()


async def test_neither_user_names_nor_addresses_are_in_redis(replicas, expert, redis_server):
    await fail(replicas[0], 1)
    client = Redis.from_url(redis_server.url, decode_responses=True)
    keys = "".join(await client.keys("*"))
    await client.aclose()
    assert "expert" not in keys
    assert ADDRESS not in keys
