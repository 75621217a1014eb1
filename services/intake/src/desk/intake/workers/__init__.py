"""Intake's background tasks."""
