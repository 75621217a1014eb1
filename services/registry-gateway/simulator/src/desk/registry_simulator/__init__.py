"""A simulated civil registry as a server: SOAP, REST and Shahkar, with knobs that make it fail."""
