"""The Browse page: one box to search with, facets to narrow, a list, and a reader."""
