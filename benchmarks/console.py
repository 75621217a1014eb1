"""Response times of the console's pages with 100,000 cases in one province, over HTTP.

On SQLite, as in a small province, and on PostgreSQL. The run fails if the p95 of a page exceeds the limit.
"""

import argparse
import asyncio
import contextlib
import os
import random
import re
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from sqlalchemy import insert, text

from desk.console.domain.accounts import Account, Role
from desk.console.domain.cases import Case
from desk.console.domain.search import INDEX_VERSION
from desk.console.domain.states import Kind, State
from desk.console.encryption import Encryption, new_key
from desk.console.service.sign_in import hash_password
from desk.console.store.accounts import AccountStore
from desk.console.store.cases import CaseStore, HistoryEntry
from desk.console.store.search_index import request_words
from desk.console.store.tables import case, case_document, case_word, entry, sub_subject
from desk.database import Database, migrate
from desk.expert import Request
from desk.iran.workdays import WorkCalendar
from desk.testing.ports import free_port
from desk.testing.postgres import open_postgres

LIMIT_MS = 150
PROVINCE, PASSWORD, NOW = "isfahan", "a password of this run", datetime.now(UTC)
FIRST = ("نرگس", "مریم", "زهرا", "سارا", "لیلا", "رضا", "علی", "حسین", "محمد", "امیر", "بهرام", "کاوه")
LAST = tuple(
    f"{one}{two}" for one in ("باران", "دشت", "کوه", "رود", "سپید", "مهر") for two in ("نژاد", "پور", "زاده", "فر")
)
SUBJECTS = [(f"subject_{n % 6}", f"موضوع اصلی {n % 6}", f"sub_{n}", f"موضوع فرعی شمارهٔ {n}") for n in range(24)]
STATES = [(State.NEW, 24), (State.IN_PROGRESS, 5), (State.OBJECTED, 1), (State.ASKED, 3), (State.ANSWERED, 60)]
STATES += [(State.REJECTED, 4), (State.REFERRED, 2), (State.WITHDRAWN, 1)]
CHUNK = 2000


def invented(number: int, dice: random.Random) -> tuple[Case, Request]:
    """Invent a case: most are decided, a third of the open ones are late."""
    subject, subject_title, sub, sub_title = dice.choice(SUBJECTS)
    (state,) = dice.choices([each for each, _ in STATES], [weight for _, weight in STATES])
    open_ = state in {State.NEW, State.IN_PROGRESS, State.OBJECTED, State.ASKED}
    submitted = NOW - timedelta(minutes=dice.randrange(60 * 24 * (15 if open_ else 700)))
    due = submitted + timedelta(days=10)
    code = f"{10**11 + number:012}"
    request = Request.model_validate(
        {
            "tracking_code": code,
            "submitted_at": submitted,
            "due_at": due,
            "province": {"key": PROVINCE, "name": "اصفهان"},
            "subject": {"key": subject, "title": subject_title},
            "sub_subject": {"key": sub, "title": sub_title},
            "applicant": {
                "national_id": f"{1_000_000_000 + number}",
                "birth_date": "1361-12-05",
                "first_name": dice.choice(FIRST),
                "last_name": dice.choice(LAST),
                "gender": "female",
            },
            "contact": {"mobile": f"+98912{number:07}"},
            "text": "روادید من هنوز صادر نشده است. لطفاً راهنمایی کنید. " * 8,
        }
    )
    decided = state in {State.ANSWERED, State.REJECTED}
    return (
        Case(
            province=PROVINCE,
            tracking_code=code,
            state=state,
            seq=1,
            request_seq=1,
            submitted_at=submitted,
            due_at=due,
            answer_days=7,
            sub_subject=sub,
            decided_at=submitted + timedelta(hours=dice.randrange(1, 400)) if decided else None,
            report_seq=2,
            rating=dice.choice((None, None, 1, 2, 3, 4, 5, 5)) if state is State.ANSWERED else None,
        ),
        request,
    )


async def fill(url: str, key: str, count: int) -> list[Request]:
    """Write cases with search words and history as the console would; return some of the requests."""
    await migrate("desk.console", url)
    database, encryption, calendar, dice = Database(url), Encryption.from_text(key), WorkCalendar(), random.Random(1405)  # noqa: S311 - an even spread
    password_hash, sample = await hash_password(PASSWORD), []
    async with database.transaction() as session:
        for role in Role:
            account = Account(role.value, PROVINCE, role.value, role.value, role, True, False, False)
            await AccountStore(session, encryption).add(account, password_hash, NOW)
        rows = [
            {"province": PROVINCE, "key": sub, "title": title, "subject_title": of} for _, of, sub, title in SUBJECTS
        ]
        await session.execute(insert(sub_subject), rows)
    for start in range(0, count, CHUNK):
        made = [invented(number, dice) for number in range(start, min(start + CHUNK, count))]
        sample.append(made[0][1])
        async with database.transaction() as session:
            store = CaseStore(session, encryption, calendar)
            await session.execute(
                insert(case), [store.case_row(each) | {"index_version": INDEX_VERSION} for each, _ in made]
            )
            await session.execute(
                insert(case_document), [await store.document_row(each, request) for each, request in made]
            )
            clients = [
                await store.entry_row(
                    each, HistoryEntry(f"{each.tracking_code}/{kind}", NOW, kind, text="متنی کوتاه " * 20), NOW
                )
                for each, _ in made
                for kind in ("request-submitted", Kind.ASSIGNED, Kind.ANSWERED)
            ]
            await session.execute(insert(entry), clients)
            index_words = [
                {
                    "province": PROVINCE,
                    "word": encryption.index_word(word, PROVINCE),
                    "tracking_code": each.tracking_code,
                }
                for each, request in made
                for word in request_words(request)
            ]
            await session.execute(insert(case_word), index_words)
    async with database.engine.begin() as connection:
        await connection.execute(text("ANALYZE"))
    await database.close()
    return sample


@contextlib.contextmanager
def served(url: str, key: str) -> Iterator[str]:
    """Run ``desk-console serve`` without the second factor, so that a script can sign in."""
    port = free_port()
    own = {"DATABASE_URL": url, "KEYS": key, "SECURE_COOKIES": "false", "SECOND_FACTOR": "false"}
    environment = os.environ | {f"DESK_CONSOLE_{name}": value for name, value in own.items()}
    command = [sys.executable, "-m", "desk.console.main", "serve", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)  # noqa: S603 - our own command
    try:
        address = f"http://127.0.0.1:{port}"
        while process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{address}/health/live")
                break
            time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait()


def signed_in_client(address: str, username: str) -> httpx.Client:
    """Sign in."""
    client = httpx.Client(base_url=address, follow_redirects=True, timeout=60)
    (word,) = re.findall(r'name="form_word" value="([^"]+)"', client.get("/sign-in").text)
    answer = client.post("/sign-in", data={"username": username, "password": PASSWORD, "form_word": word})
    if answer.url.path != "/cases":
        sys.exit(f"sign-in failed: {answer.text}")
    return client


def pages(sample: list[Request]) -> dict[str, list[str]]:
    """Return the paths by the name of their measurement; they are requested in turn."""
    names = [each.applicant for each in sample]
    return {
        "open": ["/cases"],
        "open, page 100": ["/cases?page=100"],
        "overdue": ["/cases?list=overdue"],
        "waiting for applicants": ["/cases?list=asked"],
        "done": ["/cases?list=done"],
        "done, page 400": ["/cases?list=done&page=400"],
        "all": ["/cases?list=all"],
        "one sub-subject": [f"/cases?subject={sub}" for _, _, sub, _ in SUBJECTS],
        "code": [f"/cases?q={each.tracking_code}" for each in sample],
        "beginning of a code": [f"/cases?q={each.tracking_code[:9]}" for each in sample],
        "national ID": [f"/cases?q={each.national_id}" for each in names],
        "first name (1 of 12)": [f"/cases?q={each.first_name}" for each in names],
        "both names": [f"/cases?q={each.first_name} {each.last_name}" for each in names],
        "word of a subject": ["/cases?q=فرعی", "/cases?q=شمارهٔ"],
        "name and subject, open": [f"/cases?list=open&q={each.last_name} فرعی" for each in names],
        "unknown name": ["/cases?q=ناموجود"],
        "a case": [f"/cases/{each.tracking_code}" for each in sample],
        "dashboard": ["/dashboard"],
        "templates": ["/templates"],
    }


def measure(client: httpx.Client, paths: list[str], samples: int) -> list[float]:
    """Request the paths ``samples`` times after one warm-up; return milliseconds."""
    client.get(paths[0]).raise_for_status()
    took = []
    for number in range(samples):
        began = time.perf_counter()
        answer = client.get(paths[number % len(paths)])
        took.append((time.perf_counter() - began) * 1000)
        answer.raise_for_status()
    return took


def report(name: str, url: str, options: argparse.Namespace) -> list[str]:
    """Fill a database, measure every page, print the results, and return the pages that are too slow."""
    key, slow = new_key(), []
    began = time.perf_counter()
    sample = asyncio.run(fill(url, key, options.cases))
    print(f"{name}: {options.cases} cases written in {time.perf_counter() - began:.0f} s")
    with served(url, key) as address:
        expert, supervisor = signed_in_client(address, "expert"), signed_in_client(address, "supervisor")
        wanted = [(label, expert, paths) for label, paths in pages(sample).items()]
        wanted += [
            ("open, supervisor", supervisor, ["/cases"]),
            ("for supervisors", supervisor, ["/cases?list=urgent"]),
        ]
        for label, client, paths in wanted:
            took = measure(client, paths, options.samples)
            p95 = statistics.quantiles(took, n=20)[-1]
            print(f"  {label:24} p50 {statistics.median(took):6.1f} ms   p95 {p95:6.1f} ms")
            if p95 > LIMIT_MS:
                slow.append(f"{label} on {name}")
    return slow


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--samples", type=int, default=60)
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    options = parser.parse_args()
    slow = []
    if options.only != "postgresql":
        with tempfile.TemporaryDirectory() as folder:
            slow += report("SQLite", f"sqlite+aiosqlite:///{Path(folder) / 'console.sqlite3'}", options)
    if options.only != "sqlite":
        with open_postgres() as server:
            url = server.create_database(f"console_{secrets.token_hex(4)}", "console", "console's own long word")
            slow += report("PostgreSQL", url, options)
    if slow:
        sys.exit(f"slower than {LIMIT_MS} ms at p95: {', '.join(slow)}")
    print(f"every page is within {LIMIT_MS} ms at p95")


if __name__ == "__main__":
    main()
