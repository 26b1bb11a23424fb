"""The Text edits page: what each edit would change, read side by side, and what is left."""
