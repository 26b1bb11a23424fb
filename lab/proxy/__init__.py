"""Proxy runs: small language models that are trained to learn what a recipe does."""
