"""Row 34: restores from backups that were taken under load, and from before an erasure, as docs/operations.md says."""

import threading
from collections.abc import Callable

import pytest
from faults.invariant import faults_of, settled
from faults.scale import SETTLE_SECONDS, TEST_SECONDS, scaled
from support.embedded_desk import wait_for
from support.postgres_programs import run_program
from support.privacy import privacy
from support.real_desk import RealDesk
from support.stored_data import readable

from desk.notifier.domain import LEASE

pytestmark = [pytest.mark.faults, pytest.mark.timeout(TEST_SECONDS), pytest.mark.usefixtures("restored_servers")]

REQUESTS = scaled(800)
SENT_BEFORE = "unexpected: emails without a notice"
"""What was sent after the moment of the backup, and is unknown to the restored notifier."""
CONSUMERS_FIRST = ("notifier", "tracking", "intake")


class Backup:
    """A backup of the databases: data without keys, and keys apart."""

    def __init__(self, desk: RealDesk) -> None:
        self.desk = desk
        self.data: dict[str, bytes] = {}
        self.keys: dict[str, bytes] = {}

    def take_data(self, *services: str) -> None:
        for name in services:
            dumped = run_program(self.desk.databases[name], "pg_dump", "-Fc", "--exclude-table-data=data_key")
            self.data[name] = dumped

    def take_keys(self) -> None:
        for name in CONSUMERS_FIRST:
            url = self.desk.databases[name]
            self.keys[name] = run_program(url, "pg_dump", "-Fc", "--data-only", "--table=data_key")

    def restore(self, *names: str) -> None:
        """Stop the services, restore, publish the last hours again, and start; the broker has lost its messages."""
        for name in CONSUMERS_FIRST:
            self.desk[name].kill()
        self.desk.broker.purge()
        for name in names or CONSUMERS_FIRST:
            url = self.desk.databases[name]
            run_program(url, "pg_restore", "--clean", "--if-exists", "--no-owner", given=self.data[name])
            run_program(url, "pg_restore", "--data-only", given=self.keys[name])
        for name in CONSUMERS_FIRST:
            again = "UPDATE outbox SET sent_at = NULL, next_try_at = now() WHERE sent_at IS NOT NULL AND body <> ''"
            self.desk.execute(name, again)
        self.desk.province.forget()
        self.desk.forget_logs()  # of a time that has been undone
        for name in reversed(CONSUMERS_FIRST):
            self.desk[name].start()


def in_background(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_a_backup_under_load_has_everything_committed_and_each_event_one_effect(clean_desk: RealDesk):
    desk, backup = clean_desk, Backup(clean_desk)
    load = in_background(lambda: desk.submit_many(REQUESTS))
    wait_for(lambda: len(desk.ledger) > REQUESTS // 4)
    backup.take_data("notifier", "tracking")
    before = {sent.code for sent in desk.ledger}
    backup.take_data("intake")
    backup.take_keys()
    load.join()

    backup.restore()

    restored = {code for (code,) in desk.rows("intake", "SELECT tracking_code FROM request")}
    assert before <= restored
    desk.ledger[:] = [sent for sent in desk.ledger if sent.code in restored]
    wait_for(lambda: set(faults_of(desk)) <= {SENT_BEFORE}, LEASE.total_seconds() + SETTLE_SECONDS)


def test_a_backup_from_before_an_erasure_does_not_restore_the_erased_data(clean_desk: RealDesk):
    desk, backup, word = clean_desk, Backup(clean_desk), "canary-of-a-restore"
    erased, kept = desk.submit(1, text=f"سلام {word}").code, desk.submit(2).code
    wait_for(lambda: desk.province.of(erased) and desk.province.of(kept))
    wait_for(lambda: desk.rows("tracking", 'SELECT 1 FROM "case" WHERE tracking_code = $1', erased))
    assert settled(desk) == []
    backup.take_data(*CONSUMERS_FIRST)
    assert word in readable(desk, "tracking")
    assert word in readable(desk, "intake")

    certificate = privacy(desk, "erase", erased, "--reason", "applicant")
    wait_for(lambda: _acknowledged(desk, erased) == {"intake", "notifier"})
    backup.take_keys()
    backup.restore()

    assert not [name for name in CONSUMERS_FIRST if word in readable(desk, name)]
    assert desk.applicant(2).track(kept).status_code == 200
    assert privacy(desk, "repeat") == [erased]
    assert privacy(desk, "repeat") == []
    again = wait_for(lambda: desk.province.of(erased, "request-erased"))
    assert certificate["certificate_id"] not in {each["data"]["certificate_id"] for each in again}
    assert desk.applicant(1).track(erased).status_code == 404
    wait_for(lambda: desk.rows("intake", "SELECT 1 FROM request WHERE erased_at IS NOT NULL"))


@pytest.mark.parametrize("restored", [("tracking",), CONSUMERS_FIRST], ids=["tracking", "all"])
def test_keys_that_were_copied_before_an_erasure_do_not_bring_it_back(clean_desk: RealDesk, restored: tuple[str, ...]):
    desk, backup, word = clean_desk, Backup(clean_desk), "canary-of-a-key"
    erased, kept = desk.submit(3, text=f"سلام {word}").code, desk.submit(4).code
    wait_for(lambda: desk.province.of(erased) and desk.province.of(kept))
    wait_for(lambda: desk.rows("tracking", 'SELECT 1 FROM "case" WHERE tracking_code = $1', erased))
    assert settled(desk) == []
    backup.take_data(*CONSUMERS_FIRST)
    backup.take_keys()
    privacy(desk, "erase", erased, "--reason", "applicant")
    wait_for(lambda: _acknowledged(desk, erased) == {"intake", "notifier"})
    assert not [name for name in CONSUMERS_FIRST if word in readable(desk, name)]

    backup.restore(*restored)

    assert word in readable(desk, "tracking"), "the restored key opens it"
    assert privacy(desk, "repeat", "--by", "maryam") == [erased]
    assert privacy(desk, "repeat", "--by", "maryam") == []
    wait_for(lambda: _acknowledged(desk, erased) == {"intake", "notifier"})
    assert not [name for name in CONSUMERS_FIRST if word in readable(desk, name)]
    assert wait_for(lambda: desk.province.of(erased, "request-erased"))
    assert desk.applicant(3).track(erased).status_code == 404
    assert desk.applicant(4).track(kept).status_code == 200


def _acknowledged(desk: RealDesk, code: str) -> set[str]:
    return {each["name"] for each in privacy(desk, "certificate", code)["asked"] if each["acknowledged_at"]}
