"""A certificate authority for tests, and certificates of it for servers."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class Certificate:
    """A server's certificate, its chain and its key as PEM."""

    chain: bytes
    key: bytes

    def write(self, folder: Path, chain: str, key: str, *, account: str | None = None) -> None:
        """Write chain and key under these names, the key readable by ``account`` alone."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / chain).write_bytes(self.chain)
        (folder / key).write_bytes(self.key)
        (folder / key).chmod(0o600)
        if account:
            for name in (chain, key):
                shutil.chown(folder / name, user=account)


class Authority:
    """A certificate authority; clients trust it when ``SSL_CERT_FILE`` names :attr:`file`."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self.file = folder / "authority.pem"
        self._authority.cert_pem.write_to_path(self.file)

    def issue(self, *names: str) -> Certificate:
        """Return a certificate for host names and addresses."""
        issued = self._authority.issue_cert(*names)
        chain = b"".join(each.bytes() for each in issued.cert_chain_pems)
        return Certificate(chain, issued.private_key_pem.bytes())
