"""Intake's use cases: submit a request, upload and download files, sign receipts."""
