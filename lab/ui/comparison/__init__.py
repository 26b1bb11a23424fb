"""The Compare page: which of two mixtures is better, whether that is real, and who says so."""
