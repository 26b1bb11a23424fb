"""A column as a choice in a list: its name in words, then the id that recipes and files use."""

from lab.curation.signals import BY_ID
from lab.curation.topics import PREFIX as TOPIC


def signal_words(signal: str) -> str:
    """`word count [gopher.word_count@ws1]`, `topic [topic.3f09a1c2]`; other columns as they are."""
    if signal.startswith(TOPIC):
        return f"topic [{signal}]"
    return f"{BY_ID[signal].label} [{signal}]" if signal in BY_ID else signal
