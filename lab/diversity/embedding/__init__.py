"""Texts as vectors: encoders, the stored sample of each source, and its nearest neighbours."""
