"""First answers from about one run per source, before a sweep."""
