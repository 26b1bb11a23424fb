"""Selections of documents on a map: a predicate in one line, its polygon, and names for it."""
