"""The Filters page in pieces: drafts, the engine behind the numbers, and one view per question."""
