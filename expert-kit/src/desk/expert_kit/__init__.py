"""``desk-expert check``: plays the desk for a province's own consumer and reports what passes."""
