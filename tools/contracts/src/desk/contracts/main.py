"""``desk-contracts``: writes everything that is generated, or checks that it is up to date."""

import argparse
import sys
from collections.abc import Sequence

from desk.contracts import documents, nginx


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line. Exits with a message if ``--check`` finds a file that differs."""
    parser = argparse.ArgumentParser(
        prog="desk-contracts", description="Write contracts/, the pages and gateway/nginx/generated from the code."
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is not up to date")
    if parser.parse_args(arguments).check:
        _check()
    else:
        documents.write()
        nginx.write()


def _check() -> None:
    if differing := documents.differences():
        sys.exit(f"contracts: not what the code generates: {', '.join(differing)}; run: make contracts")
    if differing := nginx.differences():
        sys.exit(f"contracts: gateway/nginx/generated differs: {', '.join(differing)}; run: make contracts")


if __name__ == "__main__":
    main()
