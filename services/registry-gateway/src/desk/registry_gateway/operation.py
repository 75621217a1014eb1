"""What the operators' command ``desk-audit`` works on. The ledger has no encrypted columns."""

from desk.database import Database
from desk.database.operation import StoredData
from desk.registry_gateway.service.ledger import ledger_chain
from desk.registry_gateway.settings import Settings


def stored_data() -> StoredData:
    """Read the settings. Raises ValidationError or SettingsError."""
    settings = Settings()
    database = Database(settings.database_url.get_secret_value(), statement_seconds=None)
    return StoredData(database, rotation=None, chain=ledger_chain(settings.vault()))
