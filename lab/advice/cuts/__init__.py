"""Threshold and weight in one decision: runs over nested pools, and what they say."""
