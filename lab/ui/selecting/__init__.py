"""The Select page: choosing for breadth, what was chosen, its use, and filling a window."""
