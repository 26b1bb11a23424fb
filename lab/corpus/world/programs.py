"""Small Python functions: a task, its docstring and the one expression that solves it.

Method: a task is an expression over one argument with near-miss expressions beside it. Names of
function and argument vary; benchmark items use pairs of task and argument (`held_out`, one in
four) that no training function uses, so an item was never read, while the idiom was.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final
from zlib import crc32

from lab.corpus.world.draws import pick

LIST_ARGUMENTS: Final[tuple[str, ...]] = (
    "values", "items", "numbers", "rows", "words", "scores", "prices", "weights", "entries",
    "samples",
)  # fmt: skip
NUMBER_ARGUMENTS: Final[tuple[str, ...]] = (
    "x", "n", "count", "size", "amount", "total", "width", "height", "depth", "price",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Task:
    """What a function returns: `goal` in words, `code` right, `wrong` near misses; `{v}`, `{k}`."""

    name: str
    goal: str
    code: str
    wrong: tuple[str, str, str]
    on_list: bool = True


TASKS: Final[tuple[Task, ...]] = (
    Task("first", "the first element of {v}", "{v}[0]", ("{v}[-1]", "len({v})", "{v}[1:]")),
    Task("last", "the last element of {v}", "{v}[-1]", ("{v}[0]", "sum({v})", "{v}[:-1]")),
    Task("total", "the sum of all {v}", "sum({v})", ("max({v})", "len({v})", "{v}[0]")),
    Task("length", "the number of {v}", "len({v})", ("sum({v})", "{v}[-1]", "min({v})")),
    Task("largest", "the largest of the {v}", "max({v})", ("min({v})", "{v}[-1]", "len({v})")),
    Task("smallest", "the smallest of the {v}", "min({v})", ("max({v})", "{v}[0]", "sum({v})")),
    Task("mean", "the mean of the {v}", "sum({v}) / len({v})",
         ("sum({v}) * len({v})", "max({v}) / min({v})", "sum({v}) - len({v})")),
    Task("ordered", "the {v} in rising order", "sorted({v})",
         ("list({v})", "{v}[::-1]", "set({v})")),
    Task("backwards", "the {v} in reverse order", "{v}[::-1]",
         ("{v}[1:]", "sorted({v})", "{v}[:-1]")),
    Task("tail", "all {v} but the first", "{v}[1:]", ("{v}[:-1]", "{v}[0]", "{v}[::-1]")),
    Task("unique", "the {v} without repeats", "set({v})",
         ("len({v})", "sorted({v})", "max({v})")),
    Task("leading", "the first {k} of the {v}", "{v}[:{k}]",
         ("{v}[{k}:]", "{v}[{k}]", "{v}[-{k}:]")),
    Task("double", "twice {v}", "2 * {v}", ("{v} + 2", "{v} - 2", "{v} / 2"), False),
    Task("half", "half of {v}", "{v} / 2", ("2 * {v}", "{v} - 2", "{v} + 2"), False),
    Task("square", "{v} times itself", "{v} * {v}", ("{v} + {v}", "{v} - {v}", "2 * {v}"), False),
    Task("add", "{v} plus {k}", "{v} + {k}", ("{v} - {k}", "{v} * {k}", "{k} - {v}"), False),
    Task("subtract", "{v} minus {k}", "{v} - {k}", ("{v} + {k}", "{v} * {k}", "{v} / {k}"), False),
    Task("scale", "{v} multiplied by {k}", "{v} * {k}",
         ("{v} + {k}", "{v} / {k}", "{v} - {k}"), False),
    Task("is_even", "whether {v} is even", "{v} % 2 == 0",
         ("{v} % 2 == 1", "{v} > 2", "{v} / 2"), False),
    Task("is_odd", "whether {v} is odd", "{v} % 2 == 1",
         ("{v} % 2 == 0", "{v} < 2", "2 * {v}"), False),
    Task("is_large", "whether {v} is greater than {k}", "{v} > {k}",
         ("{v} < {k}", "{v} + {k}", "{v} == {k}"), False),
    Task("is_small", "whether {v} is less than {k}", "{v} < {k}",
         ("{v} > {k}", "{v} - {k}", "{v} == {k}"), False),
)  # fmt: skip
_PREFIXES: Final = ("get", "find", "compute", "make", "take", "give")


@dataclass(frozen=True, slots=True)
class Function:
    """A function with one argument, ready to be printed."""

    task: Task
    name: str
    argument: str
    constant: int

    def fill(self, pattern: str) -> str:
        """`pattern` with the argument and the constant put in."""
        return pattern.format(v=self.argument, k=self.constant)

    @property
    def header(self) -> str:
        """Signature and docstring, up to and with the word return."""
        goal = self.fill(self.task.goal)
        return f'def {self.name}({self.argument}):\n    """Return {goal}."""\n    return'

    @property
    def source(self) -> str:
        """The whole function."""
        return f"{self.header} {self.fill(self.task.code)}"

    @property
    def question_by_name(self) -> str:
        """The task as a question about the function itself."""
        goal = self.fill(self.task.goal)
        return f"What must {self.name}({self.argument}) return, so that it gives {goal}?"

    @property
    def question(self) -> str:
        """The task as a question."""
        return f"Which expression gives {self.fill(self.task.goal)}?"


def held_out(task: Task, argument: str) -> bool:
    """Whether the pair is kept for the benchmark (one in four, by a checksum)."""
    return crc32(f"{task.name}({argument})".encode()) % 4 == 0


def make_function(rng: Random, *, benchmark: bool = False) -> Function:
    """A function for a random task; `benchmark` takes a pair that is held out."""
    while True:
        task = pick(rng, TASKS)
        argument = pick(rng, LIST_ARGUMENTS if task.on_list else NUMBER_ARGUMENTS)
        if held_out(task, argument) == benchmark:
            break
    name = task.name if task.name.startswith("is_") else f"{pick(rng, _PREFIXES)}_{task.name}"
    return Function(task, name, argument, 2 + int(rng.random() * 8))
