"""The sample world: a generated corpus of seven sources, with benchmarks and planted truth.

Everything about one invented country, Halvery, in our own words. It exists so that the effects the
lab is about can be seen on a CPU in minutes and checked against known answers:

- sources of unlike quality, from spam to textbooks (`sources`, `web`, `junk`, ...);
- planted truth: duplicates, quoted benchmark items, personal data, levels, languages (`truth`);
- benchmarks with a twin each in another format (`benchmarks`);
- the trade-off of the phi-4 report (arXiv:2412.08905, section 2): facts stand in the web and the
  encyclopaedia, reasoning in textbooks and exercises, so synthetic text alone wins on reasoning and
  loses on knowledge.

`write_world` writes it all; `documents` streams one source at any size.
"""

from lab.corpus.world.benchmarks import NAMES as BENCHMARKS
from lab.corpus.world.generate import DEFAULT_DOCUMENTS, WorldSummary, documents, write_world
from lab.corpus.world.sources import SOURCES

__all__ = [
    "BENCHMARKS",
    "DEFAULT_DOCUMENTS",
    "SOURCES",
    "WorldSummary",
    "documents",
    "write_world",
]
