"""The live part of the Mixture page: predictions that follow a weight while it is moved."""
