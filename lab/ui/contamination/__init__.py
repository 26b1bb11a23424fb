"""The Contamination page: what was searched and found, what it costs, what a reader decides."""
