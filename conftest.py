"""What holds for every test: none depends on the clock, so an example of Hypothesis may take as long as it takes."""

from hypothesis import settings

settings.register_profile("patient", parent=settings(), deadline=None)
settings.load_profile("patient")
