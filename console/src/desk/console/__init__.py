"""The experts' console: a reference for provinces without software of their own."""
