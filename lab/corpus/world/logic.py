"""Two-step reasoning: problems whose answer needs both of two stated premises.

Three forms, each an old one:

- `kinship`: "Ada is the sister of Ben. Ben is the father of Eva. So Ada is the" aunt (CLUTRR, Sinha
  et al., 2019, arXiv:1908.06177);
- `compass`: "Ada lives north of Ben. Ben lives east of Eva. So, seen from Eva, Ada lives to the"
  northeast;
- `syllogism`: "All bakers are singers. No singers are hunters. So the bakers who are hunters are"
  none of them (the moods of the first figure).

In each the answer is a function of two words, one from each premise, and either word alone leaves
several answers open. That composition is what can be learned in a few hundred thousand tokens;
forms that need a word to be *found* by matching names (who owns the thing that the baker sold) were
tried and were not learned by 0.4M parameters within 1.5M tokens at rates of 2e-3 to 1e-2.

Separation: benchmark items use the names `LOGIC_HELD_OUT` and the groups `GROUPS_HELD_OUT`, which
no reasoning problem of training text uses, so that no item, and no run of words of one, was read.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

from lab.corpus.world.draws import pick, sample
from lab.corpus.world.names import LOGIC_HELD_OUT, LOGIC_NAMES, is_female
from lab.corpus.world.phrases import article

FORMS: Final[tuple[str, ...]] = ("kinship", "compass", "syllogism")
GROUPS: Final[tuple[str, ...]] = (
    "singers", "dancers", "painters", "readers", "swimmers", "gardeners", "dreamers", "climbers",
    "walkers", "builders", "hunters", "riders", "writers", "keepers", "helpers", "leaders",
    "bakers", "millers", "weavers", "potters", "sailors", "farmers",
)  # fmt: skip
GROUPS_HELD_OUT: Final[tuple[str, ...]] = (
    "traders", "travellers", "teachers", "tailors", "players", "guards", "clerks", "coopers",
    "brewers", "tanners",
)  # fmt: skip
MOODS: Final[dict[tuple[str, str], str]] = {
    ("all", "all"): "all of them",
    ("all", "no"): "none of them",
    ("some", "all"): "some of them",
    ("some", "no"): "not all of them",
}
CORNERS: Final[tuple[str, ...]] = ("northeast", "northwest", "southeast", "southwest")
STEP_WORDS: Final[dict[str, tuple[str, str]]] = {  # by kind of step: (of a woman, of a man)
    "parent": ("mother", "father"),
    "child": ("daughter", "son"),
    "sibling": ("sister", "brother"),
    "spouse": ("wife", "husband"),
}
RELATIVES: Final[dict[tuple[str, str], tuple[str, str]]] = {
    ("parent", "parent"): ("grandmother", "grandfather"),
    ("child", "child"): ("granddaughter", "grandson"),
    ("sibling", "parent"): ("aunt", "uncle"),
    ("child", "sibling"): ("niece", "nephew"),
    ("parent", "spouse"): ("mother-in-law", "father-in-law"),
    ("sibling", "spouse"): ("sister-in-law", "brother-in-law"),
}
RELATIVE_WORDS: Final[tuple[str, ...]] = tuple(word for pair in RELATIVES.values() for word in pair)


@dataclass(frozen=True, slots=True)
class Problem:
    """Two premises about `first`, `middle` and `last`; `steps` are their deciding words."""

    form: str
    first: str
    middle: str
    last: str
    steps: tuple[str, str]
    answer: str

    @property
    def premises(self) -> tuple[str, str]:
        """The two premises as plain sentences, in logical order."""
        (one, two), (x, y, z) = self.steps, (self.first, self.middle, self.last)
        if self.form == "kinship":
            return f"{x} is the {one} of {y}.", f"{y} is the {two} of {z}."
        if self.form == "compass":
            return f"{x} lives {one} of {y}.", f"{y} lives {two} of {z}."
        return f"{one.capitalize()} {x} are {y}.", f"{two.capitalize()} {y} are {z}."

    @property
    def statement(self) -> str:
        """The conclusion up to the answer."""
        if self.form == "kinship":
            return f"{self.first} is the"
        if self.form == "compass":
            return f"{self.first}, seen from {self.last}, lives to the"
        return f"the {self.first} who are {self.last} are"

    @property
    def conclusion(self) -> str:
        """The conclusion as a clause: statement, answer and what may follow it."""
        closing = f" of {self.last}" if self.form == "kinship" else ""
        return f"{self.statement} {self.answer}{closing}"

    @property
    def question(self) -> str:
        """The conclusion as a question."""
        if self.form == "kinship":
            return f"What is {self.first} to {self.last}?"
        if self.form == "compass":
            return f"Seen from {self.last}, where does {self.first} live?"
        return f"How many of the {self.first} are {self.last}?"

    @property
    def lead(self) -> str:
        """What stands before the answer when the question is answered in few words."""
        return {"kinship": "the", "compass": "to the", "syllogism": ""}[self.form]


def make_problem(rng: Random, *, form: str = "", held_out: bool = False) -> Problem:
    """A problem of `form` (default: any); `held_out` takes the words kept for benchmarks."""
    names = LOGIC_HELD_OUT if held_out else LOGIC_NAMES
    form = form or pick(rng, FORMS)
    if form == "syllogism":
        groups = GROUPS_HELD_OUT if held_out else GROUPS
        moods = pick(rng, tuple(MOODS))
        x, y, z = sample(rng, groups, 3)
        return Problem(form, x, y, z, moods, MOODS[moods])
    x, y, z = sample(rng, names, 3)
    if form == "compass":
        ways = (pick(rng, ("north", "south")), pick(rng, ("east", "west")))
        steps = ways if rng.random() < 0.5 else (ways[1], ways[0])
        return Problem(form, x, y, z, steps, f"{ways[0]}{ways[1]}")
    kinds = pick(rng, tuple(RELATIVES))
    steps = (_word(STEP_WORDS[kinds[0]], x), _word(STEP_WORDS[kinds[1]], y))
    return Problem(form, x, y, z, steps, _word(RELATIVES[kinds], x))


def wrong_answers(rng: Random, problem: Problem) -> list[str]:
    """Three answers of the same class that are wrong."""
    if problem.form == "kinship":
        return sample(rng, [word for word in RELATIVE_WORDS if word != problem.answer], 3)
    answers = CORNERS if problem.form == "compass" else tuple(MOODS.values())
    return [answer for answer in answers if answer != problem.answer]


def rule_of(problem: Problem) -> str:
    """The general rule behind a problem, as a textbook states it."""
    one, two = problem.steps
    if problem.form == "kinship":
        return f"the {one} of a {two} is {article(problem.answer)}"
    if problem.form == "compass":
        return f"{one} and then {two} makes {problem.answer}"
    return f"{one} and {two} give {problem.answer}"


def _word(pair: tuple[str, str], name: str) -> str:
    return pair[0] if is_female(name) else pair[1]
