"""Facts about documents and predicates over them: signals, rules, duplicates, contamination."""
