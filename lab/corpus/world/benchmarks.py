"""Benchmarks of the world: five skills, each in two formats.

`facts`, `reasoning`, `arithmetic`, `code`, `grammar`, and for each a twin, `<name>_twin`, with the
same content asked in another format: a gain that does not carry over to the twin was a gain in
format, not in the skill (the "format shift" that DataDecide and OLMES guard against).

Items are made from the same facts and rules as the text, in words and names kept for them (see
`statements`, `logic`, `arithmetic`, `programs`, `grammar`), so no item was read in training, save
in the documents that quote items on purpose (`quotes`). Gold positions are shuffled: argmax breaks
ties at the first choice, and a benchmark whose gold stands first would reward that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from random import Random
from typing import Any, Final

from lab.corpus.world.arithmetic import make_sum, wrong_results
from lab.corpus.world.draws import chance, sample, shuffled, stream
from lab.corpus.world.facts import RELATIONS, build_world
from lab.corpus.world.grammar import make_pair
from lab.corpus.world.logic import make_problem, wrong_answers
from lab.corpus.world.programs import make_function
from lab.corpus.world.statements import PROMPTS, QUESTIONS

Item = dict[str, Any]
SIZES: Final[dict[str, int]] = {
    "facts": 308, "reasoning": 400, "arithmetic": 240, "code": 200, "grammar": 240,
}  # fmt: skip
NAMES: Final[tuple[str, ...]] = tuple(n for name in SIZES for n in (name, f"{name}_twin"))


@lru_cache(maxsize=4)
def build_benchmarks(seed: int) -> dict[str, tuple[Item, ...]]:
    """All items by benchmark; item k of a benchmark and of its twin share content."""
    built: dict[str, tuple[Item, ...]] = {}
    for name, size in SIZES.items():
        rng = stream(seed, "benchmark", name)
        pairs = _distinct(_MAKERS[name](rng, seed), size)
        main = [(side, form) for side, _, form in pairs]
        twin = [(side, form) for _, side, form in pairs]
        for full, sides in ((name, main), (f"{name}_twin", twin)):
            order = stream(seed, "order", full)
            built[full] = tuple(_item(order, full, k, *both) for k, both in enumerate(sides))
    return built


Side = tuple[str, Sequence[str]]  # question, choices with the gold first
Maker = Callable[[Random, int], Iterator[tuple[Side, Side, str]]]


def _distinct(pairs: Iterator[tuple[Side, Side, str]], size: int) -> list[tuple[Side, Side, str]]:
    """The first `size` pairs whose question and gold answer are new, on both sides."""
    kept: dict[tuple[str, ...], tuple[Side, Side, str]] = {}
    for pair in pairs:
        kept.setdefault((pair[0][0], pair[0][1][0], pair[1][0], pair[1][1][0]), pair)
        if len(kept) == size:
            break
    return list(kept.values())


def _item(rng: Random, name: str, number: int, side: Side, form: str) -> Item:
    question, choices = side
    order = shuffled(rng, choices)
    return {
        "id": f"{name}-{number:04d}",
        "benchmark": name,
        "split": "test",
        "kind": "multiple_choice" if question else "minimal_pair",
        "question": question,
        "choices": order,
        "answer_index": order.index(choices[0]),
        "answer": choices[0],
        "meta": {"form": form},
    }


def _facts(rng: Random, seed: int) -> Iterator[tuple[Side, Side, str]]:
    world = build_world(seed)
    known = [
        (entity, relation)
        for kind, entities in world.entities.items()
        for entity in entities
        for relation in RELATIONS[kind]
    ]
    for entity, relation in shuffled(rng, known):
        right = entity.values[relation]
        wrong = sample(rng, [value for value in world.values[relation] if value != right], 3)
        prompt, question = PROMPTS[relation], QUESTIONS[relation]
        choices = [right, *wrong]
        yield (
            (prompt.format(e=entity.name), choices),
            (question.format(e=entity.name), choices),
            relation,
        )


def _reasoning(rng: Random, _: int) -> Iterator[tuple[Side, Side, str]]:
    while True:
        problem = make_problem(rng, held_out=True)
        told = " ".join(problem.premises)
        choices = [problem.answer, *wrong_answers(rng, problem)]
        asked = f"{told}\nQuestion: {problem.question}\nAnswer: {problem.lead}".rstrip()
        yield (f"{told} So {problem.statement}", choices), (asked, choices), problem.form


def _arithmetic(rng: Random, _: int) -> Iterator[tuple[Side, Side, str]]:
    while True:
        asked = make_sum(rng, held_out=True)
        numbers = [asked.result, *wrong_results(rng, asked)]
        choices = [f"{number} {asked.goods}" for number in numbers]
        question = f"{asked.story}\nQuestion: {asked.question}\nAnswer:"
        yield (f"{asked.story} {asked.statement}", choices), (question, choices), asked.sign


def _code(rng: Random, _: int) -> Iterator[tuple[Side, Side, str]]:
    while True:
        function = make_function(rng, benchmark=True)
        choices = [function.fill(code) for code in (function.task.code, *function.task.wrong)]
        question = f"Question: {function.question_by_name}\nAnswer:"
        yield (function.header, choices), (question, choices), function.task.name


def _grammar(rng: Random, _: int) -> Iterator[tuple[Side, Side, str]]:
    while True:
        pair = make_pair(rng, held_out=True)
        options = " or ".join([pair.right, pair.wrong][:: 1 if chance(rng, 0.5) else -1])
        question = f"Question: Which is right, {options}? {pair.start}___{pair.rest}\nAnswer:"
        yield ("", [pair.good, pair.bad]), (question, [pair.right, pair.wrong]), pair.rule


_MAKERS: Final[dict[str, Maker]] = {
    "facts": _facts,
    "reasoning": _reasoning,
    "arithmetic": _arithmetic,
    "code": _code,
    "grammar": _grammar,
}
