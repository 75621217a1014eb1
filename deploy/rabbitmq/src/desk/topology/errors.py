"""What can go wrong with the command; each message is one line that tells the operator what to do."""


class TopologyError(Exception):
    """The command cannot go on."""


class ManagementError(TopologyError):
    """The management API does not answer, or refuses."""


class ConflictError(TopologyError):
    """Something is there already with properties that cannot be changed."""
