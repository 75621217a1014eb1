"""The only door to the civil registry: look-ups, budgets, audit and identity tokens."""
