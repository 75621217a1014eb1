"""Chooses ports that stay free while a server is down."""

import random
import socket

# Below the range from which systems pick the ports of outgoing connections (from 32768 on Linux): a client that
# keeps reconnecting to a killed server would sooner or later be given that very port and block its restart.
LOWEST, HIGHEST = 20_000, 32_000
ATTEMPTS = 200


def free_port() -> int:
    """Return a free TCP port. Raises OSError if none is found."""
    for port in random.SystemRandom().sample(range(LOWEST, HIGHEST), ATTEMPTS):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"none of {ATTEMPTS} ports tried between {LOWEST} and {HIGHEST} is free")
