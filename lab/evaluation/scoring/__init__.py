"""From rendered items and fresh text to sums of log-likelihood, fast and equal to the harness's."""
