"""Scores on disk beside their runs, and the frames that put runs next to each other."""
