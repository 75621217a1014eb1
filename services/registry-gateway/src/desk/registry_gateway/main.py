"""The command line: ``desk-registry-gateway serve``, ``migrate`` and ``ledger verify``."""

from desk.chassis.command import Service, TaskFailedError, run
from desk.chassis.crypto import Vault
from desk.database import Database
from desk.registry_gateway.app import create_app
from desk.registry_gateway.service import Ledger, LedgerBrokenError
from desk.registry_gateway.settings import Settings


async def verify_ledger() -> list[str]:
    """Check the ledger of look-ups; return a line with its length. Raises TaskFailedError with the first error."""
    settings = Settings()
    vault = Vault.from_text(settings.vault_keys.get_secret_value(), settings.index_key.get_secret_value())
    database = Database(settings.database_url.get_secret_value(), statement_seconds=None)
    try:
        head = await Ledger(database, vault).verify()
    except LedgerBrokenError as error:
        raise TaskFailedError(f"the ledger is broken: {error}") from error
    finally:
        await database.close()
    return [f"{head.seq} look-ups, none changed, missing or out of place; the last has the hash {head.row_hash}"]


def main() -> None:
    """Run the command line."""
    run(
        Service(
            "registry-gateway",
            create_app,
            package="desk.registry_gateway",
            settings=Settings,
            tasks={"ledger verify": ("find any row that was changed, deleted or moved", verify_ledger)},
        )
    )
