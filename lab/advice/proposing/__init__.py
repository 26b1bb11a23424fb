"""From a fit to a proposal with intervals, its verdict, the next runs, and what is stored."""
