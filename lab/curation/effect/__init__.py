"""What rules cost and what another threshold would: accounts, distributions, moves, suggestions."""
