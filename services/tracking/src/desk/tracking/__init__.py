"""The life of a request after submission: states, answers, history."""
