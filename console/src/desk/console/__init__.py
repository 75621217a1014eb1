"""The experts' console, for provinces without software of their own."""
