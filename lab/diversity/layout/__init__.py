"""Vectors as a picture: places on a map, and clusters in the full dimension."""
