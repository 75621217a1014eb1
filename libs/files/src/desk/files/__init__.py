"""Recognises and checks the files that applicants and experts send."""
