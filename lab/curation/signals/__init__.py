"""Quality signals: facts about each document, computed once, on which thresholds are set later.

    from lab.curation.signals import compute
    compute(pl.DataFrame({"text": texts}), ["gopher.word_count", "c4.sentences@fw1"])

Families: `gopher` (words, lines, stop words), `fineweb` (punctuation, short and repeated lines),
`repetition` (lines, paragraphs, n-grams), `c4` (what C4 would drop), `basic`. Each signal is a
column named by its definition id (`definitions.py` explains the ids). All are facts: none decides
anything, and none changes a text. Deciding is `lab.curation.filters`.

Not here: language, personal data, learned quality, duplicates across documents, contamination.
"""

from lab.curation.signals.batches import compute
from lab.curation.signals.definitions import VERSION, Definition
from lab.curation.signals.registry import BY_ID, DEFINITIONS, SETS, resolve

__all__ = ["BY_ID", "DEFINITIONS", "SETS", "VERSION", "Definition", "compute", "resolve"]
