"""The whole desk in one process on embedded parts, for trials and for fast tests."""
