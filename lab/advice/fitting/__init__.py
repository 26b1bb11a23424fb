"""Laws fitted to runs, judged on runs they did not see, with replicates for intervals."""
