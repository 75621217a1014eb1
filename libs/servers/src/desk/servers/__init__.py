"""Real PostgreSQL, RabbitMQ, Redis and S3 servers for tests; `desk.servers.plugin` makes them pytest fixtures."""
