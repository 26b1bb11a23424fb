"""Runs as two tables: anybody's, or the workspace's own that still speak of its data."""
