"""When a source changes: what still holds, and the few runs that restore the decision."""
