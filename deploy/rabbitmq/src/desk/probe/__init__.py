"""``desk-probe run``: submits a synthetic request through the gateway, and tracks it."""
