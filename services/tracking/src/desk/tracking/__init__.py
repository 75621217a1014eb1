"""The tracking service: the state, history, answer and deadlines of a request after submission."""
