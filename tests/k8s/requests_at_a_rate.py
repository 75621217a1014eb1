"""Runs in a pod: requests paths of an address in turn, each on a connection of its own, and prints counts each second.

Usage: requests_at_a_rate.py ADDRESS NUMBER rate|load PATH… — NUMBER requests a second, or at a time without a pause.
"""

import http.client
import json
import sys
import threading
import time
from collections import Counter
from itertools import cycle
from urllib.parse import urlsplit

ADDRESS, NUMBER, KIND, PATHS = urlsplit(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:]
THREADS = NUMBER
TIMEOUT_SECONDS = 30.0
counted: Counter[str] = Counter()
counting = threading.Lock()


def status_of(path: str) -> str:
    connection = http.client.HTTPConnection(ADDRESS.hostname or "", ADDRESS.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException) as error:
        return f"{path} {type(error).__name__} {error}"
    finally:
        connection.close()
    return "200" if response.status == http.HTTPStatus.OK else f"{path} {response.status}"


def request(offset: float) -> None:
    due = time.monotonic() + offset
    for path in cycle(PATHS):
        if KIND == "rate":
            time.sleep(max(0.0, due - time.monotonic()))
            due = max(due, time.monotonic() - 1) + THREADS / NUMBER  # after a pause it does not catch up
        status = status_of(path)
        with counting:
            counted[status] += 1


for number in range(THREADS):
    threading.Thread(target=request, args=(number / NUMBER,), daemon=True).start()
while True:
    time.sleep(1)
    with counting:
        sys.stdout.write(json.dumps(counted) + "\n")
        sys.stdout.flush()
