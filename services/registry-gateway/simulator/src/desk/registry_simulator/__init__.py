"""A civil registry of synthetic people as a server: SOAP, the REST wrapper, Shahkar, and knobs to misbehave."""
