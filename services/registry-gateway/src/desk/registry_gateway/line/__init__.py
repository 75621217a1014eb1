"""How the registry is asked without hanging on it, hammering it or asking what is known: the line behind the door."""
