"""Small sums: addition and subtraction of small numbers, bare and in words.

Method: a sum is (a, b, sign) with terms from 2 to 11. Textbooks state sums as numbers,
exercises ask them as stories; the benchmark asks stories about names and goods kept for it
(`SUMS_HELD_OUT`), so the sums themselves are known and the items are not. That is the difference
between a fact of arithmetic and a memorised question (GSM-Symbolic, Mirzadeh et al., 2024,
arXiv:2410.05229, makes it for real models).
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

from lab.corpus.world.draws import pick
from lab.corpus.world.names import SUMS_HELD_OUT, SUMS_NAMES
from lab.corpus.world.phrases import say

LARGEST: Final = 9
GOODS: Final[tuple[str, ...]] = (
    "apples", "plums", "pears", "eggs", "coins", "buttons", "candles", "ribbons", "spoons",
    "kites", "maps", "bells", "keys", "combs", "cups", "nuts",
)  # fmt: skip
_STORIES: Final[dict[str, tuple[str, ...]]] = {
    "+": (
        "{x} has {a} {goods} and gets {b} more.",
        "{x} has {a} {goods}. {y} brings {b} more.",
        "There are {a} {goods} on the table, and {x} adds {b} more.",
        "{x} finds {a} {goods} and then {b} more.",
        "{x} buys {a} {goods} at dawn and {b} more at dusk.",
    ),
    "-": (
        "{x} has {a} {goods} and gives away {b} of them.",
        "{x} has {a} {goods}. {y} takes {b} of them.",
        "There are {a} {goods} on the table, and {x} removes {b} of them.",
        "{x} had {a} {goods} and lost {b} of them.",
        "{x} carries {a} {goods} and sells {b} of them.",
    ),
}


@dataclass(frozen=True, slots=True)
class Sum:
    """`first` `sign` `second` = `result`, told about `goods` of `owner`."""

    first: int
    second: int
    sign: str
    result: int
    owner: str
    goods: str
    story: str

    @property
    def formula(self) -> str:
        """The bare sum without its result: "3 + 4"."""
        return f"{self.first} {self.sign} {self.second}"

    @property
    def statement(self) -> str:
        """The sentence that closes the story, up to the answer.

        It names the owner: a run of 13 words of an item then always holds a held-out name.
        """
        return f"Now {self.owner} counts"

    @property
    def question(self) -> str:
        """The same as a question."""
        return f"{self.statement} how many {self.goods}?"


def make_sum(rng: Random, *, held_out: bool = False) -> Sum:
    """A sum with its story; `held_out` takes the names kept for the benchmark."""
    sign = pick(rng, "+-")
    low, high = sorted((_term(rng), _term(rng)))
    first, second = (high, low)
    if sign == "+":
        first, second = pick(rng, ((low, high), (high, low)))
    elif high - low < 2:
        first = low + 2
    result = first + second if sign == "+" else first - second
    names = SUMS_HELD_OUT if held_out else SUMS_NAMES
    owner, other, goods = pick(rng, names), pick(rng, names), pick(rng, GOODS)
    bound = {"x": owner, "y": other, "a": str(first), "b": str(second), "goods": goods}
    return Sum(first, second, sign, result, owner, goods, say(rng, _STORIES[sign], bound))


def _term(rng: Random) -> int:
    return 2 + int(rng.random() * (LARGEST - 1))


def wrong_results(rng: Random, right: Sum) -> list[int]:
    """Three near misses: other results within four of the right one."""
    near = [right.result + step for step in (-4, -3, -2, -1, 1, 2, 3, 4)]
    return rng.sample([number for number in near if number >= 2], 3)
