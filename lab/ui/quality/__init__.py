"""The Quality page: labels, the score learned from them, how far to trust it, and what it cuts."""
