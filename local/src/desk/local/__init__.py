"""The whole desk in one process on embedded parts, for trying out and for fast tests."""
