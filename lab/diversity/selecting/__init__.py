"""Choosing documents for breadth: within a budget of tokens, or for a window of context."""
