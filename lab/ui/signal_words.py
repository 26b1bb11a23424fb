"""A column as a choice in a list: its name in words, then the id that recipes and files use."""

from lab.curation.signals import BY_ID


def signal_words(signal: str) -> str:
    """`word count [gopher.word_count@ws1]`; a column that is no signal as it is."""
    return f"{BY_ID[signal].label} [{signal}]" if signal in BY_ID else signal
