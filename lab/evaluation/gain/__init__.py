"""Is the gain real: clean items, twins, fresh text of the domain, guardrails, and one verdict."""
