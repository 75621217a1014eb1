"""Errors of the command; each message is one line that says what the operator should do."""


class TopologyError(Exception):
    """The command cannot continue."""


class ManagementError(TopologyError):
    """The management API is unavailable, or refuses a call."""


class ConflictError(TopologyError):
    """An object exists already with properties that cannot be changed."""
