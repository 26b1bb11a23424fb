"""The Advice page: what to ask, the verdict and the proposal, and what they rest on."""
