"""Comparisons with intervals: recipes, sizes, early stops, before and after post-training."""
