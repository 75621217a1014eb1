"""Look-ups in the civil registry: rate limits, ledger and identity tokens."""
