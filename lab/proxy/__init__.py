"""Proxy runs: small language models trained on a sample of a recipe, to learn what the recipe does."""
