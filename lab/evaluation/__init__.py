"""Benchmarks, held-out text, and comparisons that say how sure they are."""
