"""Challenges that tell a person from a program, each good for one answer."""
