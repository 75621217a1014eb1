"""``desk-expert check``: plays the desk before a province's own consumer and says what passes."""
