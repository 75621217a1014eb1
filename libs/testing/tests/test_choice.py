"""A server is taken from where it was given, then from Docker, then from this machine."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from desk.testing import container
from desk.testing.errors import NotInstalledError, NotOwnedError, ServerFailedError, ServerUnavailableError
from desk.testing.process import LocalProcess, find_program, new_folder
from desk.testing.redis import docker_redis, given_redis, local_redis, open_redis
from desk.testing.s3 import given_s3, local_moto
from desk.testing.server import first_of, image_of

pytest_plugins = ["pytester"]


@pytest.fixture
def no_docker(monkeypatch):
    monkeypatch.setattr(container, "_engine_trouble", lambda: "no Docker engine answers")


def test_a_given_address_comes_first_and_its_server_is_not_stopped():
    with local_redis() as server:
        with open_redis({"DESK_TEST_REDIS_URL": server.url}) as given:
            assert given.how.startswith("given address, version ")
            assert not given.ours
            for touch in (given.start, given.pause, given.resume, given.kill, given.stop):
                with pytest.raises(NotOwnedError, match="DESK_TEST_"):
                    touch()
        server.check()


def test_a_given_s3_server_comes_with_its_keys():
    with local_moto() as server:
        environment = {
            "DESK_TEST_S3_ENDPOINT": server.url,
            "DESK_TEST_S3_ACCESS_KEY": "a",
            "DESK_TEST_S3_SECRET_KEY": "b",
        }
        given = given_s3(environment)
    assert (given.endpoint, given.secure, given.kind) == (server.endpoint, False, "other")


def test_a_given_address_that_is_unreachable_is_an_error_and_not_skipped(monkeypatch):
    monkeypatch.setattr("desk.testing.server.GIVEN_SECONDS", 0.2)
    with pytest.raises(ServerFailedError, match="given address: no answer within"):
        open_redis({"DESK_TEST_REDIS_URL": "redis://127.0.0.1:1"})


def test_the_next_way_is_used_and_the_reasons_are_kept(no_docker):
    with open_redis({}) as server:
        assert server.how.startswith("local binary redis-server, version ")
        assert server.notes == ("DESK_TEST_REDIS_URL is not set", "no Docker engine answers")


def test_without_any_way_one_sentence_says_what_to_do(no_docker, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ServerUnavailableError, match=r"No Redis for the tests: run tests/install-servers, .*no redis"):
        first_of("Redis", (given_redis, docker_redis, local_redis), {}, "run tests/install-servers, or else")


def test_an_unavailable_image_is_a_reason_and_not_an_error(monkeypatch):
    monkeypatch.setattr(container, "_engine_trouble", lambda: None)
    monkeypatch.setattr(container, "fetch_image", _refuse)
    with pytest.raises(NotInstalledError, match="cannot pull no-such-image"):
        docker_redis({"DESK_TEST_REDIS_IMAGE": "no-such-image"})


def test_the_image_is_the_one_of_compose_unless_the_tests_set_their_own():
    assert image_of({}, "REDIS", "redis:8") == "redis:8"
    assert image_of({"REDIS_IMAGE": "ours"}, "REDIS", "redis:8") == "ours"
    assert image_of({"REDIS_IMAGE": "ours", "DESK_TEST_REDIS_IMAGE": "tests"}, "REDIS", "redis:8") == "tests"


def test_a_program_that_exits_immediately_is_reported_with_the_end_of_its_log():
    process = LocalProcess(["/bin/sh", "-c", "echo no room left; exit 3"], folder=new_folder("broken"))
    process.start()
    deadline = time.monotonic() + 10
    while process.exit_report() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert process.exit_report() == "it ended with status 3: no room left"
    process.close()


def test_a_server_outlives_the_thread_that_started_it():
    with local_redis() as server:
        server.stop()
        thread = threading.Thread(target=server.start)
        thread.start()
        thread.join()
        time.sleep(0.2)  # the kernel's signal, if there were one, needs a moment
        server.check()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux signals a process when its parent dies")
def test_a_server_ends_when_the_tests_are_killed():
    find_program("setpriv")
    code = "from desk.testing.redis import local_redis; s = local_redis(); print(s.pid, flush=True); input()"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as tests:  # noqa: S603
        server = psutil.Process(int(tests.stdout.readline()))
        folder = Path(server.cwd())
        os.kill(tests.pid, signal.SIGKILL)
    psutil.wait_procs([server], timeout=60)
    assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE
    shutil.rmtree(folder)


def test_the_report_names_the_server_or_says_what_is_missing(pytester, monkeypatch):
    monkeypatch.setenv("DESK_TEST_WITHOUT_DOCKER", "1")
    pytester.makepyfile("def test_one(redis_server): redis_server.check()")
    good = pytester.runpytest_subprocess()
    good.assert_outcomes(passed=1)
    good.stdout.fnmatch_lines(["*= servers =*", "Redis: local binary redis-server, version *"])

    monkeypatch.setenv("PATH", "/nowhere")
    bad = pytester.runpytest_subprocess()
    bad.assert_outcomes(errors=1)
    bad.stdout.fnmatch_lines(
        ["*No Redis for the tests: run tests/install-servers*", "*= servers =*", "Redis: No Redis*"]
    )


def _refuse(image):
    raise NotInstalledError(f"Docker cannot pull {image}: no way out")
