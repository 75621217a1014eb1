"""The only door to the civil registry: look-ups, rate_limits, audit and identity tokens."""
