"""Detached work: a folder per job is the whole truth, so app and terminal may come and go."""
