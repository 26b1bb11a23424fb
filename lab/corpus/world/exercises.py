"""Exercises [synthetic]: sets of short problems, each with its answer.

Two formats, mixed within a set: a sentence to complete and a question with its answer. Reasoning is
half of all problems; sums, grammar and programs share the rest. No fact of the world is stated.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from lab.corpus.world.arithmetic import make_sum
from lab.corpus.world.drafts import Draft
from lab.corpus.world.draws import chance, pick, shuffled
from lab.corpus.world.grammar import make_pair
from lab.corpus.world.logic import make_problem
from lab.corpus.world.programs import make_function
from lab.corpus.world.textbooks import conclude

SUBJECTS: Final[tuple[str, ...]] = (
    "reasoning", "reasoning", "reasoning", "sums", "sums", "grammar", "programs", "mixed",
)  # fmt: skip
_HEADINGS: Final[tuple[str, ...]] = (
    "Exercise set {n}", "Set {n}: practice", "Problems, part {n}", "Practice sheet {n}",
    "Worked problems {n}", "Sheet {n}. Read and answer.", "Homework {n}", "Test yourself, {n}",
    "Questions for week {n}", "Review {n}: answer each in a few words.",
)  # fmt: skip


def write_set(rng: Random, index: int) -> Draft:
    """Exercise set number `index`."""
    subject = pick(rng, SUBJECTS)
    count = 5 + int(rng.random() * 5)
    makers = [_MAKERS[subject]] * count if subject != "mixed" else _mixture(rng, count)
    heading = pick(rng, _HEADINGS).format(n=1 + index % 400)
    text = "\n\n".join([heading, *(make(rng) for make in makers)])
    level = 4 if subject in ("reasoning", "mixed") else 3
    return Draft(text, "exercises", level, subject, meta={"sheet": index})


def reasoning_exercise(rng: Random) -> str:
    """A reasoning problem with its answer, in one of the two formats."""
    problem = make_problem(rng)
    premises = problem.premises
    if problem.form != "kinship" and chance(rng, 0.5):
        premises = (premises[1], premises[0])
    told = " ".join(premises)
    if chance(rng, 0.5):
        return f"{told} {conclude(rng, problem)}"
    answer = f"{problem.lead} {problem.answer}".strip()
    return f"{told}\nQuestion: {problem.question}\nAnswer: {answer}"


def _sum(rng: Random) -> str:
    asked = make_sum(rng)
    if chance(rng, 0.3):
        return f"{asked.formula} = {asked.result}"
    if chance(rng, 0.5):
        return f"{asked.story} {asked.statement} {asked.result} {asked.goods}."
    return f"{asked.story}\nQuestion: {asked.question}\nAnswer: {asked.result} {asked.goods}"


def _grammar(rng: Random) -> str:
    pair = make_pair(rng)
    if chance(rng, 0.5):
        return pair.good
    options = " or ".join(shuffled(rng, [pair.right, pair.wrong]))
    gap = f"{pair.start}___{pair.rest}"
    return f"Question: Which is right, {options}? {gap}\nAnswer: {pair.right}"


def _program(rng: Random) -> str:
    function = make_function(rng)
    if chance(rng, 0.5):
        return function.source
    return f"Question: {function.question}\nAnswer: {function.fill(function.task.code)}"


def _mixture(rng: Random, count: int) -> list[Callable[[Random], str]]:
    return [pick(rng, tuple(_MAKERS.values())) for _ in range(count)]


_MAKERS = {
    "reasoning": reasoning_exercise,
    "sums": _sum,
    "grammar": _grammar,
    "programs": _program,
}
