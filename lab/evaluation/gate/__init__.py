"""The signal gate: which metrics may drive a decision, and why the others may not."""
