"""Every SMS and email the desk sends, and what became of it."""
