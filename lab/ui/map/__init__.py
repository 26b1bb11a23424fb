"""The Map page: points, what they are coloured by, what is selected, and what is done with it."""
