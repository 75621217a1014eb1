"""One run of the kit: set up, run the checks in order, and report the results."""

import difflib
import ssl
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from joserfc.jwk import OKPKey
from yarl import URL

from desk.expert_kit.checks import CHECKS, Check
from desk.expert_kit.contract import Contract
from desk.expert_kit.desk import DeskSide
from desk.expert_kit.errors import Fault, NotPossibleError
from desk.expert_kit.event_keys import EventKeys
from desk.expert_kit.file_server import FileServer
from desk.expert_kit.program import Program
from desk.expert_kit.proxy import Proxy
from desk.expert_kit.rehearsal import Rehearsal

NEAR = 0.5
"""How similar a key must be to be suggested."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options of the command line."""

    broker: str
    province: str
    login: str | None
    listen: str
    patience: float
    curve: str
    consumer: Sequence[str]


async def run(options: Options) -> bool:
    """Check a consumer; return whether all checks passed. Raises NotPossibleError."""
    broker, (host, port) = _broker(options.broker), _place(options.listen)
    _require_province(contract := Contract(options.province))
    tls = ssl.create_default_context() if broker.scheme == "amqps" else None
    proxy = Proxy(broker.host or "", broker.port or 5672, tls)
    key = OKPKey.generate_key("Ed25519")
    event_keys = EventKeys(options.curve)
    files = FileServer(options.province, key.as_pem(private=False).decode(), host, event_keys.key_set)
    program: Program | None = None
    try:
        async with proxy, DeskSide(broker, contract, proxy, event_keys) as desk:
            environment = {
                "BROKER_URL": str(_for_consumer(broker, options.login, host, await proxy.open(host, port))),
                "DESK_URL": files.url,
                "PROVINCE": options.province,
                "PRIVATE_KEY": key.as_pem(private=True).decode(),
                "EVENT_PRIVATE_KEY": event_keys.private_pem,
                "FORMER_EVENT_PRIVATE_KEY": event_keys.former_private_pem,
            }
            if options.consumer:
                program = Program(options.consumer, environment, Path(tempfile.mkdtemp()) / "consumer.log")
                program.start()
            else:
                _print(
                    "start your consumer with:\n"
                    + "".join(f"  {name}={value!r}\n" for name, value in environment.items())
                )
            try:
                return await _all(Rehearsal(contract, desk, proxy, files, program, options.patience))
            finally:
                if program is not None:
                    await program.kill()
                proxy.shut = True
                await proxy.cut()
                await desk.purge()
    finally:
        files.close()


async def _all(rehearsal: Rehearsal) -> bool:
    failed, passed, left, reads = 0, 0, 0, True
    excerpts: dict[str, list[str]] = {}
    for check in CHECKS:
        if obstacle := _obstacle(check, rehearsal, reads=reads):
            _print(f"  --    {check.name}: not tried; {obstacle}")
            left += 1
        elif await _passes(check, rehearsal, excerpts):
            passed += 1
        else:
            failed += 1
            if check.first:
                _print("        The other checks are skipped: fix this first.")
                break
            reads = check.looks_back or await rehearsal.restart_after_failure()
    if rehearsal.program is not None:
        _print_log(rehearsal.program.log, excerpts)
    _print(f"{passed} passed, {failed} failed" + (f", {left} not tried" if left else ""))
    return not failed


def _obstacle(check: Check, rehearsal: Rehearsal, *, reads: bool) -> str:
    if check.looks_back:
        return ""
    if check.kills and rehearsal.program is None:
        return "give your consumer's command after --"
    return "" if reads else "no consumer reads the queue any more"


async def _passes(check: Check, rehearsal: Rehearsal, excerpts: dict[str, list[str]]) -> bool:
    started_at, known, passes = time.monotonic(), len(rehearsal.remarks), True
    program, rehearsal.files.wrong_part = rehearsal.program, None
    log_size = program.log_size() if program is not None else 0
    try:
        await check.run(rehearsal)
    except Fault as fault:
        passes = False
        if program is not None and not check.looks_back:
            excerpts[check.name] = program.log_since(log_size)
        _print(f"  FAIL  {check.name}: {_indented(str(fault))}\n        do: {fault.advice}")
    else:
        _print(f"  ok    {check.name}: {check.says} ({time.monotonic() - started_at:.1f} s)")
    for remark in rehearsal.remarks[known:]:
        _print(f"        note: {remark}")
    return passes


def _print_log(log: Path, excerpts: dict[str, list[str]]) -> None:
    _print(f"The output of your consumer is in {log}")
    for name, lines in excerpts.items():
        if lines:
            _print("\n        ".join([f"        during the check {name!r}:", *lines]))


def _require_province(contract: Contract) -> None:
    if contract.province not in contract.provinces:
        near = difflib.get_close_matches(contract.province, contract.provinces, cutoff=NEAR)
        hint = f"did you mean {' or '.join(near)}?" if near else f"one of {', '.join(contract.provinces)}"
        raise NotPossibleError(f"--province: {contract.province!r} is no key of a province; {hint}")


def _broker(text: str) -> URL:
    url = URL(text)
    if url.scheme not in {"amqp", "amqps"} or not url.host:
        raise NotPossibleError("--broker is an address such as amqp://guest:guest@127.0.0.1:5672/")
    return url


def _for_consumer(broker: URL, login: str | None, host: str, port: int) -> URL:
    """Return the proxy's URL with the consumer's login; without TLS, because it is local."""
    if login is not None:
        user, _, password = login.partition(":")
        broker = broker.with_user(user).with_password(password)
    return broker.with_scheme("amqp").with_host(host).with_port(port)


def _place(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise NotPossibleError("--listen is an address and a port such as 127.0.0.1:5680")
    return host, int(port)


def _indented(text: str) -> str:
    return text.replace("\n", "\n        ")


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
