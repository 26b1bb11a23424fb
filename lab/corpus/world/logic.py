"""Two-step reasoning: problems whose answer needs two stated premises at once.

Three forms, each an old one:

- `rule` (modus ponens): "Every miller carries a comb. Ada is a miller. So Ada carries a" comb;
- `place` (transitivity of "in"): "The key is in the jug. The jug is in the attic. So the key is in
  the" attic;
- `order` (transitivity of a comparison), for exercises only.

Each problem states several rules of which one applies, so copying some word of the text is right
one time in `RULES`; the pairing must be followed. The circuit that solves it is induction (Olsson
et al., 2022, arXiv:2209.11895) applied twice, which two or three attention layers can hold.

Separation: `held_out(key, value)` marks one in six pairs (rule condition, consequence). Training
text never makes a marked pair the answer; benchmark items always do, with names that training text
never uses.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final
from zlib import crc32

from lab.corpus.world.names import TRAINING_NAMES
from lab.corpus.world.phrases import article, pick, sample

RULES: Final = 3  # rules stated in a problem, one of which applies
JOBS: Final[tuple[str, ...]] = (
    "miller", "baker", "weaver", "potter", "farmer", "tailor", "fisher", "shepherd", "carpenter",
    "cooper", "porter", "smith", "brewer", "tanner", "clerk", "teacher", "cook", "hunter", "guard",
    "herald",
)  # fmt: skip
GOODS: Final[tuple[str, ...]] = (
    "lantern", "kettle", "basket", "ladder", "mirror", "blanket", "hammer", "candle", "ribbon",
    "bucket", "needle", "feather", "bell", "map", "coin", "spoon", "whistle", "brush", "comb",
    "kite",
)  # fmt: skip
CONTAINERS: Final[tuple[str, ...]] = (
    "box", "chest", "jug", "sack", "drawer", "barrel", "bag", "crate", "basin", "trunk", "jar",
    "tin",
)  # fmt: skip
ROOMS: Final[tuple[str, ...]] = (
    "attic", "cellar", "kitchen", "barn", "library", "hall", "stable", "tower", "garden", "forge",
    "chapel", "school",
)  # fmt: skip
VERBS: Final[tuple[str, ...]] = ("carries", "owns", "wants", "sells", "paints", "mends")


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem with its rules in order, the closing premise, and the choices (gold first)."""

    form: str
    premises: tuple[str, ...]
    subject: str
    middle: str
    verb: str
    choices: tuple[str, ...]


def held_out(key: str, value: str) -> bool:
    """Whether the pair is kept for benchmarks (one in six, by a checksum of its words)."""
    return crc32(f"{key}|{value}".encode()) % 6 == 0


def make_problem(rng: Random, *, benchmark: bool = False, names: tuple[str, ...] = TRAINING_NAMES) -> Problem:
    """A `rule` or `place` problem; for a benchmark the applying pair is a held-out one."""
    return _rule(rng, benchmark, names) if rng.random() < 0.6 else _place(rng, benchmark)


def _pairs(
    rng: Random, keys: tuple[str, ...], values: tuple[str, ...], benchmark: bool
) -> tuple[list[str], list[str]]:
    """RULES keys with their values, the applying pair first, and one absent value at the end."""
    while True:
        left, right = sample(rng, keys, RULES), sample(rng, values, RULES + 1)
        if held_out(left[0], right[0]) == benchmark:
            return left, right


def _rule(rng: Random, benchmark: bool, names: tuple[str, ...]) -> Problem:
    jobs, goods = _pairs(rng, JOBS, GOODS, benchmark)
    verb = pick(rng, VERBS)
    name = pick(rng, names)
    rules = [f"Every {job} {verb} {article(good)}." for job, good in zip(jobs, goods, strict=False)]
    rng.shuffle(rules)
    premises = (*rules, f"{name} is {article(jobs[0])}.")
    return Problem("rule", premises, name, jobs[0], verb, tuple(article(good) for good in goods))


def _place(rng: Random, benchmark: bool) -> Problem:
    boxes, rooms = _pairs(rng, CONTAINERS, ROOMS, benchmark)
    thing = pick(rng, GOODS)
    facts = [f"The {box} is in the {room}." for box, room in zip(boxes, rooms, strict=False)]
    rng.shuffle(facts)
    premises = (*facts, f"The {thing} is in the {boxes[0]}.")
    choices = tuple(f"the {room}" for room in rooms)
    return Problem("place", premises, f"the {thing}", boxes[0], "is in", choices)
