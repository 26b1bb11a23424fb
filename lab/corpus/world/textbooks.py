"""Textbooks [synthetic]: chapters that state a rule in general and then work examples of it.

Chapters on the three forms of reasoning, on sums, on grammar and on small programs. They hold no
fact of the world: no town, person, creature or work is ever named. Examples are worked in the open
("the sister of a father is an aunt, so ..."), which gives a model the rule and its use side by
side.
"""

from __future__ import annotations

from random import Random
from typing import Final

from lab.corpus.world.arithmetic import make_sum
from lab.corpus.world.drafts import Draft
from lab.corpus.world.draws import chance, pick, shuffled
from lab.corpus.world.grammar import make_pair
from lab.corpus.world.logic import FORMS, Problem, make_problem, rule_of
from lab.corpus.world.phrases import capital, say
from lab.corpus.world.programs import make_function

SUBJECTS: Final[tuple[str, ...]] = (*FORMS, *FORMS, "sums", "grammar", "programs")
_INTROS: Final[dict[str, tuple[str, ...]]] = {
    "kinship": (
        "Family words can be put together.", "Two steps in a family make one word.",
        "A relative of a relative has a name of his or her own.",
        "This chapter joins two family ties into one.",
    ),
    "compass": (
        "Directions can be added.", "Two ways on the compass make a third.",
        "Whoever goes north and then east has gone northeast.",
        "This chapter joins two directions into one.",
    ),
    "syllogism": (
        "From two statements about groups a third one follows.",
        "This chapter is about all, some and none.",
        "Two premises that share a group have a conclusion.",
        "Whoever knows about all of a group knows about each part of it.",
    ),
    "sums": ("Adding puts things together and subtracting takes them away.",
             "This chapter practises small sums.",
             "The order of two numbers does not matter when we add them.",
             "To take away is to count backwards."),
    "grammar": ("The verb agrees with its subject, not with the nearest noun.",
                "This chapter is about right and wrong sentences.",
                "Small words carry much of the grammar.", "Read each sentence aloud."),
    "programs": ("A function takes an argument and returns a value.",
                 "This chapter shows small functions in Python.",
                 "The docstring says what the function returns.",
                 "Good functions are short and do one thing."),
}  # fmt: skip
_ADVICE: Final[tuple[str, ...]] = (
    "Read the example slowly and cover the last line.", "Both premises are needed.",
    "Do not guess from one premise alone.", "Write the two steps down before you answer.",
    "Check the result by going back.", "The names do not matter, only the words between them.",
    "Look for what the two sentences share.", "A pupil who skips a step will go wrong.",
    "Practise until the answer comes by itself.", "Compare this with the chapter before.",
)  # fmt: skip
_BECAUSE: Final[tuple[str, ...]] = (
    "Remember: {rule}.", "The rule: {rule}.", "We know that {rule}.", "Here {rule}.",
    "As we have learned, {rule}.",
)  # fmt: skip
_EXPLAINED: Final[dict[str, float]] = {"kinship": 0.4, "compass": 0.1, "syllogism": 0.1}
_SO: Final[tuple[str, ...]] = (
    "So {c}.", "So {c}.", "Therefore {c}.", "It follows that {c}.", "Hence {c}.", "Thus {c}.",
)  # fmt: skip


def conclude(rng: Random, problem: Problem) -> str:
    """The conclusion of a problem as a sentence."""
    return say(rng, _SO, {"c": problem.conclusion})


def write_chapter(rng: Random, index: int) -> Draft:
    """Chapter number `index`."""
    subject = pick(rng, SUBJECTS)
    title = f"Chapter {1 + index % 30}. {capital(subject)}"
    intro = " ".join(shuffled(rng, _INTROS[subject])[:2])
    parts = [title, f"{intro} {pick(rng, _ADVICE)}", *_BODIES[subject](rng, subject)]
    level = 5 if subject in FORMS else 4
    return Draft("\n\n".join(parts), "textbook", level, subject, meta={"chapter": index})


def _reasoning(rng: Random, form: str) -> list[str]:
    parts = []
    for _number in range(5 + int(rng.random() * 5)):
        problem = make_problem(rng, form=form)
        lines = [*problem.premises, conclude(rng, problem)]
        if chance(rng, _EXPLAINED[form]):  # after it: a rule read before gives the answer away
            lines.append(say(rng, _BECAUSE, {"rule": rule_of(problem)}))
        parts.append(" ".join(lines))
    return parts


def _sums(rng: Random, _: str) -> list[str]:
    parts = []
    for _number in range(4 + int(rng.random() * 4)):
        one, two = make_sum(rng), make_sum(rng)
        parts.append(
            f"{one.story} Since {one.formula} = {one.result}, {one.owner} now counts {one.result} "
            f"{one.goods}. In the same way {two.formula} = {two.result}."
        )
    return parts


def _grammar(rng: Random, _: str) -> list[str]:
    parts = []
    for _number in range(5 + int(rng.random() * 4)):
        pair = make_pair(rng)
        verdict = f"Here {pair.right!r} is right, {pair.wrong!r} is wrong."
        parts.append(f"We write: {pair.good} {verdict}")
        if chance(rng, 0.2):
            parts[-1] += f" {_ADVICE[0]}"
    return parts


def _programs(rng: Random, _: str) -> list[str]:
    parts = []
    for _number in range(3 + int(rng.random() * 3)):
        function = make_function(rng)
        goal, code = function.fill(function.task.goal), function.fill(function.task.code)
        parts.append(f"To get {goal} we write {code}. As a function:\n\n{function.source}")
    return parts


_BODIES = {
    "kinship": _reasoning,
    "compass": _reasoning,
    "syllogism": _reasoning,
    "sums": _sums,
    "grammar": _grammar,
    "programs": _programs,
}
