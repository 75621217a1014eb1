"""The console's use cases."""
