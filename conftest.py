"""Settings for every test: no deadline for examples of Hypothesis, because no test depends on the machine's speed."""

from hypothesis import settings

settings.register_profile("no-deadline", parent=settings(), deadline=None)
settings.load_profile("no-deadline")
