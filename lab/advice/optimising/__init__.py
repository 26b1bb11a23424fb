"""The mixture of least predicted cost under caps, repetition, guards, phases and cuts."""
