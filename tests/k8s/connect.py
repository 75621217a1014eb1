"""Runs in a pod: tries to connect to each given (name, address, port), and prints the (name, port) that accepted.

Network plugins drop or refuse what no policy allows. Every port that is tried belongs to a running server, so a refused
connection is never the server's.
"""

import json
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

TIMEOUT_SECONDS = 5.0


def accepts(target: tuple[str, str, int]) -> bool:
    try:
        socket.create_connection((target[1], target[2]), timeout=TIMEOUT_SECONDS).close()
    except OSError:
        return False
    return True


targets = json.loads(sys.argv[1])
with ThreadPoolExecutor(len(targets)) as pool:
    answers = list(pool.map(accepts, targets))
json.dump([(name, port) for (name, _, port), accepted in zip(targets, answers, strict=True) if accepted], sys.stdout)
