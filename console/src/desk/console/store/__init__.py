"""Tables and SQL, no rules."""
