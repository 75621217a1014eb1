"""Rules and states of the console: no framework, no store, no network."""
