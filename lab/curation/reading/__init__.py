"""Where in a text a signal's value comes from, so that a reader sees why a document falls."""
