"""Real PostgreSQL, RabbitMQ, Redis and S3 servers for tests; `desk.testing.plugin` makes them pytest fixtures."""
