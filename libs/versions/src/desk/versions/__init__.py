"""Documents that headquarters changes in versions: each is made by two people, and is in force from a given time."""
