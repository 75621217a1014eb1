"""The submitted request, never changed afterwards, and its attachments."""
