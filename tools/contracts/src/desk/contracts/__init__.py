"""Generates ``contracts/``, the pages and nginx's files from the code and its tables."""
