"""What labelling costs: an estimate before, a bound on every question, a ledger that survives.

Estimate: bytes / 4 tokens a question, about right for English under vocabularies of 100,000 and
more, and 60 tokens an answer. Bound: one token a byte and 64 for the chat's frame, which no
byte-level tokenizer can exceed, and the limit on the answer. A question is asked only if what was
spent, all open bounds and its own bound stay within the budget, so the budget holds whatever is
answered; what stays unspent at the end is at most the bounds of the questions in flight.

The ledger is written ahead: the bound before the question, what the server says it used after it.
A question that was never settled, because the process was killed or the server never answered, may
have been charged and counts with its bound; so does an answer without a usable statement. The
budget is that of the whole set of labels, over all runs.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from lab.core.errors import ConfigError
from lab.curation.journal import append, read

BYTES_A_TOKEN = 4
FRAME = 64  # tokens around a question
TYPICAL_ANSWER = 60


class Tokens(NamedTuple):
    """Tokens of questions and of answers."""

    question: int = 0
    answer: int = 0

    def plus(self, other: "Tokens") -> "Tokens":
        """The sum."""
        return Tokens(self.question + other.question, self.answer + other.answer)


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits in money, in tokens or both; prices per million tokens, in the same money."""

    money: float | None = None
    tokens: int | None = None
    question_price: float = 0.0
    answer_price: float = 0.0

    def cost(self, used: Tokens) -> float:
        """Money for `used`."""
        return (used.question * self.question_price + used.answer * self.answer_price) / 1e6

    def allows(self, used: Tokens) -> bool:
        """True if `used` in all is within the limits."""
        within = self.tokens is None or used.question + used.answer <= self.tokens
        return within and (self.money is None or self.cost(used) <= self.money)


def check_budget(budget: Budget) -> Budget:
    """The budget, or ConfigError if it limits nothing or cannot be reckoned."""
    values = (budget.money or 0, budget.tokens or 0, budget.question_price, budget.answer_price)
    if not all(0 <= value < float("inf") for value in values):
        raise ConfigError("A budget and its prices are not below zero.", value=values)
    if budget.money is None and budget.tokens is None:
        raise ConfigError(
            "Nothing limits what this may cost.",
            next_step="--budget 1.00 with --price-in and --price-out, or --budget-tokens 2_000_000",
        )
    if budget.money is not None and budget.question_price + budget.answer_price == 0:
        raise ConfigError(
            "A budget in money needs prices.",
            value=budget.money,
            next_step="--price-in and --price-out per million tokens, or --budget-tokens",
        )
    return budget


def bound(question: str, answer_tokens: int) -> Tokens:
    """The most that a question can cost."""
    return Tokens(len(question.encode("utf-8")) + FRAME, answer_tokens)


def expected(question: str, answer_tokens: int) -> Tokens:
    """What a question costs most likely."""
    asked = len(question.encode("utf-8")) // BYTES_A_TOKEN + 1
    return Tokens(asked, min(TYPICAL_ANSWER, answer_tokens))


class Ledger:
    """What was reserved and spent, kept in a file. The caller is the only writer."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.open: dict[int, Tokens] = {}
        self.spent = Tokens()
        self.number = 0
        for record in read(path):
            self.number = max(self.number, record["n"])
            if "bound" in record:
                self.open[record["n"]] = Tokens(*record["bound"])
            else:
                del self.open[record["n"]]
                self.spent = self.spent.plus(Tokens(*record["used"]))
        for lost in self.open.values():  # asked by a process that died: it may have been charged
            self.spent = self.spent.plus(lost)
        self.open = {}

    @property
    def committed(self) -> Tokens:
        """What was spent and what open questions may still cost."""
        total = self.spent
        for tokens in self.open.values():
            total = total.plus(tokens)
        return total

    def reserve(self, tokens: Tokens) -> int:
        """Write down a question before it is asked; its number."""
        self.number += 1
        append(self.path, [{"n": self.number, "bound": tokens}])
        self.open[self.number] = tokens
        return self.number

    def settle(self, number: int, used: Tokens) -> None:
        """Write down what a question used."""
        append(self.path, [{"n": number, "used": used}])
        del self.open[number]
        self.spent = self.spent.plus(used)
