"""Quality signals: facts about each document, computed once, on which thresholds are set later.

    from lab.curation.signals import compute
    compute(pl.DataFrame({"text": texts}), ["gopher.word_count", "c4.sentences@fw1"])

Families: `gopher` (words, lines, stop words), `fineweb` (punctuation, short and repeated lines),
`repetition` (lines, paragraphs, n-grams), `c4` (what C4 would drop), `basic`, `words` (variety),
`curator` and `redpajama` (what those tools measure beside), `content` (links, code, compression),
`language`, `pii`. Each signal is a column named by its definition id (`definitions.py` explains the
ids), and one name has a definition per tool that reads it otherwise. All are facts: none decides
anything, and none changes a text. Deciding is `lab.curation.filters.mask`.

Not here: learned quality, duplicates across documents, contamination, and signals that need a list
of words or domains (LDNOOBW, UT1) or somebody's trained model (`redpajama.NOT_OFFERED`).
"""

from lab.curation.signals.batches import compute
from lab.curation.signals.definitions import VERSION, Definition
from lab.curation.signals.registry import BY_ID, DEFINITIONS, SETS, resolve

__all__ = ["BY_ID", "DEFINITIONS", "SETS", "VERSION", "Definition", "compute", "resolve"]
