"""The Duplicates page: what is stored, what a policy costs each source, and the texts."""
