"""The exchanges, queues and bindings of the desk, in one table, for every broker."""
