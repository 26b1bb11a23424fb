"""Weights by phase in one decision: runs whose phases differ, and what they say of order."""
