"""Benchmarks as published: read, registered, rendered with fixed shots, and twinned."""
